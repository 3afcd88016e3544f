"""The pages of exports: what they offer, what they send, and to whom."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from access.models import EventGrant
from access.roles import MANAGER, VIEWER
from recognition.exports import ExportScope, process_next_export, request_export
from recognition.models import Event, Export, Person
from recognition.storage import export_path
from tests.conftest import make_user, signed_in
from tests.factories import make_event, make_person
from tests.recognition.exports.making import MACHINE, add_photo, manager_of, name_face, read_zip

pytestmark = pytest.mark.django_db


@pytest.fixture
def ball(db: None) -> Event:
    return make_event("Bäll")


@pytest.fixture
def alice(ball: Event) -> Person:
    """On two photos of the ball: verified on one, named by the machine on the other."""
    alice = make_person("Alice")
    name_face(add_photo(ball, b"a" * 3000, name="a.jpg"), alice)
    name_face(add_photo(ball, b"b" * 3000, name="b.jpg"), alice, by=MACHINE)
    add_photo(ball, b"c" * 3000, name="c.jpg")
    return alice


def made_export(user: User, event: Event) -> Export:
    export = request_export(user=user, scope=ExportScope(event=event))
    process_next_export()
    export.refresh_from_db()
    return export


def test_the_page_says_what_each_choice_holds(as_manager: Client, ball: Event, alice: Person) -> None:
    page = as_manager.get(f"/people/{alice.pk}/export/").content.decode()
    assert "1 face · 1 photo" in page
    assert "2 faces, 1 of them by FaceVault alone · 2 photos" in page
    assert "nobody else's" in page
    assert "3 photos" in as_manager.get(f"/events/{ball.pk}/export/").content.decode()


def test_looking_changes_nothing(as_manager: Client, ball: Event, alice: Person) -> None:
    for address in (f"/events/{ball.pk}/export/", f"/people/{alice.pk}/export/", "/exports/"):
        assert as_manager.get(address).status_code == 200
    assert not Export.objects.exists()


def test_nothing_to_export_says_what_to_do(as_manager: Client) -> None:
    page = as_manager.get(f"/people/{make_person().pk}/export/").content.decode()
    assert "Name faces first" in page
    assert "Download ZIP" not in page


@pytest.mark.parametrize(("faces", "entries"), [("verified", ["a.jpg"]), ("all", ["a.jpg", "b.jpg"])])
def test_the_form_leads_to_the_zip(
    faces: str, entries: list[str], as_manager: Client, ball: Event, alice: Person
) -> None:
    response = as_manager.post(f"/people/{alice.pk}/export/", {"faces": faces, "kind": "zip"}, follow=True)
    assert response.headers["Content-Type"] == "application/zip"
    with read_zip(response.streaming_content) as archive:  # type: ignore[attr-defined]
        assert archive.namelist() == [*entries, "list.csv"]


def test_a_person_within_an_event_by_either_address(as_manager: Client, ball: Event, alice: Person) -> None:
    name_face(add_photo(make_event(), name="elsewhere.jpg"), alice)
    for address in (
        f"/events/{ball.pk}/export/photos.zip?person={alice.pk}",
        f"/people/{alice.pk}/export/photos.zip?event={ball.pk}",
    ):
        with read_zip(as_manager.get(address).streaming_content) as archive:  # type: ignore[attr-defined]
            assert archive.namelist() == ["a.jpg", "list.csv"]


def test_the_form_leads_to_the_list(as_manager: Client, ball: Event, alice: Person) -> None:
    response = as_manager.post(f"/events/{ball.pk}/export/", {"faces": "all", "kind": "csv"}, follow=True)
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    lines = response.getvalue().decode("utf-8-sig").splitlines()
    assert lines[0] == "photo,face_id,person,external id,similarity,decided by"
    assert [line.rsplit(",", 1)[1] for line in lines[1:]] == ["a person", "FaceVault"]


def test_a_download_is_kept_by_no_cache_and_has_a_name_that_all_read(
    as_manager: Client, ball: Event, alice: Person
) -> None:
    for address in ("photos.zip", "list.csv"):
        response = as_manager.get(f"/events/{ball.pk}/export/{address}")
        suffix = address[-3:]
        assert response.headers["Cache-Control"] == "no-store, private"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Disposition"] == (
            f"attachment; filename=\"B_ll.{suffix}\"; filename*=UTF-8''B%C3%A4ll.{suffix}"
        )
        assert response.getvalue()


def test_asking_for_the_headers_reads_no_photo(as_manager: Client, ball: Event, alice: Person) -> None:
    response = as_manager.head(f"/events/{ball.pk}/export/photos.zip")
    assert response.status_code == 200
    assert response.getvalue() == b""


def test_many_photos_are_left_to_the_worker(
    as_manager: Client, ball: Event, alice: Person, settings: LazySettings
) -> None:
    settings.FACEVAULT_EXPORT_DIRECT = 2
    response = as_manager.post(f"/events/{ball.pk}/export/", {"faces": "all", "names": "on", "kind": "zip"})
    export = Export.objects.get()
    assert (export.event, export.person, export.with_machine, export.with_names) == (ball, None, True, True)
    assert response.headers["Location"] == f"/exports/{export.export_id}/"
    direct = as_manager.get(f"/events/{ball.pk}/export/photos.zip", follow=True)
    assert "too many photos to send at once" in direct.content.decode()


def test_too_many_exports_are_refused_in_words(
    as_manager: Client, manager: User, settings: LazySettings
) -> None:
    settings.FACEVAULT_EXPORT_DIRECT = 0
    for _ in range(6):
        event = make_event()
        add_photo(event)
        response = as_manager.post(f"/events/{event.pk}/export/", {"kind": "zip"})
    assert response.status_code == 422
    assert "several exports already" in response.content.decode()


def test_the_card_asks_again_until_the_export_is_ready(
    as_manager: Client, manager: User, ball: Event, alice: Person
) -> None:
    export = request_export(user=manager, scope=ExportScope(event=ball))
    address, hx = f"/exports/{export.export_id}/", {"HX-Request": "true"}
    waiting = as_manager.get(address, headers=hx).content.decode()
    assert "every 2s" in waiting
    assert "<html" not in waiting
    process_next_export()
    ready = as_manager.get(address, headers=hx).content.decode()
    assert "every 2s" not in ready
    assert f"/exports/{export.export_id}/photos.zip" in ready
    assert "<html" in as_manager.get(address).content.decode()


def test_a_finished_export_is_downloaded(
    as_manager: Client, manager: User, ball: Event, alice: Person
) -> None:
    export = made_export(manager, ball)
    response = as_manager.get(f"/exports/{export.export_id}/photos.zip")
    assert response.headers["Cache-Control"] == "no-store, private"
    assert int(response.headers["Content-Length"]) == export.byte_size
    with read_zip(response.streaming_content) as archive:  # type: ignore[attr-defined]
        assert archive.namelist() == ["a.jpg", "b.jpg", "c.jpg", "list.csv"]


def test_an_export_is_deleted(as_manager: Client, manager: User, ball: Event, alice: Person) -> None:
    export = made_export(manager, ball)
    assert as_manager.get(f"/exports/{export.export_id}/delete/").status_code == 405
    response = as_manager.post(f"/exports/{export.export_id}/delete/", follow=True)
    assert response.redirect_chain == [("/exports/", 302)]
    assert "The export is deleted." in response.text
    assert "No exports" in response.text
    assert not Export.objects.exists()
    assert not export_path(export.export_id).exists()


def test_an_expired_export_is_gone(as_manager: Client, manager: User, ball: Event, alice: Person) -> None:
    export = made_export(manager, ball)
    Export.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert as_manager.get(f"/exports/{export.export_id}/photos.zip").status_code == 404


def test_anothers_export_is_not_there(as_manager: Client, ball: Event, alice: Person) -> None:
    export = made_export(make_user("mark", MANAGER), ball)
    for address in ("", "photos.zip"):
        assert as_manager.get(f"/exports/{export.export_id}/{address}").status_code == 404
    assert as_manager.post(f"/exports/{export.export_id}/delete/").status_code == 404
    assert Export.objects.exists()
    assert str(export.export_id) not in as_manager.get("/exports/").content.decode()


@pytest.mark.parametrize("address", ["", "photos.zip", "list.csv"])
def test_a_foreign_event_is_not_there_and_one_that_is_only_seen_is_refused(
    address: str, ball: Event, alice: Person
) -> None:
    mine = make_event()
    client = signed_in(anna := manager_of(mine))
    assert client.get(f"/events/{ball.pk}/export/{address}").status_code == 404
    assert client.get(f"/events/{mine.pk}/export/{address}?person={alice.pk}").status_code == 404
    assert client.get(f"/people/{alice.pk}/export/{address}").status_code == 404
    EventGrant.objects.create(user=anna, event=ball, role=VIEWER)
    assert client.get(f"/events/{ball.pk}/export/{address}").status_code == 403
    assert client.get(f"/people/{alice.pk}/export/{address}?event={ball.pk}").status_code == 403


def test_a_persons_export_holds_only_the_events_that_are_managed(ball: Event, alice: Person) -> None:
    other = make_event()
    name_face(add_photo(other, name="other.jpg"), alice)
    client = signed_in(anna := manager_of(ball))
    EventGrant.objects.create(user=anna, event=other, role=VIEWER)
    response = client.get(f"/people/{alice.pk}/export/photos.zip?faces=all")
    with read_zip(response.streaming_content) as archive:  # type: ignore[attr-defined]
        assert archive.namelist() == ["a.jpg", "b.jpg", "list.csv"]
    assert "other.jpg" not in client.get(f"/people/{alice.pk}/export/").content.decode()


def test_labelers_viewers_and_uploaders_export_nothing(ball: Event, alice: Person) -> None:
    for role in (VIEWER, "labeler", "uploader"):
        client = signed_in(make_user(role, role))
        assert client.get(f"/events/{ball.pk}/export/").status_code == 403
        assert client.post(f"/events/{ball.pk}/export/", {"kind": "zip"}).status_code == 403
        assert client.get(f"/people/{alice.pk}/export/photos.zip").status_code == 403
    assert not Export.objects.exists()


@pytest.mark.parametrize("query", ["person=x", "person=-1", "person=99999999999999999999", "person=999"])
def test_a_number_that_is_none_is_not_found(query: str, as_manager: Client, ball: Event) -> None:
    assert as_manager.get(f"/events/{ball.pk}/export/?{query}").status_code == 404


def test_a_choice_that_does_not_exist_is_refused(as_manager: Client, ball: Event, alice: Person) -> None:
    assert as_manager.post(f"/events/{ball.pk}/export/", {"faces": "some"}).status_code == 422
    assert as_manager.get(f"/events/{ball.pk}/export/photos.zip?faces=some").status_code == 400


def test_the_pages_take_the_same_number_of_queries_for_any_number(
    as_manager: Client, manager: User, ball: Event, alice: Person, django_assert_max_num_queries: object
) -> None:
    for number in range(30):
        photo = add_photo(ball, name=f"{number}.jpg")
        name_face(photo, alice, by=MACHINE if number % 2 else "human")
        request_export(user=make_user(f"user {number}"), scope=ExportScope(event=ball))
    for _ in range(4):
        event = make_event()
        request_export(user=manager, scope=ExportScope(event=event))
    for address, limit in ((f"/events/{ball.pk}/export/", 20), ("/exports/", 14)):
        with django_assert_max_num_queries(limit):  # type: ignore[operator]
            assert as_manager.get(address).status_code == 200


def test_a_person_at_several_events_is_offered_by_event(
    as_manager: Client, ball: Event, alice: Person
) -> None:
    address = f"/people/{alice.pk}/export/"
    assert "From which event" not in as_manager.get(address).content.decode()
    party, elsewhere = make_event("Party"), make_event("Elsewhere")
    name_face(add_photo(party), alice)
    name_face(add_photo(elsewhere), make_person())
    page = as_manager.get(address).content.decode()
    assert f"{address}?event={party.pk}" in page
    assert f"{address}?event={elsewhere.pk}" not in page


def test_the_events_of_others_are_not_offered(ball: Event, alice: Person) -> None:
    name_face(add_photo(make_event("Secret")), alice)
    name_face(add_photo(second := make_event("Party")), alice)
    page = signed_in(manager_of(ball, second)).get(f"/people/{alice.pk}/export/").content.decode()
    assert "Party" in page
    assert "Secret" not in page


def test_an_export_that_nobody_makes_asks_for_the_worker(
    as_manager: Client, manager: User, ball: Event, alice: Person
) -> None:
    export = request_export(user=manager, scope=ExportScope(event=ball))
    address = f"/exports/{export.export_id}/"
    assert "Is the worker running" not in as_manager.get(address).content.decode()
    Export.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    assert "Is the worker running" in as_manager.get(address).content.decode()
    assert "Is the worker running" in as_manager.get("/exports/").content.decode()


def test_an_event_and_a_person_lead_to_their_exports(as_manager: Client, ball: Event, alice: Person) -> None:
    assert f"/events/{ball.pk}/export/" in as_manager.get(f"/events/{ball.pk}/").content.decode()
    assert f"/people/{alice.pk}/export/" in as_manager.get(f"/people/{alice.pk}/").content.decode()


def test_those_who_manage_nothing_are_offered_no_export(ball: Event, alice: Person) -> None:
    client = signed_in(make_user("vera", VIEWER))
    assert "export" not in client.get(f"/events/{ball.pk}/").content.decode()
    assert "export" not in client.get(f"/people/{alice.pk}/").content.decode()
