"""The rule that every view must state: for everyone, for anyone signed in, or for certain roles."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from access.roles import ROLES, User, roles_of

View = TypeVar("View", bound=Callable[..., Any])
_ATTRIBUTE = "facevault_access"


@dataclass(frozen=True, slots=True)
class AccessRule:
    """Who may use a view. `roles` empty means anyone signed in; `public` means everyone."""

    roles: frozenset[str] = frozenset()
    public: bool = False

    def allows(self, user: User) -> bool:
        if self.public:
            return True
        if not user.is_authenticated:
            return False
        return not self.roles or not self.roles.isdisjoint(roles_of(user))


def allow(*roles: str) -> Callable[[View], View]:
    """Let users with any of these roles in: `@allow(LABELER, MANAGER)`."""
    unknown = set(roles) - set(ROLES)
    if unknown or not roles:
        raise ValueError(f"allow() takes roles of {ROLES}; got {roles}.")
    return _state(AccessRule(roles=frozenset(roles)))


def allow_signed_in(view: View) -> View:
    return _state(AccessRule())(view)


def allow_everyone(view: View) -> View:
    return _state(AccessRule(public=True))(view)


def rule_of(view: Callable[..., Any]) -> AccessRule | None:
    """The rule a view states, or none: then nobody may use it."""
    rule = getattr(view, _ATTRIBUTE, None)
    return rule if isinstance(rule, AccessRule) else None


def _state(rule: AccessRule) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        setattr(view, _ATTRIBUTE, rule)
        return view

    return decorate
