"""People: found by any beginning of any of their names, each with their faces."""

import datetime

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from recognition.models import Person, Photo, Sighting
from tests.factories import label_face, make_event, make_face, make_person, make_photo

pytestmark = pytest.mark.django_db
HX = {"HX-Request": "true"}


def names(client: Client, query: str) -> list[str]:
    return [person.name for person in client.get("/people/", {"q": query}).context["people"]]


def test_everybody_is_listed_by_name_whatever_the_accents(as_labeler: Client) -> None:
    for name in ("Zoë", "Élodie", "adam", "Bob"):
        make_person(name)
    assert names(as_labeler, "") == ["adam", "Bob", "Élodie", "Zoë"]


@pytest.mark.parametrize("query", ["zoe", "ØRST", "zoe ors", "beck", "s2026", " Zoë  "])
def test_a_person_is_found_by_name_alias_and_external_id(as_labeler: Client, query: str) -> None:
    Person.objects.create(name="Zoë Ørsted", aliases=["Becky"], external_id="s20261")
    make_person("Bob")
    assert names(as_labeler, query) == ["Zoë Ørsted"]


def test_nobody_of_that_name_is_told(as_labeler: Client) -> None:
    make_person("Bob")
    page = as_labeler.get("/people/", {"q": "<i>x"}).content.decode()
    assert "Nobody of this name" in page
    assert "<i>x" not in page


def test_each_card_says_how_often_and_when(as_labeler: Client) -> None:
    alice = make_person("Alice")
    photo = make_photo()
    first, second = make_face(photo), make_face(photo)
    third = make_face()
    for face, year in ((first, 2024), (second, 2024), (third, 2026)):
        label_face(face, alice)
        Sighting.objects.filter(face=face).update(seen_at=datetime.datetime(year, 5, 1, tzinfo=datetime.UTC))
    [person] = as_labeler.get("/people/").context["people"]
    assert person.visit_count == 2
    assert (person.first_seen.year, person.last_seen.year) == (2024, 2026)
    assert "May 2024 to 1 May 2026" in as_labeler.get("/people/").content.decode()


def test_the_cover_is_the_largest_verified_face(as_labeler: Client) -> None:
    alice = make_person("Alice")
    small, large, guessed = make_face(), make_face(), make_face()
    for face, size in ((small, 50), (large, 90), (guessed, 200)):
        face.size = size
        face.save(update_fields=["size"])
    label_face(small, alice)
    label_face(large, alice)
    Sighting.objects.create(
        face=guessed, person=alice, decided_by="machine", similarity=0.8, seen_at=timezone.now()
    )
    page = as_labeler.get("/people/").content.decode()
    assert f"/faces/{large.face_id}/crop.jpg" in page
    assert f"/faces/{guessed.face_id}/crop.jpg" not in page


def test_there_are_pages_that_keep_the_search(as_labeler: Client) -> None:
    for number in range(50):
        make_person(f"Alice {number}")
    response = as_labeler.get("/people/", {"q": "ali"})
    assert len(response.context["people"]) == 48
    assert "?q=ali&amp;page=2" in response.content.decode()
    assert len(as_labeler.get("/people/", {"q": "ali", "page": "2"}).context["people"]) == 2


def test_the_number_of_queries_does_not_grow_with_people(
    as_labeler: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(20):
        label_face(make_face(), make_person())
    with django_assert_max_num_queries(12):
        as_labeler.get("/people/")


def test_the_fragment_is_the_results_alone(as_labeler: Client) -> None:
    make_person("Alice")
    part = as_labeler.get("/people/", {"q": "ali"}, headers=HX)
    assert part.content.decode().strip().startswith('<section id="people-results"')
    assert "<html" not in part.content.decode()
    assert "HX-Request" in part.headers["Vary"]


def test_a_vault_without_people_leads_to_the_desk(as_labeler: Client) -> None:
    assert "Nobody is named yet" in as_labeler.get("/people/").content.decode()


@pytest.mark.parametrize("query", ["\x00", "x" * 300, "%", "_", "'; drop table"])
def test_odd_queries_do_no_harm(as_labeler: Client, query: str) -> None:
    make_person("Bob")
    assert as_labeler.get("/people/", {"q": query}).status_code == 200


class TestPerson:
    def test_faces_are_grouped_by_event_and_by_who_said_so(self, as_labeler: Client) -> None:
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
        assert [len(group.verified) for group in response.context["groups"]] == [0, 1]
        assert response.context["counts"] == {"photos": 2, "events": 2, "verified": 1, "machine": 1}
        assert "0.81" in page
        for face in (verified, guessed):
            assert f'href="/photos/{face.photo_id}/"' in page
            assert f'href="/label/{face.face_id}/"' in page

    def test_somebody_of_another_name_is_not_among_them(self, as_labeler: Client) -> None:
        alice, bob = make_person("Alice"), make_person("Bob")
        face = make_face()
        label_face(face, bob)
        page = as_labeler.get(f"/people/{alice.pk}/").content.decode()
        assert str(face.face_id) not in page
        assert "No face carries this name now." in page

    def test_an_event_that_spans_pages_is_shown_on_both(self, as_labeler: Client) -> None:
        alice, event = make_person("Alice"), make_event()
        for _ in range(97):
            label_face(make_face(make_photo(event)), alice)
        second = as_labeler.get(f"/people/{alice.pk}/?page=2")
        assert [len(group.verified) for group in second.context["groups"]] == [1]
        assert second.context["counts"]["verified"] == 97

    def test_the_number_of_queries_does_not_grow_with_faces(
        self,
        as_labeler: Client,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        alice = make_person("Alice")
        for _ in range(20):
            label_face(make_face(), alice)
        with django_assert_max_num_queries(13):
            as_labeler.get(f"/people/{alice.pk}/")

    def test_uploaders_see_nobody(self, as_uploader: Client) -> None:
        alice = make_person("Alice")
        assert as_uploader.get("/people/").status_code == 403
        assert as_uploader.get(f"/people/{alice.pk}/").status_code == 403

    def test_an_unknown_person_is_not_found(self, as_labeler: Client) -> None:
        assert as_labeler.get("/people/999/").status_code == 404

    def test_it_is_read_only(self, as_manager: Client) -> None:
        alice = make_person("Alice")
        assert as_manager.post(f"/people/{alice.pk}/").status_code == 405
        assert as_manager.post("/people/").status_code == 405


def test_photos_of_all_states_are_harmless(as_labeler: Client) -> None:
    alice = make_person("Alice")
    label_face(make_face(make_photo(state=Photo.State.FAILED)), alice)
    assert as_labeler.get(f"/people/{alice.pk}/").status_code == 200
