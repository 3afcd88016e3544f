"""The admin shows no biometrics, and changes nothing that the desk keeps in step."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labeling.decisions import label_face
from labeling.models import Decision
from recognition.models import Embedding, Event, Face, Person, Sighting
from recognition.vectors import encode_vector
from tests.conftest import signed_in
from tests.labeling.conftest import SOMEBODY

READ_ONLY = [
    *("photo", "face", "embedding", "sighting", "unlabeledface"),
    *("activeembedder", "gallerystate", "gallerychange"),
]


@pytest.fixture
def admin_client(db: None) -> Client:
    return signed_in(User.objects.create_superuser("root", password="correct horse battery"))


@pytest.fixture
def named(face: Face, labeler: User) -> Decision:
    return label_face(face=face, actor=labeler, name="Alice")


@pytest.mark.parametrize("model", [*READ_ONLY, "event", "person"])
def test_lists_open_without_bulk_actions(model: str, named: Decision, admin_client: Client) -> None:
    page = admin_client.get(f"/admin/recognition/{model}/")
    assert page.status_code == 200
    assert 'name="action"' not in page.text
    assert admin_client.get(f"/admin/recognition/{model}/?q=ali").status_code in {200, 302}


@pytest.mark.parametrize("model", READ_ONLY)
def test_nothing_of_these_is_added(model: str, admin_client: Client) -> None:
    assert admin_client.get(f"/admin/recognition/{model}/add/").status_code == 403


def test_a_vector_is_never_shown(named: Decision, admin_client: Client) -> None:
    embedding = Embedding.objects.get(face=named.face)
    page = admin_client.get(f"/admin/recognition/embedding/{embedding.pk}/change/")
    assert page.status_code == 200
    assert "vector" not in page.text
    assert str(encode_vector(SOMEBODY)[:8])[2:-1] not in page.text


def test_biometrics_and_decisions_are_neither_changed_nor_deleted(
    named: Decision, admin_client: Client
) -> None:
    for address in (
        f"recognition/face/{named.face_id}",
        f"recognition/sighting/{Sighting.objects.get().pk}",
        f"labeling/decision/{named.pk}",
    ):
        assert admin_client.get(f"/admin/{address}/change/").status_code == 200
        assert admin_client.post(f"/admin/{address}/change/", {}).status_code == 403
        assert admin_client.post(f"/admin/{address}/delete/", {"post": "yes"}).status_code == 403
    assert "landmarks" not in admin_client.get(f"/admin/recognition/face/{named.face_id}/change/").text


def test_a_name_is_put_right_and_found_by_the_new_one(named: Decision, admin_client: Client) -> None:
    person = Person.objects.get()
    admin_client.post(
        f"/admin/recognition/person/{person.pk}/change/", {"name": "Zoë", "aliases": "", "external_id": ""}
    )
    assert list(Person.objects.matching("zoe")) == [person]
    assert (
        admin_client.post(f"/admin/recognition/person/{person.pk}/delete/", {"post": "yes"}).status_code
        == 403
    )


def change(client: Client, person: Person, **values: str) -> str:
    data = {"name": "Alice", "aliases": "", "external_id": "", **values}
    return client.post(f"/admin/recognition/person/{person.pk}/change/", data, follow=True).text


def test_aliases_are_one_name_per_line(named: Decision, admin_client: Client) -> None:
    person = Person.objects.get()
    change(admin_client, person, aliases=" Ali  B. \r\n\r\nBob\u202e\nBob\n")
    person.refresh_from_db()
    assert person.aliases == ["Ali B.", "Bob"]
    assert list(Person.objects.matching("bob")) == [person]
    page = admin_client.get(f"/admin/recognition/person/{person.pk}/change/").text
    assert "Ali B.\nBob</textarea>" in page


@pytest.mark.parametrize("text", ["[1]", "null", '"bob"', "{}", "\u202e"])
def test_aliases_are_only_ever_stored_as_a_list_of_names(
    text: str, named: Decision, admin_client: Client
) -> None:
    change(admin_client, Person.objects.get(), aliases=text)
    assert Person.objects.get().aliases == ([] if text == "\u202e" else [text])


@pytest.mark.parametrize("values", [{"name": "\u202e"}, {"aliases": "x" * 121}, {"aliases": "a\0b"}])
def test_a_name_that_cannot_be_stored_is_said_so(
    values: dict[str, str], named: Decision, admin_client: Client
) -> None:
    assert "errornote" in change(admin_client, Person.objects.get(), **values)
    assert (Person.objects.get().name, Person.objects.get().aliases) == ("Alice", [])


def test_a_name_is_cleaned_as_at_the_desk(named: Decision, admin_client: Client) -> None:
    change(admin_client, Person.objects.get(), name="Zoe\u0308  Berg\u202e")
    assert Person.objects.get().name == "Zo\u00eb Berg"


def test_the_search_for_people_folds_names_as_the_desk_does(named: Decision, admin_client: Client) -> None:
    change(admin_client, Person.objects.get(), name="Anne-Marie O'Brien")
    for typed in ("marie", "Anne-Marie", "obrien"):
        assert "O&#x27;Brien" in admin_client.get("/admin/recognition/person/", {"q": typed}).text
    assert "O&#x27;Brien" not in admin_client.get("/admin/recognition/person/", {"q": "bert"}).text


def test_an_event_keeps_its_creator(admin_client: Client) -> None:
    event = Event.objects.create(name="Open day")
    admin_client.post(f"/admin/recognition/event/{event.pk}/change/", {"name": "Open day 2026", "place": ""})
    assert Event.objects.get().name == "Open day 2026"
