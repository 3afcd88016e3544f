"""One person: every face of theirs that the visitor sees, by event and by who said so."""

import datetime

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from recognition.models import Face, Person, Photo, Sighting
from tests.factories import label_face, make_event, make_face, make_person, make_photo
from tests.recognition.views.conftest import viewer_of

pytestmark = pytest.mark.django_db


def test_faces_are_grouped_by_event_and_by_who_said_so(as_labeler: Client) -> None:
    alice = make_person("Alice")
    older, newer = make_event("Open Day"), make_event("Graduation")
    verified, guessed = make_face(make_photo(older)), make_face(make_photo(newer))
    label_face(verified, alice)
    Sighting.objects.create(
        face=guessed, person=alice, decided_by="machine", similarity=0.8123, seen_at=timezone.now()
    )
    response = as_labeler.get(f"/people/{alice.pk}/")
    page = response.content.decode()
    assert [group.event for group in response.context["groups"]] == [newer, older]
    assert [len(group.machine) for group in response.context["groups"]] == [1, 0]
    assert [len(group.references) for group in response.context["groups"]] == [0, 1]
    assert response.context["counts"] == {
        "photos": 2,
        "events": 2,
        "verified": 1,
        "references": 1,
        "machine": 1,
    }
    assert "0.81" in page
    for face in (verified, guessed):
        assert f'href="/photos/{face.photo_id}/"' in page
        assert f'href="/label/{face.face_id}/"' in page


def test_somebody_of_another_name_is_not_among_them(as_labeler: Client) -> None:
    alice, bob = make_person("Alice"), make_person("Bob")
    face = make_face()
    label_face(face, bob)
    page = as_labeler.get(f"/people/{alice.pk}/").content.decode()
    assert str(face.face_id) not in page
    assert "No face carries this name now." in page


def test_an_event_that_spans_pages_is_shown_on_both(as_labeler: Client) -> None:
    alice, event = make_person("Alice"), make_event()
    for _ in range(97):
        label_face(make_face(make_photo(event)), alice)
    second = as_labeler.get(f"/people/{alice.pk}/?page=2")
    assert [len(group.references) for group in second.context["groups"]] == [1]
    assert second.context["counts"]["verified"] == 97


def test_the_number_of_queries_does_not_grow_with_faces(
    as_labeler: Client,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    alice = make_person("Alice")
    for _ in range(20):
        label_face(make_face(), alice)
    with django_assert_max_num_queries(16):
        as_labeler.get(f"/people/{alice.pk}/")


def test_uploaders_see_nobody(as_uploader: Client) -> None:
    alice = make_person("Alice")
    assert as_uploader.get("/people/").status_code == 403
    assert as_uploader.get(f"/people/{alice.pk}/").status_code == 403


def test_an_unknown_person_is_not_found(as_labeler: Client) -> None:
    assert as_labeler.get("/people/999/").status_code == 404


def test_it_is_read_only(as_manager: Client) -> None:
    alice = make_person("Alice")
    assert as_manager.post(f"/people/{alice.pk}/").status_code == 405
    assert as_manager.post("/people/").status_code == 405


def one_of_each() -> tuple[Person, Face, Face, Face]:
    """Alice with a reference, another verified face and a guess of FaceVault's, all on one photo."""
    alice, photo = make_person("Alice"), make_photo()
    reference, plain, guessed = (make_face(photo) for _ in range(3))
    for face in (reference, plain):
        label_face(face, alice)
    Sighting.objects.filter(face=plain).update(is_reference=False)
    Sighting.objects.create(
        face=guessed, person=alice, decided_by="machine", similarity=0.8, seen_at=timezone.now()
    )
    return alice, reference, plain, guessed


def test_references_other_verified_faces_and_guesses_are_told_apart(as_labeler: Client) -> None:
    alice, *faces = one_of_each()
    [group] = as_labeler.get(f"/people/{alice.pk}/").context["groups"]
    shown = [
        [sighting.face for sighting in kind] for kind in (group.references, group.verified, group.machine)
    ]
    assert shown == [[face] for face in faces]


@pytest.mark.parametrize(
    ("show", "count"), [("", 3), ("references", 1), ("verified", 2), ("machine", 1), ("else", 3)]
)
def test_one_kind_alone_is_shown(as_labeler: Client, show: str, count: int) -> None:
    alice, *_ = one_of_each()
    page = as_labeler.get(f"/people/{alice.pk}/", {"show": show})
    assert page.context["page"].paginator.count == count
    assert page.context["counts"]["verified"] == 2


def test_a_person_without_references_is_said_to_be_unknown_to_the_machine(as_labeler: Client) -> None:
    alice, face = make_person("Alice"), make_face()
    label_face(face, alice)
    sentence = "No face of Alice is a reference"
    assert sentence not in as_labeler.get(f"/people/{alice.pk}/").content.decode()
    Sighting.objects.update(is_reference=False)
    assert sentence in as_labeler.get(f"/people/{alice.pk}/").content.decode()


def test_a_viewer_has_nothing_to_press() -> None:
    alice, face = make_person("Alice"), make_face()
    label_face(face, alice)
    page = viewer_of(face.photo.event).get(f"/people/{alice.pk}/").content.decode()
    main = page.split('<main id="main"')[1].split("</main>")[0]
    assert "<button" not in main
    assert "<input" not in main
    for part in ("/edit/", "/label/", "/delete/"):
        assert part not in main


def test_whoever_sees_one_event_sees_no_face_count_or_date_of_another() -> None:
    alice, mine, foreign = make_person("Alice"), make_event("Mine"), make_event("Foreign")
    for event, year, count in ((mine, 2024, 1), (foreign, 2026, 4)):
        for _ in range(count):
            face = make_face(make_photo(event))
            label_face(face, alice)
            Sighting.objects.filter(face=face).update(
                seen_at=datetime.datetime(year, 5, 1, tzinfo=datetime.UTC)
            )
    response = viewer_of(mine).get(f"/people/{alice.pk}/")
    assert response.context["counts"]["verified"] == 1
    assert response.context["timeline"] is None
    assert "Foreign" not in response.content.decode()
    assert "2026" not in response.content.decode()


def test_years_of_sightings_are_drawn_and_told(as_labeler: Client) -> None:
    alice = make_person("Alice")
    for year in (2024, 2026, 2026):
        face = make_face()
        label_face(face, alice)
        Sighting.objects.filter(face=face).update(seen_at=datetime.datetime(year, 5, 1, tzinfo=datetime.UTC))
    page = as_labeler.get(f"/people/{alice.pk}/").content.decode()
    assert "Faces by month, May 2024 to May 2026; most in May 2026 (2)" in page
    assert "May 2024: 1, May 2026: 2." in page


def test_photos_of_all_states_are_harmless(as_labeler: Client) -> None:
    alice = make_person("Alice")
    label_face(make_face(make_photo(state=Photo.State.FAILED)), alice)
    assert as_labeler.get(f"/people/{alice.pk}/").status_code == 200
