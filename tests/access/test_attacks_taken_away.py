"""After a role, a scope, a token or an account was taken: what was prepared, kept or repeated before opens nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, cast

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from access.models import EventGrant
from access.scopes import SCOPES
from access.tokens import create_token, revoke_token
from labeling.models import Decision
from recognition.models import Event, Export, Person
from tests.access.attacking import read_body, rolled_back, watch_rows
from tests.access.desk_forms import BODIES, FORMS, OF_NO_EVENT, PAGES, Desk, fill_desk, filled, filled_body
from tests.access.world import Side, make_side
from tests.conftest import make_user, signed_in
from tests.factories import activate_embedder

pytestmark = pytest.mark.django_db


@pytest.fixture
def rita(db: None) -> User:
    activate_embedder()
    return make_user("rita")


@pytest.fixture
def here(rita: User) -> Side:
    """The event whose roles rita keeps."""
    side = make_side("Here", owner=rita, uploader=rita)
    EventGrant.objects.create(user=rita, event=side.event, role="manager")
    return side


@pytest.fixture
def there(rita: User) -> Side:
    """The event whose roles are taken from her."""
    side = make_side("There", owner=rita, uploader=make_user("uli"))
    EventGrant.objects.create(user=rita, event=side.event, role="manager")
    side.write_files()
    return side


def take_everything(user: User, side: Side) -> None:
    EventGrant.objects.filter(user=user, event=side.event).delete()


def script_of(user: User, *scopes: str) -> Client:
    soon = timezone.now() + timedelta(days=1)
    secret = create_token(user=user, name="s", scopes=list(scopes or SCOPES), expires_at=soon).secret
    return Client(headers={"Authorization": f"Bearer {secret}"}, raise_request_exception=False)


def post_json(client: Client, path: str, body: object, key: str = "") -> HttpResponse:
    headers = {"Idempotency-Key": key} if key else {}
    answer: Any = client.post(
        f"/api/v1/{path}", json.dumps(body), content_type="application/json", headers=headers
    )
    return cast("HttpResponse", answer)


class TestExports:
    def test_the_names_of_what_one_may_export_no_more_are_told_no_more(
        self, rita: User, here: Side, there: Side
    ) -> None:
        soon = timezone.now() + timedelta(hours=1)
        of_person = Export.objects.create(
            user=rita, person=there.person, expires_at=soon, state="failed", failure_code="x"
        )
        take_everything(rita, there)
        # What somebody is called since then least of all.
        Person.objects.filter(pk=there.person.pk).update(name="Renamed Since")
        Event.objects.filter(pk=there.event.pk).update(name="Called Anew")
        client, script = signed_in(rita), script_of(rita)
        paths = ["/exports/", "/api/v1/exports/"]
        for export in (there.export, of_person):
            paths += [f"/exports/{export.export_id}/", f"/exports/{export.export_id}/?list=1"]
            paths += [f"/exports/{export.export_id}/photos.zip", f"/api/v1/exports/{export.export_id}/"]
            paths += [f"/api/v1/exports/{export.export_id}/file"]
        told = []
        for path in paths:
            answer = (script if path.startswith("/api") else client).get(path)
            text = str(dict(answer.headers)) + read_body(answer).decode("utf-8", "replace")
            told += [(path, word) for word in ("Renamed Since", "Called Anew", *there.words) if word in text]
            if path not in {"/exports/", "/api/v1/exports/"}:
                assert answer.status_code == 404, path
        assert not told

    def test_one_that_is_still_ones_own_stays(self, rita: User, here: Side, there: Side) -> None:
        take_everything(rita, there)
        page = signed_in(rita).get("/exports/").text
        assert "Here Graduation" in page

    def test_one_of_a_person_of_two_events_is_closed_while_one_of_them_is_not_managed(
        self, rita: User, here: Side, there: Side
    ) -> None:
        """The file holds photos of both; the row may stay, since the person is seen at the other event."""
        Export.objects.filter(pk=here.export.pk).update(event=None, person=here.person)
        here.write_files()
        EventGrant.objects.filter(user=rita, event=here.event).delete()
        assert signed_in(rita).get(f"/exports/{here.export.export_id}/photos.zip").status_code == 404


class TestSearches:
    def test_ones_picture_stays_and_says_nothing_of_the_event(
        self, rita: User, here: Side, there: Side
    ) -> None:
        take_everything(rita, there)
        page = signed_in(rita).get(f"/search/{there.probe.probe_id}/").text
        assert not [word for word in there.words if word in page]

    def test_without_any_role_there_is_no_search(self, rita: User, there: Side) -> None:
        take_everything(rita, there)
        client = signed_in(rita)
        for path in ("", "preview.jpg", "faces/1/crop.jpg"):
            assert client.get(f"/search/{there.probe.probe_id}/{path}").status_code == 403


class TestRepetition:
    """An Idempotency-Key gives back what was answered, to whoever may still have it."""

    def label(self, client: Client, side: Side, key: str = "k-1") -> HttpResponse:
        body = {"name": "There Somebody", "new": True, "version": 0}
        return post_json(client, f"faces/{side.opened.face_id}/label/", body, key)

    def test_after_the_role_was_taken_the_answer_is_not_given_again(
        self, rita: User, here: Side, there: Side
    ) -> None:
        script = script_of(rita)
        assert self.label(script, there).status_code == 200
        assert self.label(script, there).headers["Idempotency-Replayed"] == "true"
        take_everything(rita, there)
        again = self.label(script, there)
        assert again.status_code == 404
        assert "There Somebody" not in again.content.decode()
        assert Decision.objects.filter(person__name="There Somebody").count() == 1

    def test_after_the_role_came_back_it_is(self, rita: User, here: Side, there: Side) -> None:
        script = script_of(rita)
        first = self.label(script, there)
        take_everything(rita, there)
        self.label(script, there)
        EventGrant.objects.create(user=rita, event=there.event, role="labeler")
        again = self.label(script, there)
        assert (again.status_code, again.content) == (200, first.content)
        assert Decision.objects.filter(person__name="There Somebody").count() == 1

    def test_a_token_without_the_scope_gets_no_answer_of_another_token(self, rita: User, here: Side) -> None:
        self.label(script_of(rita), here)
        answer = self.label(script_of(rita, "read"), here)
        assert answer.status_code == 403
        assert "Somebody" not in answer.content.decode()

    @pytest.mark.parametrize("end", ["revoked", "expired", "deactivated"])
    def test_a_token_that_ended_gets_none(self, rita: User, here: Side, end: str) -> None:
        made = create_token(
            user=rita, name="s", scopes=["label"], expires_at=timezone.now() + timedelta(hours=1)
        )
        client = Client(headers={"Authorization": f"Bearer {made.secret}"})
        assert self.label(client, here).status_code == 200
        if end == "revoked":
            revoke_token(made.token)
        elif end == "expired":
            type(made.token).objects.filter(pk=made.token.pk).update(expires_at=timezone.now())
        else:
            User.objects.filter(pk=rita.pk).update(is_active=False)
        answer = self.label(client, here)
        assert answer.status_code == 401
        assert "Somebody" not in answer.content.decode()

    def test_the_key_of_somebody_else_gives_none(self, rita: User, here: Side) -> None:
        self.label(script_of(rita), here)
        other = make_user("other")
        EventGrant.objects.create(user=other, event=here.event, role="labeler")
        answer = self.label(script_of(other), here)
        assert answer.status_code == 422
        assert "Idempotency-Replayed" not in answer.headers


class TestPictures:
    @pytest.mark.parametrize(
        "path", ["/photos/{s.photo.pk}/preview.jpg", "/faces/{s.named.face_id}/crop.jpg"]
    )
    def test_a_browsers_copy_is_confirmed_only_to_whoever_may_see_it(
        self, rita: User, there: Side, path: str
    ) -> None:
        client, address = signed_in(rita), path.format(s=there)
        shown = client.get(address)
        read_body(shown)
        etag = shown.headers["ETag"]
        assert client.get(address, headers={"If-None-Match": etag}).status_code == 304
        take_everything(rita, there)
        EventGrant.objects.create(user=rita, event=Event.objects.create(name="Elsewhere"), role="viewer")
        for headers in ({}, {"If-None-Match": etag}, {"If-None-Match": "*"}, {"Range": "bytes=0-9"}):
            answer = client.get(address, headers=headers)
            assert answer.status_code == 404
            assert "ETag" not in answer.headers
            assert client.head(address, headers=headers).status_code == 404


class TestDecisions:
    def test_ones_own_are_not_undone_where_one_labels_no_more(
        self, rita: User, here: Side, there: Side
    ) -> None:
        take_everything(rita, there)
        assert signed_in(rita).post(f"/decisions/{there.decision.key}/undo/").status_code == 404
        assert post_json(script_of(rita), f"decisions/{there.decision.key}/undo/", {}).status_code == 404
        there.decision.refresh_from_db()
        assert there.decision.undone_at is None

    def test_a_photo_that_moved_away_takes_its_decisions_along(
        self, rita: User, here: Side, there: Side
    ) -> None:
        """From an event that rita keeps to one that she does not see."""
        take_everything(rita, there)
        here.photo.event = there.event
        here.photo.save(update_fields=["event"])
        client, script = signed_in(rita), script_of(rita)
        for path in ("/decisions/", "/label/", "/people/"):
            assert "Here Alice" not in client.get(path, follow=True).text
        assert "Here Alice" not in script.get("/api/v1/decisions/").content.decode()
        assert client.post(f"/decisions/{here.decision.key}/undo/").status_code == 404


class TestDesk:
    """Pages that were drawn while one labeled there, and sent after the role was taken."""

    @pytest.fixture
    def desk(self, rita: User, here: Side, there: Side) -> Desk:
        return fill_desk(there, user=rita, colleague=make_user("colleague"))

    def test_with_the_role_each_form_does_something(self, rita: User, there: Side, desk: Desk) -> None:
        client, idle, rows = signed_in(rita), [], watch_rows(there)
        for name, (path, fields) in FORMS.items():
            before = rows()
            with rolled_back():
                answer = client.post(filled(path, there, desk), filled(fields, there, desk))
                if name not in OF_NO_EVENT and (answer.status_code >= 400 or rows() == before):
                    idle.append((name, answer.status_code))
        # FaceVault named nothing because of that decision.
        assert idle == [("take back", 302)]

    @pytest.mark.parametrize("left", ["", "viewer", "uploader"])
    def test_no_form_that_was_open_does_anything(
        self, rita: User, there: Side, desk: Desk, left: str
    ) -> None:
        client, faults = signed_in(rita), []
        forms = {
            name: (filled(path, there, desk), filled(fields, there, desk))
            for name, (path, fields) in FORMS.items()
            if name not in OF_NO_EVENT
        }
        take_everything(rita, there)
        if left:
            EventGrant.objects.create(user=rita, event=there.event, role=left)
        words = [] if left else there.words
        rows = watch_rows(there)
        before = rows()
        for name, (path, fields) in forms.items():
            for headers in ({}, {"HX-Request": "true"}):
                with rolled_back():
                    answer = client.post(path, fields, headers=headers, follow=True)
                    said = [word for word in words if word in answer.text]
                    if said or answer.status_code >= 500 or rows() != before:
                        faults.append((name, answer.status_code, said))
        assert not faults

    @pytest.mark.parametrize("left", ["", "viewer"])
    def test_no_request_of_a_script_does_anything(
        self, rita: User, there: Side, desk: Desk, left: str
    ) -> None:
        script, faults = script_of(rita), []
        take_everything(rita, there)
        if left:
            EventGrant.objects.create(user=rita, event=there.event, role=left)
        rows = watch_rows(there)
        before = rows()
        for name, (method, path, body) in BODIES.items():
            with rolled_back():
                answer = script.generic(
                    method,
                    "/api/v1/" + filled(path, there, desk),
                    json.dumps(filled_body(body, there, desk)),
                    content_type="application/json",
                )
                if answer.status_code not in {403, 404} or rows() != before:
                    faults.append((name, answer.status_code))
        assert not faults

    def test_no_page_tells_of_it_any_more(self, rita: User, there: Side, desk: Desk) -> None:
        client = signed_in(rita)
        before = {name: client.get(filled(path, there, desk)) for name, path in PAGES.items()}
        assert {name: page.status_code for name, page in before.items() if page.status_code != 200} == {}
        take_everything(rita, there)
        told = []
        for name, path in PAGES.items():
            page = client.get(filled(path, there, desk), follow=True)
            told += [(name, word) for word in there.words if word in page.text]
        assert not told


class TestSessions:
    def test_a_session_that_somebody_planted_is_not_the_one_after_signing_in(self, rita: User) -> None:
        attacker = Client()
        attacker.get("/login/")
        session = attacker.session
        session["planted"] = True
        session.save()
        victim = Client()
        victim.cookies["sessionid"] = str(session.session_key)
        victim.post("/login/", {"username": "rita", "password": "correct horse battery"})
        assert victim.cookies["sessionid"].value != session.session_key
        attacker.cookies["sessionid"] = str(session.session_key)
        assert "/login/" in attacker.get("/").headers["Location"]

    def test_a_copied_session_ends_with_the_sign_out(self, rita: User) -> None:
        client = signed_in(rita)
        copied = client.cookies["sessionid"].value
        client.post("/logout/")
        thief = Client()
        thief.cookies["sessionid"] = copied
        assert "/login/" in thief.get("/").headers["Location"]

    def test_a_new_password_ends_the_other_sessions(self, rita: User) -> None:
        client, thief = signed_in(rita), signed_in(rita)
        new = "another horse battery"
        client.post(
            "/password/",
            {"old_password": "correct horse battery", "new_password1": new, "new_password2": new},
        )
        assert client.get("/").status_code == 200
        assert "/login/" in thief.get("/").headers["Location"]
