"""The three roles, as Django groups, and what each may do."""

from typing import Final

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

UPLOADER: Final = "uploader"
LABELER: Final = "labeler"
MANAGER: Final = "manager"
ROLES: Final = (UPLOADER, LABELER, MANAGER)

User = AbstractBaseUser | AnonymousUser


def roles_of(user: User) -> frozenset[str]:
    """The user's roles; a manager has the others' too, an administrator (superuser) has all. Asked once per request."""
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    known: frozenset[str] | None = getattr(user, "_facevault_roles", None)
    if known is None:
        if getattr(user, "is_superuser", False):
            known = frozenset(ROLES)
        else:
            named = set(user.groups.filter(name__in=ROLES).values_list("name", flat=True))  # type: ignore[attr-defined]
            known = frozenset(ROLES) if MANAGER in named else frozenset(named)
        user._facevault_roles = known  # type: ignore[attr-defined]
    return known


def sees_everything(user: User) -> bool:
    """Labelers need every photo and person to compare with."""
    return not roles_of(user).isdisjoint({LABELER, MANAGER})


def sees_own_uploads(user: User) -> bool:
    return UPLOADER in roles_of(user)
