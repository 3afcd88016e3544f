"""What another site, a frame or a script in a page could do: nothing. Headers on every answer, forged forms, ways out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from access.models import ApiToken, EventGrant
from access.tokens import create_token
from labeling.models import Decision
from tests.access.addresses import ALL
from tests.access.attacking import read_body, rolled_back, watch_rows
from tests.access.table import TABLE
from tests.access.world import Side, make_side
from tests.conftest import make_user, signed_in
from tests.factories import activate_embedder

pytestmark = pytest.mark.django_db
POSTED = [address for address in ALL if TABLE[address.name].post is not None]


@pytest.fixture
def ada(db: None) -> User:
    activate_embedder()
    return User.objects.create_superuser("ada", password="correct horse battery")


@pytest.fixture
def side(ada: User) -> Side:
    return make_side("Mine", owner=ada, uploader=ada)


def faults_in(headers: Any) -> list[str]:
    """What is missing for an answer that no page may frame, no browser guess about and no cache give to others."""
    policy = headers.get("Content-Security-Policy", "")
    found = [] if "default-src 'none'" in policy else [f"policy {policy!r}"]
    if "unsafe" in policy or "*" in policy:
        found.append(f"policy {policy!r}")
    if "sandbox" not in policy and "frame-ancestors 'none'" not in policy:
        found.append("may be framed")
    if headers.get("X-Content-Type-Options") != "nosniff":
        found.append("may be guessed about")
    cached = headers.get("Cache-Control", "")
    if "no-store" not in cached and cached != "private, no-cache":
        found.append(f"may be kept: {cached!r}")
    found += [name for name in headers if name.lower().startswith("access-control-")]
    return found


@pytest.mark.parametrize("account", ["anonymous", "roleless", "administrator"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
def test_every_answer_has_the_headers(method: str, account: str, ada: User, side: Side) -> None:
    client = Client(raise_request_exception=False, headers={"Origin": "https://evil.example"})
    if account != "anonymous":
        client.force_login(ada if account == "administrator" else make_user("rolf"))
    session = client.cookies.output(header="", sep=";")
    faults = []
    for address in ALL:
        client.cookies.clear()
        client.cookies.load(session)
        side.write_files()
        with rolled_back():
            answer = client.generic(
                method, address.path(side), content_type="application/x-www-form-urlencoded"
            )
            read_body(answer)
        faults += [f"{address.name} {answer.status_code}: {fault}" for fault in faults_in(answer.headers)]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/nothing/here", {}, 404),
        ("/api/v1/nothing", {}, 404),
        ("/events/", {"Host": "evil.example"}, 400),
        ("/api/v1/me/", {"Authorization": "Bearer fv_wrong"}, 401),
        ("/api/v1/me/", {"Authorization": "Basic YWRhOmFkYQ=="}, 401),
        ("/admin/", {}, 302),
        ("/admin/login/", {}, 200),
        ("/events", {}, 301),
    ],
)
def test_errors_have_them_too(path: str, headers: dict[str, str], status: int) -> None:
    answer = Client(raise_request_exception=False).get(path, headers=headers)
    assert answer.status_code == status
    missing = [fault for fault in faults_in(answer.headers) if not fault.startswith("may be kept")]
    assert not missing


def test_a_fault_of_ours_has_them_too(monkeypatch: pytest.MonkeyPatch, ada: User) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("secret words")

    monkeypatch.setattr("recognition.views.people.load_people", fail)
    client = Client(raise_request_exception=False)
    client.force_login(ada)
    answer = client.get("/people/")
    assert answer.status_code == 500
    assert not faults_in(answer.headers)
    assert "secret words" not in answer.text


class TestForgedForms:
    @pytest.mark.parametrize("origin", ["", "https://evil.example", "null"])
    def test_no_form_of_another_site_is_taken(self, origin: str, ada: User, side: Side) -> None:
        """A browser sends the session's cookie along with it; the form's own token is what it cannot know."""
        client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        client.force_login(ada)
        rows = watch_rows(side)
        before = rows()
        taken: list[str] = []
        headers = {"Origin": origin} if origin else {}
        for address in POSTED:
            for kind in (
                "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=x",
                "text/plain",
            ):
                answer = client.post(
                    address.path(side), "name=Forged&archived=1", content_type=kind, headers=headers
                )
                # What an address of the API does not take at all, it says before.
                if answer.status_code != 403 and not (
                    address.name.startswith("api") and answer.status_code == 415
                ):
                    taken.append(f"{address.name} {kind}: {answer.status_code}")
        assert not taken
        assert rows() == before

    def test_a_session_of_the_api_is_not_enough_for_any_write(self, ada: User, side: Side) -> None:
        client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        client.force_login(ada)
        rows = watch_rows(side)
        before = rows()
        taken: list[str] = []
        for address in ALL:
            entry = TABLE[address.name]
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                if not entry.api or entry.of(method) is None:
                    continue
                for kind in ("application/json", "text/plain", "multipart/form-data; boundary=x"):
                    answer = client.generic(
                        method,
                        address.path(side),
                        "{}",
                        content_type=kind,
                        headers={"Idempotency-Key": f"k{len(taken)}"},
                    )
                    if answer.status_code not in {403, 415}:
                        taken.append(f"{method} {address.name} {kind}: {answer.status_code}")
        assert not taken
        assert rows() == before

    def test_a_form_of_another_site_signs_nobody_in(self, ada: User) -> None:
        client = Client(enforce_csrf_checks=True)
        data = {"username": "ada", "password": "correct horse battery"}
        assert client.post("/login/", data).status_code == 403
        assert client.post("/admin/login/", data).status_code == 403


class TestWaysOut:
    EVIL = (
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "https:evil.example",
        " //evil.example",
        "\t//evil.example",
        "/%0a/evil.example",
        "http:///evil.example",
        "//testserver@evil.example/",
        "https://testserver.evil.example/",
    )

    @pytest.mark.parametrize("target", EVIL)
    @pytest.mark.parametrize("path", ["/login/", "/admin/login/"])
    def test_signing_in_leads_to_no_other_site(self, path: str, target: str, ada: User) -> None:
        data = {"username": "ada", "password": "correct horse battery", "next": target}
        for address in (path, f"{path}?{urlencode({'next': target})}"):
            answer = Client().post(address, data)
            assert self.stays(answer.headers["Location"])

    @pytest.mark.parametrize("target", EVIL)
    def test_no_field_of_ours_leads_to_another_site(self, target: str, ada: User, side: Side) -> None:
        client = signed_in(ada)
        fields = dict.fromkeys(("next", "back", "page", "show", "event", "code", "skipped", "who"), target)
        for address in POSTED:
            if address.name == "logout" or TABLE[address.name].api:
                continue
            with rolled_back():
                answer = client.post(address.path(side) + f"?{urlencode(fields)}", fields)
                read_body(answer)
            for name in ("Location", "HX-Redirect", "HX-Location", "HX-Replace-Url", "HX-Push-Url"):
                assert self.stays(answer.headers.get(name, "/")), (address.name, name)

    @pytest.mark.parametrize("path", ["//evil.example/people/", "//evil.example", "/\\evil.example/events"])
    def test_an_address_that_looks_like_another_site_stays_here(self, path: str, ada: User) -> None:
        for client in (Client(), signed_in(ada)):
            answer = client.generic("GET", path)
            assert self.stays(answer.headers.get("Location", "/"))

    def stays(self, location: str) -> bool:
        return location.startswith("/") and not location.startswith(("//", "/\\")) and "\n" not in location


class TestTokens:
    def test_a_token_in_an_address_or_a_cookie_is_none(self, ada: User) -> None:
        soon = timezone.now() + timedelta(hours=1)
        secret = create_token(user=ada, name="s", scopes=["read"], expires_at=soon).secret
        client = Client()
        client.cookies["Authorization"] = f"Bearer {secret}"
        for query in ("token", "access_token", "Authorization"):
            assert client.get("/api/v1/me/", {query: secret}).status_code == 401

    def test_neither_the_beginning_nor_another_end_of_a_token_opens_anything(self, ada: User) -> None:
        soon = timezone.now() + timedelta(hours=1)
        made = create_token(user=ada, name="s", scopes=["read"], expires_at=soon)
        secret, digest = made.secret, made.token.digest
        prefix = made.token.prefix
        wrong = [
            secret[:-1],
            secret + "x",
            secret.upper(),
            f"fv_{prefix}_",
            f"fv_{prefix}_{digest}",
            digest,
            prefix,
        ]
        wrong += [
            f"fv_{prefix}%_{secret[14:]}",
            f"fv__{secret[14:]}",
            f"fv_{prefix}_' OR 1=1",
            "fv_\u00e9_x",
            "fv_" * 90,
        ]
        for text in wrong:
            assert Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {text}"}).status_code == 401

    def test_the_same_is_asked_of_the_database_for_every_wrong_token(
        self, ada: User, django_assert_num_queries: Any
    ) -> None:
        """Known prefix or not, expired or not: no more and no fewer questions, so that the time does not tell."""
        soon = timezone.now() + timedelta(hours=1)
        made = create_token(user=ada, name="s", scopes=["read"], expires_at=soon)
        ApiToken.objects.filter(pk=made.token.pk).update(revoked_at=timezone.now())
        for text in (f"fv_{made.token.prefix}_wrong", "fv_abcdefghij_wrong", made.secret):
            with django_assert_num_queries(1):
                Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {text}"})

    def test_a_token_of_a_role_in_one_event_reaches_no_page(self, side: Side) -> None:
        rita = make_user("rita")
        EventGrant.objects.create(user=rita, event=side.event, role="manager")
        soon = timezone.now() + timedelta(hours=1)
        made = create_token(user=rita, name="s", scopes=["read", "admin", "label"], expires_at=soon)
        client = Client(headers={"Authorization": f"Bearer {made.secret}"})
        for address in ALL:
            if address.route.startswith("/api/") or address.name in {"login", "healthz", "readyz"}:
                continue
            answer = client.get(address.path(side))
            assert answer.status_code in {302, 403, 405}, address.name
        assert Decision.objects.count() == 1


class TestAdmin:
    def test_staff_without_permissions_see_no_table(self, side: Side) -> None:
        staff = make_user("stan")
        staff.is_staff = True
        staff.save()
        client = signed_in(staff)
        assert "Mine" not in client.get("/admin/").text
        for app, model in (
            ("recognition", "event"),
            ("recognition", "person"),
            ("recognition", "photo"),
            ("recognition", "face"),
            ("recognition", "sighting"),
            ("recognition", "embedding"),
            ("labeling", "decision"),
            ("auth", "user"),
        ):
            answer = client.get(f"/admin/{app}/{model}/")
            assert answer.status_code == 403, model
            assert client.get(f"/admin/{app}/{model}/1/change/").status_code == 403

    def test_staff_are_not_administrators_of_the_pages(self, side: Side) -> None:
        staff = make_user("stan")
        staff.is_staff = True
        staff.save()
        client = signed_in(staff)
        for path in ("/events/", f"/events/{side.event.pk}/", "/people/", f"/photos/{side.photo.pk}/"):
            assert client.get(path).status_code in {403, 404}

    def test_no_secret_is_in_any_table_of_the_admin(self, ada: User, side: Side) -> None:
        from django.contrib import admin

        models = {model.__name__ for model in admin.site._registry}
        assert not models & {"ApiToken", "IdempotencyKey", "Probe", "ProbeFace", "Session", "Export"}
        for model, options in admin.site._registry.items():
            if model.__name__ in {"Embedding", "Face", "Decision"}:
                fields = options.get_fields(_request_of(ada))
                assert not {"vector", "landmarks", "before"} & set(map(str, fields)), model.__name__


def _request_of(user: User) -> Any:
    from django.test import RequestFactory

    request = RequestFactory().get("/admin/")
    request.user = user
    return request
