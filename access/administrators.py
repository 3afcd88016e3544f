"""The first administrator of a new installation."""

import itertools
import secrets
from dataclasses import dataclass

from django.contrib.auth.models import User

NAME = "admin"


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    password: str


def create_first_administrator() -> Account | None:
    """Create an administrator with a generated password; none where there is one already."""
    if User.objects.filter(is_superuser=True).exists():
        return None
    taken = set(User.objects.filter(username__startswith=NAME).values_list("username", flat=True))
    names = (NAME if number == 1 else f"{NAME}{number}" for number in itertools.count(1))
    account = Account(
        name=next(name for name in names if name not in taken), password=secrets.token_urlsafe(12)
    )
    User.objects.create_superuser(account.name, password=account.password)
    return account
