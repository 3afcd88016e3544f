"""The rule that every view must state: for everyone, for anyone signed in, for certain roles, or by method for the API."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from access.roles import ROLES, User, any_roles_of
from access.scopes import SCOPES

View = TypeVar("View", bound=Callable[..., Any])
_ATTRIBUTE = "facevault_access"


@dataclass(frozen=True, slots=True)
class AccessRule:
    """Who may use a view: those with one of the roles for all events or for at least one.

    Which objects they reach is the querysets' affair. `roles` empty means anyone signed in; `public` means everyone.
    """

    roles: frozenset[str] = frozenset()
    public: bool = False

    def allows(self, user: User) -> bool:
        if self.public:
            return True
        if not user.is_authenticated:
            return False
        return not self.roles or not self.roles.isdisjoint(any_roles_of(user))


@dataclass(frozen=True, slots=True)
class ApiRule:
    """What each method of an API view takes: a token's scope, and a rule for the account behind token or session."""

    scopes: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, AccessRule] = field(default_factory=dict)

    def of(self, method: str) -> AccessRule | None:
        """The rule of a method; HEAD is GET, OPTIONS is for anyone signed in, and the view itself refuses the others."""
        return self.rules.get("GET" if method == "HEAD" else method)

    def scope_of(self, method: str) -> str | None:
        return self.scopes.get("GET" if method == "HEAD" else method)


def allow(*roles: str) -> Callable[[View], View]:
    """Let users with any of these roles in: `@allow(LABELER, MANAGER)`."""
    return _state(AccessRule(roles=_known(roles)))


def allow_signed_in(view: View) -> View:
    return _state(AccessRule())(view)


def allow_everyone(view: View) -> View:
    return _state(AccessRule(public=True))(view)


def allow_api(**methods: tuple[str, tuple[str, ...]]) -> Callable[[View], View]:
    """By method the token's scope and the roles: `@allow_api(GET=("read", SEEING), POST=("admin", (MANAGER,)))`.

    No roles: anyone signed in.
    """
    unknown = {scope for scope, _ in methods.values()} - set(SCOPES)
    if unknown or not methods:
        raise ValueError(f"allow_api() takes scopes of {SCOPES}; got {unknown or 'no method'}.")
    return _state(
        ApiRule(
            scopes={method: scope for method, (scope, _) in methods.items()},
            rules={
                method: AccessRule(roles=_known(roles) if roles else frozenset())
                for method, (_, roles) in methods.items()
            },
        )
    )


def rule_of(view: Callable[..., Any]) -> AccessRule | ApiRule | None:
    """The rule a view states, or none: then nobody may use it."""
    rule = getattr(view, _ATTRIBUTE, None)
    return rule if isinstance(rule, AccessRule | ApiRule) else None


def _known(roles: tuple[str, ...]) -> frozenset[str]:
    unknown = set(roles) - set(ROLES)
    if unknown or not roles:
        raise ValueError(f"Roles are {ROLES}; got {roles}.")
    return frozenset(roles)


def _state(rule: AccessRule | ApiRule) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        setattr(view, _ATTRIBUTE, rule)
        return view

    return decorate
