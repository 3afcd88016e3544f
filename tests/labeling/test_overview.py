"""The overview: what waits, what is being processed, how far each event is; and the way in for a new installation."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from labeling.models import Decision
from recognition.models import Photo, Sighting, UnlabeledFace
from tests.conftest import count_queries
from tests.factories import label_face, make_event, make_face, make_person, make_photo, make_unlabeled

pytestmark = pytest.mark.django_db
HX = {"HX-Request": "true"}


def test_a_new_installation_is_led_to_its_first_event(as_manager: Client) -> None:
    page = as_manager.get("/").content.decode()
    assert "Three steps to the first names" in page
    assert 'href="/events/#new-event">Create an event' in page


def test_the_second_step_is_the_upload(as_manager: Client) -> None:
    event = make_event()
    assert f'href="/events/{event.pk}/upload/">Upload photos' in as_manager.get("/").content.decode()


def test_the_third_step_is_the_desk(as_manager: Client) -> None:
    make_unlabeled()
    assert 'href="/label/">Name the first face' in as_manager.get("/").content.decode()


def test_the_steps_are_gone_once_a_face_has_a_name(as_manager: Client) -> None:
    label_face(make_face(), make_person())
    assert "Three steps" not in as_manager.get("/").content.decode()


def test_it_counts_what_waits_and_who_named_the_rest(as_manager: Client) -> None:
    event = make_event("Graduation")
    photo = make_photo(event)
    person = make_person()
    label_face(make_face(photo), person)
    face = make_face(photo)
    Sighting.objects.create(
        face=face, person=person, decided_by="machine", similarity=0.8, seen_at=photo.taken_at
    )
    make_unlabeled(photo=photo)
    UnlabeledFace.objects.create(face=make_face(photo), reviewed=True, verdict="stranger")
    context = as_manager.get("/").context
    faces = context["faces"]
    assert (faces.total, faces.open, faces.by_human, faces.by_machine, faces.percent) == (4, 1, 1, 1, 75)
    [(shown, progress)] = context["rows"]
    assert shown == event
    assert (progress.faces.total, progress.faces.open) == (4, 1)


def test_photos_being_processed_are_polled_until_they_are_through(as_manager: Client) -> None:
    photo = make_photo(state=Photo.State.QUEUED)
    fragment = as_manager.get("/", headers=HX)
    assert 'hx-trigger="every 5s"' in fragment.content.decode()
    Photo.objects.filter(pk=photo.pk).update(state=Photo.State.DONE)
    assert "hx-trigger" not in as_manager.get("/", headers=HX).content.decode()


def test_a_worker_that_does_not_run_is_asked_for(as_manager: Client) -> None:
    photo = make_photo(state=Photo.State.QUEUED)
    assert "Is the worker running?" not in as_manager.get("/").content.decode()
    Photo.objects.filter(pk=photo.pk).update(uploaded_at=timezone.now() - timedelta(seconds=61))
    for headers in ({}, HX):
        assert "Nothing is being processed. Is the worker running?" in (
            as_manager.get("/", headers=headers).content.decode()
        )


def test_steps_that_are_done_look_like_steps(as_manager: Client) -> None:
    # `.done` is the desk's: right-aligned, beside its progress.
    make_unlabeled()
    page = as_manager.get("/").content.decode()
    assert page.count('<li class="finished"') == 2
    assert 'class="done"' not in page


def test_the_fragment_is_the_part_alone(as_manager: Client) -> None:
    make_photo()
    whole, part = as_manager.get("/"), as_manager.get("/", headers=HX)
    assert "<html" in whole.content.decode()
    assert part.content.decode().strip().startswith('<section id="processing"')
    for response in (whole, part):
        assert "HX-Request" in response.headers["Vary"]


@pytest.mark.parametrize("header", ["HX-Boosted", "HX-History-Restore-Request"])
def test_a_boosted_link_and_the_back_button_get_the_page(as_manager: Client, header: str) -> None:
    assert "<html" in as_manager.get("/", headers={**HX, header: "true"}).content.decode()


def test_failed_photos_are_shown_with_their_reason(as_manager: Client) -> None:
    photo = make_photo(state=Photo.State.FAILED)
    Photo.objects.filter(pk=photo.pk).update(failure_reason="The file is cut short.")
    page = as_manager.get("/").content.decode()
    assert photo.name in page
    assert "The file is cut short." in page


def test_an_uploader_sees_their_own_photos_and_no_people(as_uploader: Client, uploader: User) -> None:
    make_unlabeled()
    mine = make_photo()
    Photo.objects.filter(pk=mine.pk).update(uploaded_by=uploader)
    response = as_uploader.get("/")
    page = response.content.decode()
    assert response.context["photos"].total == 1
    assert response.context["faces"].total == 0
    assert "Waiting for a name" not in page
    assert 'href="/people/"' not in page
    assert 'href="/label/"' not in page


def test_without_a_role_there_is_a_friendly_word_and_nothing_else(as_outsider: Client) -> None:
    make_event("Graduation")
    page = as_outsider.get("/").content.decode()
    assert "no role yet" in page
    assert "Graduation" not in page


def test_the_number_of_queries_does_not_grow_with_events_and_decisions(as_manager: Client) -> None:
    # The first page of a process builds the index.
    as_manager.get("/")
    counts = []
    for more in (2, 18):
        for _ in range(more):
            face = make_unlabeled().face
            label_face(face, make_person())
            Decision.objects.create(kind="label", face=face)
            make_photo(state=Photo.State.FAILED)
        counts.append(count_queries(as_manager, "/"))
    assert counts[0] == counts[1] <= 36


def test_it_is_read_only(as_manager: Client) -> None:
    assert as_manager.post("/").status_code == 405
