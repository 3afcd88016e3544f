"""API tokens: made once, shown once, kept as an HMAC, found by their prefix."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.crypto import constant_time_compare, get_random_string, salted_hmac

from access.models import ApiToken
from access.scopes import SCOPES

LONGEST = timedelta(days=366)
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
_PREFIX_LENGTH = 10
_SALT = "facevault.access.tokens"
# How often the time of last use is written: every request would be a write of its own.
_USE_NOTED = timedelta(minutes=1)


class TokenRefused(Exception):
    """The token cannot be made like this; the message says why."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """`secret` is what a script sends; it is nowhere else, so show it now."""

    token: ApiToken
    secret: str


def create_token(*, user: User, name: str, scopes: list[str], expires_at: datetime) -> NewToken:
    """Make a token of the user's. Raises TokenRefused."""
    name = name.strip()
    if not name or len(name) > 60:
        raise TokenRefused("Give the token a name of at most 60 characters: what it is for.")
    if not scopes or set(scopes) - set(SCOPES):
        raise TokenRefused(f"Choose at least one scope of: {', '.join(SCOPES)}.")
    now = timezone.now()
    if not now < expires_at <= now + LONGEST:
        raise TokenRefused("A token expires in the future, at most one year from now.")
    prefix = get_random_string(_PREFIX_LENGTH, _LETTERS)
    secret = f"fv_{prefix}_{secrets.token_urlsafe(32)}"
    token = ApiToken.objects.create(
        prefix=prefix,
        digest=_digest(secret),
        user=user,
        name=name,
        scopes=[scope for scope in SCOPES if scope in scopes],
        expires_at=expires_at,
    )
    return NewToken(token, secret)


def tokens_of(user: AbstractBaseUser | AnonymousUser) -> QuerySet[ApiToken]:
    """The user's own tokens; an administrator sees everybody's."""
    return (
        ApiToken.objects.all()
        if getattr(user, "is_superuser", False)
        else ApiToken.objects.filter(user=user.pk)
    )


def revoke_token(token: ApiToken) -> None:
    """From the next request on it opens nothing. The row stays, to show what it was."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())


def find_token(secret: str, *, address: str | None) -> ApiToken | None:
    """The valid token of this secret, with its user; none if it is wrong, expired or revoked, or its account is closed."""
    parts = secret.split("_", 2)
    if len(parts) != 3 or parts[0] != "fv" or len(secret) > 200 or not secret.isascii():
        return None
    token = ApiToken.objects.select_related("user").filter(prefix=parts[1]).first()
    # Compared even where there is no such prefix: the time it takes must not tell.
    matches = constant_time_compare(_digest(secret), token.digest if token else _digest(""))
    if (
        token is None
        or not matches
        or token.revoked_at is not None
        or token.expired
        or not token.user.is_active
    ):
        return None
    _note_use(token, address)
    return token


def _note_use(token: ApiToken, address: str | None) -> None:
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at < now - _USE_NOTED or token.last_used_from != address:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now, last_used_from=address)


def _digest(secret: str) -> str:
    return salted_hmac(_SALT, secret, algorithm="sha256").hexdigest()
