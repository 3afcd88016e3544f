"""Browsers of people with roles."""

import pytest
from django.contrib.auth.models import User
from django.test import Client


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def as_uploader(uploader: User) -> Client:
    return signed_in(uploader)


@pytest.fixture
def as_manager(manager: User) -> Client:
    return signed_in(manager)


@pytest.fixture
def as_outsider(outsider: User) -> Client:
    return signed_in(outsider)
