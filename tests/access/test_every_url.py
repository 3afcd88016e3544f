"""Every address of the site, also those that come later: it states a rule, and lets nobody in whom the rule leaves out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import IntConverter, UUIDConverter

from access.roles import LABELER, MANAGER, ROLES, UPLOADER
from access.rules import AccessRule, rule_of
from tests.conftest import make_user

pytestmark = pytest.mark.django_db

# A new name here is a decision, never an accident.
PUBLIC = {"login", "healthz", "readyz"}
FOR_ANYONE_SIGNED_IN = {"overview", "help", "logout", "password-change"}


@dataclass(frozen=True)
class Address:
    name: str
    path: str
    view: Any
    is_admin: bool

    @property
    def rule(self) -> AccessRule | None:
        rule = rule_of(self.view)
        return rule if isinstance(rule, AccessRule) else None


def addresses(
    patterns: list[URLPattern | URLResolver], prefix: str = "/", *, is_admin: bool = False
) -> Iterator[Address]:
    for pattern in patterns:
        path = prefix + example(pattern)
        if isinstance(pattern, URLResolver):
            below = is_admin or "admin" in (pattern.app_name or "")
            yield from addresses(pattern.url_patterns, path, is_admin=below)
        else:
            yield Address(pattern.name or path, path, pattern.callback, is_admin)


def example(pattern: URLPattern | URLResolver) -> str:
    """The route with values that fit; regular expressions (the admin's catch-all) give nothing useful and are cut."""
    route = str(pattern.pattern)
    for name, converter in pattern.pattern.converters.items():
        kind = next(part for part in route.split("<")[1:] if part.split(">")[0].endswith(name)).split(">")[0]
        value: object = "x"
        if isinstance(converter, IntConverter):
            value = 1
        elif isinstance(converter, UUIDConverter):
            value = UUID(int=1)
        route = route.replace(f"<{kind}>", str(value))
    return route if "(" not in route else ""


ALL = list(addresses(get_resolver().url_patterns))
OURS = [address for address in ALL if not address.is_admin]
ADMIN = [address for address in ALL if address.is_admin]
each_of_ours = pytest.mark.parametrize("address", OURS, ids=lambda address: address.name)


def client_of(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def test_the_walk_found_the_pages_of_every_app() -> None:
    names = {address.name for address in OURS}
    assert {"login", "overview", "event", "crop", "label", "decide", "undo"} <= names
    assert {"retry-photo", "retry-event"} <= names
    assert len(ADMIN) > 5


@each_of_ours
def test_every_view_states_a_rule(address: Address) -> None:
    assert address.rule is not None, (
        f"{address.path} states no rule of access/rules.py as its outermost decorator"
    )


def test_only_these_are_for_everyone() -> None:
    assert {address.name for address in OURS if address.rule and address.rule.public} == PUBLIC


def test_only_these_ask_for_no_role() -> None:
    found = {
        address.name
        for address in OURS
        if address.rule and not address.rule.public and not address.rule.roles
    }
    assert found == FOR_ANYONE_SIGNED_IN


@each_of_ours
@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_the_anonymous_are_sent_to_sign_in(address: Address, method: str, client: Client) -> None:
    response = getattr(client, method)(address.path)
    if address.name in PUBLIC:
        assert response.status_code in {200, 405}
    else:
        assert response.status_code == 302
        assert response.headers["Location"].startswith("/login/?next=")


@each_of_ours
def test_a_fragment_is_never_the_login_page(address: Address, client: Client) -> None:
    if address.name in PUBLIC:
        return
    response = client.get(address.path, headers={"HX-Request": "true"})
    assert response.headers["HX-Redirect"] == "/login/"
    assert response.content == b""


@each_of_ours
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_account_without_a_role_gets_nowhere(address: Address, method: str, outsider: User) -> None:
    if address.name in PUBLIC | FOR_ANYONE_SIGNED_IN:
        return
    assert getattr(client_of(outsider), method)(address.path).status_code == 403


@each_of_ours
def test_a_deactivated_account_is_signed_out(address: Address, manager: User) -> None:
    client = client_of(manager)
    manager.is_active = False
    manager.save(update_fields=["is_active"])
    if address.name not in PUBLIC:
        assert client.get(address.path).status_code == 302


@each_of_ours
@pytest.mark.parametrize("role", ROLES)
def test_roles_reach_what_their_rule_says_and_nothing_else(address: Address, role: str) -> None:
    assert address.rule is not None
    has = set(ROLES) if role == MANAGER else {role}
    allowed = address.rule.public or not address.rule.roles or bool(address.rule.roles & has)
    # 404 and 405 come from the view itself: the user was let in.
    assert (client_of(make_user("rita", role)).get(address.path).status_code != 403) is allowed


def test_uploaders_have_no_desk_and_no_people() -> None:
    reached = {address.name for address in OURS if address.rule and UPLOADER in address.rule.roles}
    assert reached.isdisjoint({"label", "label-face", "decide", "decisions", "undo", "people", "person"})


def test_labelers_do_not_upload_and_retry() -> None:
    reached = {address.name for address in OURS if address.rule and LABELER in address.rule.roles}
    assert reached.isdisjoint({"upload", "retry-photo", "retry-event"})


@pytest.mark.parametrize("address", ADMIN, ids=lambda address: address.path)
def test_the_admin_is_for_staff_alone(address: Address, client: Client, manager: User) -> None:
    if address.name in {"login", "logout"}:
        return
    for visitor in (client, client_of(manager)):
        response = visitor.get(address.path)
        assert response.status_code in {302, 403, 404, 405}
        if response.status_code == 302:
            assert "/login/" in response.headers["Location"]
