"""The page that asks: one drawn name at a time, by keys or without any script."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labeling.checks import checks_to_ask, next_check
from labeling.decisions import label_face, record_verdict
from labeling.models import Decision, NameCheck, Rejection
from labeling.team.leases import take_lease
from recognition.models import Event, Face, Person, Sighting, UnlabeledFace
from tests.conftest import count_queries, make_local, make_user, signed_in
from tests.factories import (
    activate_embedder,
    make_event,
    make_person,
    make_photo,
    make_reference,
    unit_vectors,
)
from tests.labeling.checks.names import check_of, days_ago, name_face

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(db: None) -> Event:
    activate_embedder()
    return make_event("Graduation")


@pytest.fixture
def alice(event: Event) -> Person:
    return make_person("Alice")


@pytest.fixture
def face(alice: Person, event: Event) -> Face:
    return name_face(alice, event=event, place=0)


def send(client: Client, face: Face, answer: str, **more: object) -> object:
    form = {"answer": answer, "key": uuid4(), "version": face.version, **more}
    return client.post(f"/quality/checks/{check_of(face).pk}/answer/", form)


def test_the_page_asks_for_the_name_and_shows_the_person(
    face: Face, alice: Person, event: Event, as_labeler: Client
) -> None:
    reference = make_reference(alice, unit_vectors(1)[0], photo=make_photo(event))
    page = as_labeler.get("/quality/checks/").text
    assert "Is this Alice?" in page
    assert f"/{reference.face_id}" in page
    assert f"/{face.face_id}" in page
    assert "1 to check" in page
    # It would tell what to answer.
    assert "0.90" not in page


def test_yes_verifies_the_name_and_asks_the_next(
    face: Face, alice: Person, event: Event, as_labeler: Client
) -> None:
    other = name_face(make_person("Bob"), event=event, place=1)
    page = as_labeler.post(
        f"/quality/checks/{check_of(face).pk}/answer/",
        {"answer": "right", "key": uuid4(), "version": 0},
        follow=True,
    ).text
    sighting = Sighting.objects.get(face=face)
    assert (sighting.person, sighting.decided_by, sighting.is_reference) == (alice, "human", True)
    assert check_of(face).answer == "right"
    assert "Is this Bob?" in page
    assert "Right: Alice is verified." in page
    assert check_of(other).answer == ""


def test_a_poor_face_is_verified_and_teaches_nothing(face: Face, as_labeler: Client) -> None:
    Face.objects.filter(pk=face.pk).update(size=8, sharpness=0.1, detector_score=0.3)
    send(as_labeler, face, "right")
    sighting = Sighting.objects.get(face=face)
    assert (sighting.decided_by, sighting.is_reference) == ("human", False)


def test_no_takes_the_name_off_and_remembers_it(face: Face, alice: Person, as_labeler: Client) -> None:
    send(as_labeler, face, "wrong")
    assert not Sighting.objects.filter(face=face).exists()
    assert not UnlabeledFace.objects.get(face=face).reviewed
    assert Rejection.objects.get().person == alice
    assert check_of(face).answer == "wrong"


def test_a_no_leads_to_what_its_reference_caused(alice: Person, event: Event, as_labeler: Client) -> None:
    reference = make_reference(alice, unit_vectors(1)[0], photo=make_photo(event))
    face = name_face(alice, event=event, reference=reference)
    form = {"answer": "wrong", "key": uuid4(), "version": 0}
    page = as_labeler.post(f"/quality/checks/{check_of(face).pk}/answer/", form, follow=True).text
    assert f"/faces/{reference.face_id}/caused/" in page


def test_who_cannot_tell_changes_nothing(face: Face, as_labeler: Client) -> None:
    send(as_labeler, face, "unsure")
    assert Sighting.objects.get(face=face).decided_by == "machine"
    assert check_of(face).answer == "unsure"
    assert not Decision.objects.exists()


@pytest.mark.parametrize("answer", ["right", "wrong", "unsure"])
def test_an_answer_is_taken_back(answer: str, face: Face, as_labeler: Client) -> None:
    rows = list(Sighting.objects.values())
    send(as_labeler, face, answer)
    page = as_labeler.post(f"/quality/checks/{check_of(face).pk}/undo/", follow=True).text
    assert "Is this Alice?" in page
    assert check_of(face).answer == ""
    assert list(Sighting.objects.values()) == rows


def test_an_answer_of_somebody_else_is_not_taken_back(face: Face, as_labeler: Client, manager: User) -> None:
    send(signed_in(manager), face, "right")
    assert as_labeler.post(f"/quality/checks/{check_of(face).pk}/undo/").status_code == 409
    assert check_of(face).answer == "right"


def test_the_same_click_twice_is_one_decision(face: Face, as_labeler: Client) -> None:
    key = uuid4()
    for _ in range(2):
        form = {"answer": "right", "key": key, "version": 0}
        assert as_labeler.post(f"/quality/checks/{check_of(face).pk}/answer/", form).status_code == 302
    assert Decision.objects.count() == 1


def test_a_decision_that_came_first_stands(face: Face, as_labeler: Client, manager: User) -> None:
    record_verdict(face=face, kind="stranger", actor=manager)
    answer = as_labeler.post(
        f"/quality/checks/{check_of(face).pk}/answer/", {"answer": "right", "key": uuid4(), "version": 0}
    )
    assert answer.status_code == 409
    assert UnlabeledFace.objects.get(face=face).verdict == "stranger"


def test_htmx_gets_the_next_card_alone(face: Face, event: Event, labeler: User) -> None:
    name_face(make_person("Bob"), event=event, place=1)
    client = Client(headers={"HX-Request": "true"})
    client.force_login(labeler)
    form = {"answer": "wrong", "key": uuid4(), "version": 0}
    answer = client.post(f"/quality/checks/{check_of(face).pk}/answer/", form)
    assert answer.text.lstrip().startswith('<section id="checks"')
    assert "<html" not in answer.text
    assert "Is this Bob?" in answer.text
    assert "Wrong: Alice is taken off this face" in answer.text


def test_two_people_are_asked_about_two_names(face: Face, event: Event, labeler: User, manager: User) -> None:
    other = name_face(make_person("Bob"), event=event, place=1)
    take_lease(user=manager, card=f"check-{check_of(face).pk}")
    assert next_check(labeler) == check_of(other)
    assert next_check(manager) == check_of(face)


def test_names_are_asked_in_the_order_of_their_random_ids(alice: Person, labeler: User) -> None:
    faces = {place: name_face(alice, place=place) for place in (5, 1, 3)}
    asked = [check.face for check in checks_to_ask(labeler)]
    assert asked == [faces[1], faces[3], faces[5]]


def test_the_backlog_of_earlier_months_is_asked_no_more(alice: Person, labeler: User) -> None:
    name_face(alice, named_at=days_ago(90))
    assert not checks_to_ask(labeler).exists()


def test_nothing_to_check_says_what_comes(as_labeler: Client, event: Event) -> None:
    page = as_labeler.get("/quality/checks/").text
    assert "Nothing to check" in page
    assert "As soon as FaceVault names faces by itself" in page


def test_the_overview_says_how_many_wait(face: Face, as_labeler: Client) -> None:
    assert "/quality/checks/" in as_labeler.get("/").text
    label_face(face=face, name="Bob", actor=User.objects.get(username="lena"))
    assert "/quality/checks/" not in as_labeler.get("/").text


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("uploader", 403), ("", 403)])
def test_only_labelers_answer(role: str, status: int, face: Face) -> None:
    client = signed_in(make_user("vera", *([role] if role else [])))
    pk = check_of(face).pk
    form = {"answer": "wrong", "key": uuid4(), "version": 0}
    for path in ("/quality/checks/", f"/quality/checks/{pk}/"):
        assert client.get(path).status_code == status
    for path in ("answer", "undo"):
        assert client.post(f"/quality/checks/{pk}/{path}/", form).status_code == status
    assert Sighting.objects.filter(face=face).exists()


def test_a_check_of_a_foreign_event_is_not_there(face: Face, event: Event) -> None:
    client = signed_in(make_local("leo", "labeler", make_event()))
    pk = check_of(face).pk
    form = {"answer": "wrong", "key": uuid4(), "version": 0}
    assert client.get(f"/quality/checks/{pk}/").status_code == 404
    assert client.post(f"/quality/checks/{pk}/answer/", form).status_code == 404
    assert client.post(f"/quality/checks/{pk}/undo/").status_code == 404
    assert "Alice" not in client.get("/quality/checks/").text
    assert NameCheck.objects.get(pk=pk).answer == ""


def test_the_page_asks_the_database_as_often_for_many_names(
    face: Face, alice: Person, event: Event, as_labeler: Client
) -> None:
    as_labeler.get("/quality/checks/")
    few = count_queries(as_labeler, "/quality/checks/")
    for place in range(1, 8):
        name_face(alice, event=event, place=place)
    assert count_queries(as_labeler, "/quality/checks/") == few


def test_the_api_tells_the_figures(face: Face, labeler: User) -> None:
    client = signed_in(labeler)
    send(client, face, "right")
    told = client.get("/api/v1/quality/checks/").json()
    assert told["current"]["right"] == 1
    assert told["current"]["share"] == 1.0
    assert told["current"]["high"] == 1.0
    assert told["left"] == 0
    assert [one["embedder_id"] for one in told["periods"]] == ["facenet-vggface2"]
