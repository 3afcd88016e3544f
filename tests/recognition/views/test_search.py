"""The pages of a search by photo: who may, what they show, and that a picture is only its owner's."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponseBase
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from access.models import EventGrant
from access.roles import VIEWER
from recognition.models import Photo, Probe
from recognition.probes import process_next_probe
from tests.conftest import make_user, signed_in
from tests.factories import make_event, vector_near
from tests.fakes import COLORS, draw_photo, vector_of
from tests.recognition.test_probes import expire, know

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("drawn_faces")]
HTMX = {"HX-Request": "true"}


def send(client: Client, *colors: str, **options: object) -> HttpResponseBase:
    picture = SimpleUploadedFile("Alice at the bar.png", draw_photo(*colors))
    return client.post("/search/", {"picture": picture}, **options)  # type: ignore[arg-type]


def searched(client: Client, *colors: str) -> str:
    """The address of a search that a worker has done."""
    response = send(client, *colors)
    assert response.status_code == 302
    assert process_next_probe() is not None
    return response.headers["Location"]


def pictures(page: str) -> list[str]:
    return list(re.findall(r'src="(/[^"]+\.jpg)"', page))


def test_a_picture_leads_to_a_page_that_asks_again_until_it_is_done(as_labeler: Client) -> None:
    response = send(as_labeler, "red")
    probe = Probe.objects.get()
    address = f"/search/{probe.probe_id}/"
    assert (response.status_code, response.headers["Location"]) == (302, address)
    waiting = as_labeler.get(address).content.decode()
    assert f'hx-get="{address}" hx-trigger="every 1s"' in waiting
    assert '<noscript><meta http-equiv="refresh"' in waiting
    process_next_probe()
    done = as_labeler.get(address).content.decode()
    assert "hx-trigger" not in done.split('id="result"')[1]
    assert "http-equiv" not in done
    assert "Nobody known looks like this" in done


def test_htmx_is_sent_there_and_gets_the_fragment_alone(as_labeler: Client) -> None:
    response = send(as_labeler, "red", headers=HTMX)
    address = f"/search/{Probe.objects.get().probe_id}/"
    assert response.headers["HX-Redirect"] == address
    fragment = as_labeler.get(address, headers=HTMX)
    assert "HX-Request" in fragment.headers["Vary"]
    assert fragment.content.decode().strip().startswith('<div id="result"')


def test_a_face_shows_who_it_is_and_their_photos(as_labeler: Client) -> None:
    alice = know("Alice", vector_of("red"), vector_of("red"))
    page = as_labeler.get(searched(as_labeler, "red", "cyan")).content.decode()
    assert re.search(rf'Looks like <a href="/people/{alice.pk}/">Alice</a>', page)
    assert "All photos of Alice" in page
    assert "2 photos" in page
    assert page.count("Nobody known looks like this") == 1
    assert page.count('class="probe-mark"') == 2
    for photo in Photo.objects.all():
        assert f'href="/photos/{photo.pk}/"' in page
        assert f'src="/photos/{photo.pk}/thumb.jpg"' in page
    for sighting in alice.sightings.select_related("face"):
        assert f'src="/faces/{sighting.face.face_id}/crop.jpg"' in page


def test_a_close_call_names_both(as_labeler: Client) -> None:
    alice = know("Alice", vector_near(vector_of("red"), 0.9, seed=1))
    bob = know("Bob", vector_near(vector_of("red"), 0.88, seed=2))
    page = as_labeler.get(searched(as_labeler, "red")).content.decode()
    both = rf'May be <a href="/people/{alice.pk}/">Alice</a> or <a href="/people/{bob.pk}/">Bob</a>'
    assert re.search(both, page)
    assert "Looks like" not in page


def test_a_picture_without_faces_says_what_to_do(as_labeler: Client) -> None:
    page = as_labeler.get(searched(as_labeler)).content.decode()
    assert "No face found" in page
    assert "Search with another picture" in page


def test_a_viewer_of_one_event_gets_nothing_from_another(outsider: User) -> None:
    mine, foreign = make_event("Mine"), make_event("Foreign")
    EventGrant.objects.create(user=outsider, event=mine, role=VIEWER)
    know("Mallory", vector_of("red"), event=foreign)
    alice = know("Alice", vector_of("green"), vector_of("green"), event=mine)
    know("Zoe", vector_of("green"), event=foreign)
    client = signed_in(outsider)
    page = client.get(searched(client, "red", "green")).content.decode()
    assert "Mallory" not in page
    assert "Zoe" not in page
    assert "Alice" in page
    photos = Photo.objects.filter(event=foreign)
    crops = [face.face_id for photo in photos for face in photo.faces.all()]
    assert not [photo for photo in photos if f"/photos/{photo.pk}/" in page]
    assert not [crop for crop in crops if str(crop) in page]
    assert page.count(f"/people/{alice.pk}/") == 2


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "empty"), (b"words" * 99, "not a"), (draw_photo("red")[:-99], "cut short")],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_what_is_no_picture_is_told_in_a_sentence(
    data: bytes, words: str, headers: dict[str, str], as_labeler: Client
) -> None:
    response = as_labeler.post("/search/", {"picture": SimpleUploadedFile("a.png", data)}, headers=headers)
    assert response.status_code == 422
    page = response.content.decode()
    assert words in page
    assert page.strip().startswith('<form id="search-form"') is bool(headers)
    assert not Probe.objects.exists()


def test_a_form_without_a_picture_asks_for_one(as_labeler: Client) -> None:
    response = as_labeler.post("/search/")
    assert response.status_code == 422
    assert "Choose a picture first." in response.content.decode()


def test_a_failed_search_says_why(as_labeler: Client) -> None:
    address = searched(as_labeler, "red")
    Probe.objects.update(
        state="failed", failure_code="processing_error", failure_reason="It broke. Search again."
    )
    page = as_labeler.get(address).content.decode()
    assert "It broke. Search again." in page
    assert "every 1s" not in page


def test_a_search_that_nobody_takes_asks_for_the_worker(as_labeler: Client) -> None:
    address = send(as_labeler, "red").headers["Location"]
    assert "Is the worker running?" not in as_labeler.get(address).content.decode()
    Probe.objects.update(created_at=timezone.now() - timedelta(seconds=40))
    assert "Is the worker running?" in as_labeler.get(address).content.decode()


def test_its_pictures_are_kept_by_nobody(as_labeler: Client) -> None:
    page = as_labeler.get(searched(as_labeler, "red", "blue")).content.decode()
    own = [path for path in pictures(page) if path.startswith("/search/")]
    assert len(own) == 3
    for path in own:
        response = as_labeler.get(path)
        assert response.status_code == 200
        assert response.getvalue()[:3] == b"\xff\xd8\xff"
        assert response.headers["Cache-Control"] == "no-store, private"
        assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert response.headers["Content-Type"] == "image/jpeg"


def test_the_file_name_is_nowhere(as_labeler: Client, caplog: pytest.LogCaptureFixture) -> None:
    address = searched(as_labeler, "red")
    assert "at the bar" not in as_labeler.get(address).content.decode()
    assert "at the bar" not in caplog.text


def test_a_search_is_its_users_alone(as_labeler: Client, manager: User) -> None:
    address = searched(as_labeler, "red")
    administrator = User.objects.create_superuser("root")
    paths = [address, f"{address}preview.jpg", f"{address}faces/1/crop.jpg"]
    for other in (manager, administrator, make_user("vera", VIEWER)):
        client = signed_in(other)
        assert [client.get(path).status_code for path in paths] == [404, 404, 404]
        assert client.post(f"{address}delete/").status_code == 404
        assert address not in client.get("/search/").content.decode()
    assert Probe.objects.exists()


def test_uploaders_and_people_without_a_role_may_not_search(
    as_labeler: Client, as_uploader: Client, as_outsider: Client
) -> None:
    address = searched(as_labeler, "red")
    paths = ["/search/", address, f"{address}preview.jpg", f"{address}faces/1/crop.jpg"]
    for client in (as_uploader, as_outsider):
        assert [client.get(path).status_code for path in paths] == [403] * 4
        assert client.post(f"{address}delete/").status_code == 403
        assert send(client, "red").status_code == 403
    assert Probe.objects.count() == 1


def test_delete_now(as_labeler: Client) -> None:
    address = searched(as_labeler, "red")
    assert as_labeler.get(f"{address}delete/").status_code == 405
    response = as_labeler.post(f"{address}delete/", follow=True)
    assert response.redirect_chain == [("/search/", 302)]
    assert "The search is deleted" in response.content.decode()
    assert not Probe.objects.exists()
    assert as_labeler.get(address).status_code == 404


def test_what_is_over_is_not_found(as_labeler: Client) -> None:
    address = searched(as_labeler, "red")
    expire(Probe.objects.get())
    for path in (address, f"{address}preview.jpg", f"{address}faces/1/crop.jpg"):
        assert as_labeler.get(path).status_code == 404
    assert address not in as_labeler.get("/search/").content.decode()


def test_unknown_searches_and_faces_are_not_found(as_labeler: Client) -> None:
    address = searched(as_labeler, "red")
    assert as_labeler.get(f"{address}faces/2/crop.jpg").status_code == 404
    assert as_labeler.get(f"/search/{uuid.uuid4()}/").status_code == 404


def test_ones_own_searches_are_listed_the_newest_first(as_labeler: Client) -> None:
    addresses = [searched(as_labeler, "red"), searched(as_labeler, "red", "blue")]
    page = as_labeler.get("/search/").content.decode()
    assert re.findall(r'href="(/search/[0-9a-f-]{36}/)"', page) == addresses[::-1]
    assert "2 faces" in page


def test_a_page_with_many_faces_takes_as_many_queries_as_one(
    as_labeler: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for color in COLORS:
        know(color, *[vector_of(color)] * 3)
    address = searched(as_labeler, *COLORS)
    as_labeler.get(address)
    with django_assert_max_num_queries(26):
        as_labeler.get(address)


def test_the_rail_leads_there_for_those_who_may(as_labeler: Client, as_uploader: Client) -> None:
    assert 'href="/search/"' in as_labeler.get("/").content.decode()
    assert 'href="/search/"' not in as_uploader.get("/").content.decode()
