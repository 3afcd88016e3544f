"""People: found by any beginning of any of their names, each with their faces."""

import datetime

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from recognition.models import Person, Sighting
from tests.conftest import count_queries
from tests.factories import label_face, make_event, make_face, make_person, make_photo
from tests.recognition.views.conftest import viewer_of

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


class TestOrder:
    @pytest.fixture
    def seen(self) -> dict[str, Person]:
        """Anna twice long ago, Zoe once lately, Nobody never."""
        people = {name: make_person(name) for name in ("Anna", "Zoe", "Nobody")}
        for name, year in (("Anna", 2020), ("Anna", 2021), ("Zoe", 2026)):
            face = make_face()
            label_face(face, people[name])
            Sighting.objects.filter(face=face).update(
                seen_at=datetime.datetime(year, 5, 1, tzinfo=datetime.UTC)
            )
        return people

    @pytest.mark.parametrize(
        ("sort", "expected"),
        [
            ("name", ["Anna", "Nobody", "Zoe"]),
            ("seen", ["Zoe", "Anna", "Nobody"]),
            ("faces", ["Anna", "Zoe", "Nobody"]),
            ("height", ["Anna", "Nobody", "Zoe"]),
        ],
    )
    def test_the_list_is_sorted(
        self, seen: dict[str, Person], as_labeler: Client, sort: str, expected: list[str]
    ) -> None:
        response = as_labeler.get("/people/", {"sort": sort})
        assert [person.name for person in response.context["people"]] == expected

    @pytest.mark.parametrize(("sort", "expected"), [("seen", ["Anna", "Zoe"]), ("faces", ["Zoe", "Anna"])])
    def test_faces_of_other_events_give_no_order(self, sort: str, expected: list[str]) -> None:
        mine, foreign = make_event(), make_event()
        anna, zoe = make_person("Anna"), make_person("Zoe")
        for person, event, year, count in (
            (anna, mine, 2026, 1),
            (anna, foreign, 2020, 5),
            (zoe, mine, 2024, 2),
            (zoe, foreign, 2027, 1),
        ):
            for _ in range(count):
                face = make_face(make_photo(event))
                label_face(face, person)
                Sighting.objects.filter(face=face).update(
                    seen_at=datetime.datetime(year, 5, 1, tzinfo=datetime.UTC)
                )
        make_person("Nobody")
        viewer = viewer_of(mine)
        response = viewer.get("/people/", {"sort": sort})
        assert [person.name for person in response.context["people"]] == expected
        assert [person.name for person in viewer.get("/people/?sort=faces&q=zo").context["people"]] == ["Zoe"]

    def test_the_search_keeps_the_order_and_the_order_the_search(
        self, seen: dict[str, Person], as_labeler: Client
    ) -> None:
        page = as_labeler.get("/people/", {"q": "a", "sort": "seen"}).content.decode()
        assert '<input type="hidden" name="sort" value="seen">' in page
        assert 'href="?q=a&amp;sort=faces"' in page
        assert 'href="?q=a"' in page

    @pytest.mark.parametrize("sort", ["name", "seen", "faces"])
    @pytest.mark.parametrize("everything", [True, False])
    def test_the_order_costs_no_query_a_person(
        self, as_labeler: Client, *, sort: str, everything: bool
    ) -> None:
        event = make_event()
        client = as_labeler if everything else viewer_of(event)

        def count(people: int) -> int:
            for _ in range(people):
                label_face(make_face(make_photo(event)), make_person())
            return count_queries(client, f"/people/?sort={sort}")

        assert count(3) == count(20)


class TestWithoutFaces:
    def test_those_left_without_a_face_are_found(self, as_labeler: Client) -> None:
        make_person("Left Over")
        label_face(make_face(), make_person("Alice"))
        assert "1 without faces" in as_labeler.get("/people/").content.decode()
        response = as_labeler.get("/people/?faces=none")
        assert [person.name for person in response.context["people"]] == ["Left Over"]

    def test_where_all_have_one_it_says_so(self, as_labeler: Client) -> None:
        label_face(make_face(), make_person("Alice"))
        assert "without faces" not in as_labeler.get("/people/").content.decode()
        assert "Nobody is without a face" in as_labeler.get("/people/?faces=none").content.decode()

    @pytest.mark.parametrize("sort", ["name", "faces"])
    def test_whoever_sees_some_events_learns_of_none_of_them(self, sort: str) -> None:
        make_person("Left Over")
        event = make_event()
        label_face(make_face(make_photo(event)), make_person("Alice"))
        response = viewer_of(event).get("/people/", {"faces": "none", "sort": sort})
        assert list(response.context["people"]) == []
        assert "Left Over" not in response.content.decode()


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
    with django_assert_max_num_queries(14):
        as_labeler.get("/people/")


def test_the_fragment_is_the_results_alone(as_labeler: Client) -> None:
    make_person("Alice")
    part = as_labeler.get("/people/", {"q": "ali"}, headers=HX)
    assert part.content.decode().strip().startswith('<section id="people-results"')
    assert "<html" not in part.content.decode()
    assert "HX-Request" in part.headers["Vary"]


def test_a_vault_without_people_leads_to_the_desk(as_labeler: Client) -> None:
    page = as_labeler.get("/people/").text.split("<main")[1]
    assert "Nobody is named yet" in page
    assert 'href="/label/"' in page


def test_but_not_somebody_whom_the_desk_refuses() -> None:
    page = viewer_of(make_event()).get("/people/").text
    assert "Nobody is named yet" in page
    assert "/label/" not in page


@pytest.mark.parametrize("query", ["\x00", "x" * 300, "%", "_", "'; drop table"])
def test_odd_queries_do_no_harm(as_labeler: Client, query: str) -> None:
    make_person("Bob")
    assert as_labeler.get("/people/", {"q": query}).status_code == 200
