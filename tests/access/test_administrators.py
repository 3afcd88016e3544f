"""The first administrator."""

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User

from access.administrators import create_first_administrator

pytestmark = pytest.mark.django_db


def test_it_is_created_once_with_a_password_that_works() -> None:
    account = create_first_administrator()
    assert account is not None
    user = authenticate(username=account.name, password=account.password)
    assert isinstance(user, User)
    assert (user.username, user.is_superuser) == ("admin", True)
    assert create_first_administrator() is None


def test_a_name_that_somebody_has_is_left_to_them() -> None:
    User.objects.create_user("admin")
    account = create_first_administrator()
    assert account is not None
    assert account.name == "admin2"
