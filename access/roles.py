"""The roles, for all events (Django's groups) or for one (EventGrant), and which events a role reaches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Q

VIEWER: Final = "viewer"
UPLOADER: Final = "uploader"
LABELER: Final = "labeler"
MANAGER: Final = "manager"
ROLES: Final = (VIEWER, UPLOADER, LABELER, MANAGER)
# Whoever may see all photos of an event, the faces on them and their names; an uploader sees what they brought.
SEEING: Final = (VIEWER, LABELER, MANAGER)

if TYPE_CHECKING:
    from django.contrib.auth.models import User as Account

User = AbstractBaseUser | AnonymousUser


@dataclass(frozen=True, slots=True)
class Reach:
    """The events in which a user has a role: all of them, or those with these primary keys."""

    everywhere: bool
    events: frozenset[int]

    def __contains__(self, event_pk: int) -> bool:
        return self.everywhere or event_pk in self.events

    def __bool__(self) -> bool:
        return self.everywhere or bool(self.events)

    def within(self, lookup: str) -> Q:
        """The condition that the event named by `lookup`, such as "photo__event", is reached."""
        return Q() if self.everywhere else Q(**{f"{lookup}__in": self.events})


@dataclass(frozen=True, slots=True)
class _Grants:
    everywhere: frozenset[str]
    by_role: dict[str, frozenset[int]]


def roles_of(user: User) -> frozenset[str]:
    """The roles that the user has for all events; a manager has the others' too, an administrator (superuser) has all."""
    return _grants_of(user).everywhere


def any_roles_of(user: User) -> frozenset[str]:
    """The roles that the user has for all events or for at least one."""
    grants = _grants_of(user)
    return grants.everywhere | {role for role, events in grants.by_role.items() if events}


def reach_of(user: User, *roles: str) -> Reach:
    """Where the user has any of these roles."""
    _check(roles)
    grants = _grants_of(user)
    if not grants.everywhere.isdisjoint(roles):
        return Reach(everywhere=True, events=frozenset())
    return Reach(everywhere=False, events=frozenset[int]().union(*(grants.by_role[role] for role in roles)))


def require_role(user: User, event_pk: int, *roles: str) -> None:
    """Raise PermissionDenied unless the user has one of these roles in the event. Fetch the event by `visible_to` first."""
    if event_pk not in reach_of(user, *roles):
        raise PermissionDenied


def sees_everything(user: User) -> bool:
    """Whether no event is hidden from the user."""
    return reach_of(user, *SEEING).everywhere


def _grants_of(user: User) -> _Grants:
    """Asked once per request: two queries, the second only for those who are not managers of everything."""
    known: _Grants | None = getattr(user, "_facevault_grants", None)
    if known is None:
        known = _read_grants(user)
        user._facevault_grants = known  # type: ignore[union-attr]
    return known


def _read_grants(user: User) -> _Grants:
    if not user.is_authenticated or not user.is_active:
        return _Grants(frozenset(), _by_role([]))
    if getattr(user, "is_superuser", False):
        return _Grants(frozenset(ROLES), _by_role([]))
    account = cast("Account", user)
    everywhere = frozenset(account.groups.filter(name__in=ROLES).values_list("name", flat=True))
    if MANAGER in everywhere:
        return _Grants(frozenset(ROLES), _by_role([]))
    return _Grants(everywhere, _by_role(account.event_grants.order_by().values_list("role", "event")))


def _by_role(rows: Iterable[tuple[str, int]]) -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {role: set() for role in ROLES}
    for role, event in rows:
        for held in ROLES if role == MANAGER else (role,):
            found[held].add(event)
    return {role: frozenset(events) for role, events in found.items()}


def _check(roles: tuple[str, ...]) -> None:
    unknown = set(roles) - set(ROLES)
    if unknown or not roles:
        raise ValueError(f"Roles are {ROLES}; got {roles}.")
