"""Every address, also those that come later: what holds for all of them, beside the table of who may do what."""

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from access.rules import AccessRule, ApiRule, rule_of
from tests.access.addresses import ALL
from tests.access.table import EVERYONE, TABLE
from tests.access.world import Side, make_side
from tests.conftest import make_user

pytestmark = pytest.mark.django_db
# A new name here is a decision, never an accident.
PUBLIC = {"login", "healthz", "readyz"}
PAGES = [address for address in ALL if not address.route.startswith("/api/")]


@pytest.fixture
def side(db: None) -> Side:
    owner = make_user("owner")
    return make_side("Mine", owner=owner, uploader=owner)


def test_only_these_are_for_everyone() -> None:
    rules = {address.name: rule_of(address.view) for address in ALL}
    assert {name for name, rule in rules.items() if isinstance(rule, AccessRule) and rule.public} == PUBLIC
    assert {name for name, entry in TABLE.items() if EVERYONE in (entry.get, entry.post)} == PUBLIC


def test_views_of_the_api_state_a_scope_for_every_method() -> None:
    for address in ALL:
        rule = rule_of(address.view)
        if isinstance(rule, ApiRule):
            assert set(rule.scopes) == set(rule.rules), address.name


def test_a_fragment_is_never_the_login_page(side: Side, client: Client) -> None:
    for address in PAGES:
        if address.name not in PUBLIC:
            response = client.get(address.path(side), headers={"HX-Request": "true"})
            assert response.headers["HX-Redirect"] == "/login/", address.name
            assert response.content == b""


def test_a_deactivated_account_is_signed_out_everywhere(side: Side, manager: User) -> None:
    client = Client()
    client.force_login(manager)
    manager.is_active = False
    manager.save(update_fields=["is_active"])
    for address in ALL:
        if address.name not in PUBLIC:
            assert client.get(address.path(side)).status_code in {302, 401}, address.name


def test_the_admin_is_for_staff_alone(client: Client, manager: User) -> None:
    signed_in = Client()
    signed_in.force_login(manager)
    addresses = list(_admin_addresses(get_resolver().url_patterns))
    assert len(addresses) > 5
    for path in addresses:
        if path in {"/admin/login/", "/admin/logout/"}:
            continue
        for visitor in (client, signed_in):
            response = visitor.get(path)
            assert response.status_code in {302, 403, 404, 405}, path
            if response.status_code == 302:
                assert "/login/" in response.headers["Location"]


def _admin_addresses(
    patterns: list[URLPattern | URLResolver], prefix: str = "/", *, inside: bool = False
) -> Iterator[str]:
    """With 1 for every parameter; regular expressions (the admin's catch-all) give nothing useful and are cut."""
    for pattern in patterns:
        route = re.sub(r"<[^>]+>", "1", str(pattern.pattern))
        path = prefix + (route if "(" not in route else "")
        if isinstance(pattern, URLResolver):
            yield from _admin_addresses(
                pattern.url_patterns, path, inside=inside or pattern.app_name == "admin"
            )
        elif inside:
            yield path


def test_the_walk_found_the_pages_of_every_app() -> None:
    names = {address.name for address in ALL}
    assert {"login", "overview", "event", "crop", "label", "decide", "undo", "api-events", "tokens"} <= names
