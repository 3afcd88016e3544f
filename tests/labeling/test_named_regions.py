"""Names that photos tell: suggested on cards, confirmed on the event's page, dismissed, and never decided by themselves."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client

from access.roles import LABELER, MANAGER, UPLOADER, VIEWER
from labeling.models import Cluster, ClusterMember, Decision
from recognition.models import Event, Face, NamedRegion, Person, Photo, RegionReading, Sighting, UnlabeledFace
from tests.conftest import count_queries, make_local, signed_in
from tests.factories import (
    label_face,
    make_event,
    make_face,
    make_person,
    make_photo,
    make_reference,
    make_unlabeled,
    unit_vectors,
)


@pytest.fixture
def event() -> Event:
    return make_event("Graduation")


@pytest.fixture
def labeler(event: Event) -> Client:
    return signed_in(make_local("lena", LABELER, event))


def open_face(event: Event) -> Face:
    face = make_face(make_photo(event))
    UnlabeledFace.objects.create(face=face)
    return face


def told(face: Face, name: str = "Alice Smith") -> NamedRegion:
    return NamedRegion.objects.create(
        photo=face.photo,
        face=face,
        name=name,
        left=face.left,
        top=face.top,
        width=face.width,
        height=face.height,
    )


def known(event: Event, name: str = "Alice Smith") -> Person:
    """Somebody who was seen at the event."""
    person = make_person(name)
    label_face(make_face(make_photo(event)), person)
    return person


def page(event: Event, query: str = "") -> str:
    return f"/events/{event.pk}/names/{query}"


def seen(*faces: Face) -> list[str]:
    return [f"{face.face_id}:{face.version}" for face in faces]


def confirm(client: Client, event: Event, *faces: Face, **values: object) -> str:
    data = {"key": uuid4(), "name": "Alice Smith", "face": seen(*faces), **values}
    answer = client.post(page(event), data, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_all_faces_of_a_name_are_one_decision(labeler: Client, event: Event) -> None:
    faces = [open_face(event) for _ in range(3)]
    for face in faces:
        told(face)
    person = known(event)
    confirm(labeler, event, *faces, person=person.pk)
    decision = Decision.objects.get()
    assert (decision.kind, decision.face_count, decision.person) == ("label", 3, person)
    assert Sighting.objects.filter(face__in=faces, person=person, decided_by="human").count() == 3


def test_the_message_undoes_the_decision(labeler: Client, event: Event) -> None:
    face = open_face(event)
    told(face)
    person = known(event)
    text = confirm(labeler, event, face, person=person.pk)
    key = Decision.objects.get().key
    assert f'name="undo" value="{key}"' in text
    labeler.post(page(event), {"undo": key})
    assert not Sighting.objects.filter(face=face).exists()
    assert Decision.objects.get().undone


def test_somebody_new_is_created_by_a_press_alone(labeler: Client, event: Event) -> None:
    face = open_face(event)
    told(face)
    assert "Create Alice Smith" in labeler.get(page(event)).content.decode()
    assert not Person.objects.exists()
    confirm(labeler, event, face, new="1")
    assert Sighting.objects.get().person.name == "Alice Smith"


def test_one_face_is_named_and_the_others_stay(labeler: Client, event: Event) -> None:
    one, other = open_face(event), open_face(event)
    told(one), told(other)
    person = known(event)
    confirm(labeler, event, one, other, only=seen(one)[0], offer_person=person.pk)
    assert Sighting.objects.filter(face=one, person=person).exists()
    assert not Sighting.objects.filter(face=other).exists()


def test_a_double_click_is_one_decision(labeler: Client, event: Event) -> None:
    face = open_face(event)
    told(face)
    key = uuid4()
    for _ in range(2):
        confirm(labeler, event, face, new="1", key=key)
    assert Decision.objects.count() == Person.objects.count() == 1


def test_what_a_colleague_decided_meanwhile_stays(labeler: Client, event: Event) -> None:
    face = open_face(event)
    told(face)
    person = known(event)
    Face.objects.filter(pk=face.pk).update(version=7)
    assert "Nothing of yours was saved" in confirm(labeler, event, face, person=person.pk)
    assert not Decision.objects.exists()


def test_namesakes_are_offered_each(labeler: Client, event: Event) -> None:
    told(open_face(event), "ALICE SMITH")
    one, other = known(event, "Alice Smith"), known(event, "A. Jones")
    Person.objects.filter(pk=other.pk).update(aliases=["Alicé Smith"])
    other.refresh_from_db()
    other.save()
    text = labeler.get(page(event)).content.decode()
    for person in (one, other):
        assert f'name="person" value="{person.pk}"' in text


def test_people_of_events_that_one_does_not_see_are_not_offered(labeler: Client, event: Event) -> None:
    face = open_face(event)
    told(face)
    hidden = known(make_event("Elsewhere"))
    for address in (page(event), f"/label/{face.face_id}/"):
        assert f'name="person" value="{hidden.pk}"' not in labeler.get(address).content.decode()
    confirm(labeler, event, face, person=hidden.pk)
    assert not Sighting.objects.filter(face=face).exists()


def test_a_namesake_of_another_event_is_asked_about_and_not_doubled(labeler: Client, event: Event) -> None:
    face = open_face(event)
    told(face)
    known(make_event("Elsewhere"))
    assert "Open one of the faces" in confirm(labeler, event, face, new="1")
    assert Person.objects.count() == 1


def test_a_face_that_no_data_names_cannot_be_confirmed(labeler: Client, event: Event) -> None:
    person = known(event)
    data = {"key": uuid4(), "name": "Alice Smith", "face": seen(open_face(event)), "person": person.pk}
    assert labeler.post(page(event), data).status_code == 404


def test_a_face_of_another_event_cannot_be_confirmed(event: Event, labeler: Client) -> None:
    face = open_face(make_event("Elsewhere"))
    told(face)
    data = {"key": uuid4(), "name": "Alice Smith", "face": seen(face), "new": "1"}
    assert labeler.post(page(event), data).status_code == 404
    assert not Person.objects.exists()


def test_a_dismissed_name_is_suggested_nowhere_until_it_is_put_back(labeler: Client, event: Event) -> None:
    region = told(open_face(event))
    card = f"/label/{region.face.face_id}/" if region.face else ""
    answer = labeler.post(page(event), {"dismiss": region.pk}, follow=True)
    assert f'value="region-{region.pk}"' in answer.content.decode()
    assert "own data says" not in labeler.get(card).content.decode()
    assert "not Alice Smith" in labeler.get(page(event, "?show=dismissed")).content.decode()
    labeler.post(page(event), {"undo": f"region-{region.pk}"})
    assert "own data says" in labeler.get(card).content.decode()


def test_each_list_shows_what_belongs_there(labeler: Client, event: Event) -> None:
    told(open_face(event), "To Confirm")
    faceless = told(open_face(event), "No Face")
    NamedRegion.objects.filter(pk=faceless.pk).update(face=None)
    other = open_face(event)
    label_face(other, make_person("Bob"))
    told(other, "Differs")
    agrees = open_face(event)
    label_face(agrees, make_person("Same Name"))
    told(agrees, "same näme")
    expected = {"": "To Confirm", "?show=faceless": "No Face", "?show=differing": "Differs"}
    for query, name in expected.items():
        text = labeler.get(page(event, query)).content.decode()
        assert [one for one in [*expected.values(), "same näme"] if one in text] == [name]


def test_a_face_that_was_called_no_face_is_not_asked_about(labeler: Client, event: Event) -> None:
    face = open_face(event)
    told(face)
    UnlabeledFace.objects.update(reviewed=True, verdict="not_a_face")
    assert "Alice Smith" not in labeler.get(page(event)).content.decode()


def test_the_card_of_a_face_offers_the_person_but_takes_nobody_by_key(labeler: Client, event: Event) -> None:
    face = open_face(event)
    told(face)
    person = known(event)
    text = labeler.get(f"/label/{face.face_id}/").content.decode()
    part = text[text.index('class="told"') :]
    part = part[: part.index("</div>")]
    assert f'name="person" value="{person.pk}"' in part
    assert "data-hotkey" not in part


def test_a_press_on_the_card_is_the_desks_own_decision(labeler: Client, event: Event) -> None:
    face = open_face(event)
    told(face)
    person = known(event)
    labeler.post(
        f"/label/{face.face_id}/decide/", {"version": face.version, "key": uuid4(), "person": person.pk}
    )
    assert Sighting.objects.get(face=face).person == person


def test_the_card_of_a_named_face_says_only_what_disagrees(labeler: Client, event: Event) -> None:
    person = known(event)
    face = Face.objects.get(sighting__person=person)
    told(face)
    assert "own data says" not in labeler.get(f"/label/{face.face_id}/").content.decode()
    told(face, "Bob Jones")
    text = labeler.get(f"/label/{face.face_id}/").content.decode()
    assert "Create Bob Jones" in text
    assert text.count("own data says") == 2  # the list's label, and the one name


def test_not_them_on_the_card_keeps_the_card(labeler: Client, event: Event) -> None:
    region = told(face := open_face(event))
    answer = labeler.post(f"/label/names/{region.pk}/dismiss/")
    assert answer["Location"] == f"/label/{face.face_id}/"
    part = labeler.post(f"/label/names/{region.pk}/dismiss/", headers={"HX-Request": "true"})
    assert "<html" not in part.content.decode()
    region.refresh_from_db()
    assert region.dismissed_at is not None


def test_the_button_asks_for_one_reading(labeler: Client, event: Event) -> None:
    make_photo(event)
    assert "Read names from the photos" in labeler.get(f"/events/{event.pk}/").content.decode()
    for _ in range(2):
        labeler.post(page(event), {"read": "1"})
    assert RegionReading.objects.get().photos_total == 1
    assert "0 of 1" in labeler.get(page(event)).content.decode()


def test_an_event_of_stand_ins_alone_offers_no_reading(labeler: Client, event: Event) -> None:
    Photo.objects.filter(pk=make_photo(event).pk).update(origin=Photo.Origin.STAND_IN)
    assert "Read names from the photos" not in labeler.get(f"/events/{event.pk}/").content.decode()


def test_an_empty_list_says_whether_the_photos_tell_nothing(labeler: Client, event: Event) -> None:
    make_photo(event)
    labeler.post(page(event), {"read": "1"})
    assert "The photos are being read." in labeler.get(page(event)).content.decode()
    RegionReading.objects.update(state="done")
    assert "No names in these photos" in labeler.get(page(event)).content.decode()
    label_face(face := make_face(make_photo(event)), make_person("Alice Smith"))
    told(face)
    assert "Every name is settled" in labeler.get(page(event)).content.decode()


def test_the_card_of_a_reading_asks_again_until_it_is_done(labeler: Client, event: Event) -> None:
    labeler.post(page(event), {"read": "1"})
    address, header = f"{page(event)}progress/", {"HX-Request": "true"}
    assert "every 2s" in labeler.get(address, headers=header).content.decode()
    RegionReading.objects.update(state="done")
    assert labeler.get(address, headers=header)["HX-Refresh"] == "true"


@pytest.mark.parametrize("role", [VIEWER, UPLOADER])
def test_who_does_not_label_neither_sees_nor_reads_nor_dismisses(role: str, event: Event) -> None:
    region = told(open_face(event))
    client = signed_in(make_local("eve", role, event))
    assert client.get(page(event)).status_code == 403
    assert client.post(page(event), {"read": "1"}).status_code == 403
    assert client.post(f"/label/names/{region.pk}/dismiss/").status_code in {403, 404}
    region.refresh_from_db()
    assert region.dismissed_at is None
    assert not RegionReading.objects.exists()


@pytest.mark.parametrize("role", [LABELER, MANAGER])
def test_an_event_of_others_is_not_there(role: str, event: Event) -> None:
    region = told(open_face(event))
    client = signed_in(make_local("eve", role, make_event("Elsewhere")))
    assert client.get(page(event)).status_code == 404
    assert client.post(page(event), {"read": "1"}).status_code == 404
    assert client.post(f"/label/names/{region.pk}/dismiss/").status_code == 404


def test_a_colleagues_decision_cannot_be_undone_from_here(labeler: Client, event: Event) -> None:
    face = open_face(event)
    told(face)
    confirm(signed_in(make_local("cora", LABELER, event)), event, face, new="1")
    assert labeler.post(page(event), {"undo": Decision.objects.get().key}).status_code == 403
    assert Sighting.objects.filter(face=face).exists()


@pytest.mark.parametrize("query", ["", "?show=faceless", "?show=differing", "?show=dismissed"])
def test_every_list_asks_as_often_for_many_names_as_for_few(
    labeler: Client, event: Event, query: str
) -> None:
    def add(number: int) -> None:
        name = f"Person {number}"
        person = make_person(name)
        make_reference(person, unit_vectors(1, seed=number)[0], photo=make_photo(event))
        told(open_face(event), name)
        region = told(open_face(event), name)
        NamedRegion.objects.filter(pk=region.pk).update(face=None)
        gone = told(open_face(event), name)
        NamedRegion.objects.filter(pk=gone.pk).update(dismissed_at="2026-01-01T00:00Z")
        differs = open_face(event)
        label_face(differs, make_person())
        told(differs, name)

    for number in range(2):
        add(number)
    count_queries(labeler, page(event, query))  # the gallery's index is read once
    few = count_queries(labeler, page(event, query))
    for number in range(2, 9):
        add(number)
    assert count_queries(labeler, page(event, query)) == few


def grouped(event: Event, *names: str) -> Cluster:
    """A group of faces that look alike, each told another name."""
    cluster = Cluster.objects.create(event=event, open_count=len(names))
    vector = unit_vectors(1, seed=3)[0]
    for name in names:
        face = make_unlabeled(vector, photo=make_photo(event)).face
        ClusterMember.objects.create(cluster=cluster, face=face, closeness=1.0)
        told(face, name)
    return cluster


def test_the_card_of_a_group_offers_whom_its_photos_agree_on(labeler: Client, event: Event) -> None:
    person = known(event)
    text = labeler.get(f"/label/group/{grouped(event, 'Alice Smith', 'alice smith').pk}/").content.decode()
    part = text[text.index('class="told"') :]
    assert "says of 2 of these" in part
    assert f'name="person" value="{person.pk}"' in part


def test_a_group_whose_photos_disagree_offers_nobody_by_them(labeler: Client, event: Event) -> None:
    person = known(event)
    text = labeler.get(f"/label/group/{grouped(event, 'Alice Smith', 'Bob').pk}/").content.decode()
    assert "They disagree" in text
    assert f'name="person" value="{person.pk}"' not in text[text.index('class="told"') :]
