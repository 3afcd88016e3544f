"""The committed schema is that of the code, complete, and drawn as a page of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern

from access.rules import ApiRule, rule_of
from api import urls
from api.reference import read_reference, read_schema
from tests.api.conftest import Api, problem_of

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"
ROUTES = [pattern for pattern in urls.urlpatterns if pattern.name not in {"api-docs", "api-schema"}]


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in read_schema()["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_committed_schema_is_that_of_the_code(tmp_path: Path) -> None:
    made = tmp_path / "openapi.yaml"
    call_command("spectacular", "--fail-on-warn", "--validate", file=str(made))
    assert made.read_text() == COMMITTED.read_text(), "run `make schema`"


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: str(route.name))
def test_every_method_of_every_address_is_described_with_its_rule(route: URLPattern) -> None:
    rule = rule_of(route.callback)
    assert isinstance(rule, ApiRule)
    described = {
        operation["operationId"]: (method.upper(), operation)
        for path, method, operation in operations()
        if _fits(path, str(route.pattern))
    }
    assert {method for method, _ in described.values()} == set(rule.scopes)
    for method, operation in described.values():
        assert operation["x-scope"] == rule.scopes[method]
        assert set(operation["x-roles"]) == set(rule.rules[method].roles)
        assert operation["summary"]
        assert "default" in operation["responses"]


def test_every_write_takes_an_idempotency_key() -> None:
    for path, method, operation in operations():
        named = [parameter["name"] for parameter in operation.get("parameters", [])]
        assert ("Idempotency-Key" in named) is (method != "get"), path


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))


def test_the_links_of_a_page_may_be_null() -> None:
    pages = [
        shape["properties"]
        for name, shape in read_schema()["components"]["schemas"].items()
        if name.startswith("Paginated")
    ]
    assert pages
    for page in pages:
        assert page["next"]["type"] == page["previous"]["type"] == ["string", "null"]


def test_nothing_is_described_in_words_of_an_older_openapi() -> None:
    assert "nullable:" not in COMMITTED.read_text()


def test_no_shape_holds_a_vector() -> None:
    for shape in read_schema()["components"]["schemas"].values():
        assert not {"vector", "embedding", "digest"} & set(shape.get("properties", {}))


def test_the_schema_is_for_anyone_signed_in(outsider: User) -> None:
    assert Api(outsider).get("openapi.json").json()["openapi"] == "3.1.0"
    problem_of(Api().get("openapi.json"), 401)


def test_the_committed_file_is_what_is_served(outsider: User) -> None:
    assert Api(outsider).get("openapi.json").json() == yaml.safe_load(COMMITTED.read_text())


def test_the_page_shows_every_operation_and_shape(outsider: User) -> None:
    client = Client()
    client.force_login(outsider)
    page = client.get("/api/v1/docs/").content.decode()
    for path, _, operation in operations():
        assert f'id="{operation["operationId"]}"' in page
        assert path in page
    for shape in read_reference().shapes:
        assert f'id="shape-{shape.name}"' in page
    for forbidden in (" style=", "<style", "<script>", "onclick"):
        assert forbidden not in page


def test_every_shape_that_the_page_links_to_is_on_it(outsider: User) -> None:
    client = Client()
    client.force_login(outsider)
    page = client.get("/api/v1/docs/").content.decode()
    linked = {part.split('"')[0] for part in page.split('href="#shape-')[1:]}
    assert linked <= {shape.name for shape in read_reference().shapes}


def test_the_page_asks_strangers_to_sign_in(client: Client) -> None:
    assert client.get("/api/v1/docs/").headers["Location"].startswith("/login/")


def _fits(path: str, route: str) -> bool:
    """Whether a path of the schema is that of a route: {event_pk} for <int:event_pk>."""
    pieces = route.replace(">", "<").split("<")
    named = "".join(
        "{" + piece.split(":")[-1] + "}" if number % 2 else piece for number, piece in enumerate(pieces)
    )
    return path == f"/api/v1/{named}"
