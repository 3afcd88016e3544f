"""The pages that put people right: merge, split, twice on a photo, may be one, and the undo on each."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from access.models import EventGrant
from labeling.decisions import undo_decision
from labeling.desk.conflicts import list_conflicts
from labeling.models import AlikePeople, Decision, DifferentPeople, Rejection, TwiceRight
from labeling.people.conflicts import forget_counts
from labeling.people.merging import merge_people
from recognition.models import Event, Face, Person, Sighting, UnlabeledFace
from tests.conftest import make_local, make_user, signed_in
from tests.factories import make_event, make_face, make_person, make_photo, make_reference, vector_near
from tests.labeling.conftest import ALICE, BOB

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_counts() -> None:
    forget_counts()


@pytest.fixture
def event() -> Event:
    return make_event("Graduation")


@pytest.fixture
def alice(event: Event) -> Person:
    person = make_person("Alice")
    make_reference(person, ALICE, photo=make_photo(event))
    return person


@pytest.fixture
def alicia(event: Event) -> Person:
    """Alice's other entry."""
    person = make_person("Alicia")
    make_reference(person, vector_near(ALICE, 0.8), photo=make_photo(event))
    return person


@pytest.fixture
def local(event: Event) -> Client:
    return signed_in(make_local("lea", "labeler", event))


def box(face: Face) -> str:
    return f"{face.face_id}:{face.version}"


def face_of(person: Person) -> Face:
    return Face.objects.filter(sighting__person=person).latest("pk")


def merge(client: Client, keep: Person, other: Person, **values: object):  # type: ignore[no-untyped-def]
    return client.post(f"/people/{keep.pk}/merge/", {"with": other.pk, "key": uuid4(), **values})


class TestMerge:
    def test_both_are_shown_before_and_which_stays_is_plain(
        self, local: Client, alice: Person, alicia: Person
    ) -> None:
        page = local.get(f"/people/{alice.pk}/merge/?with={alicia.pk}").text
        assert "Merge Alicia into Alice?" in page
        assert page.index("stays") < page.index("becomes part of Alice")
        assert "“Alicia”" in page
        assert f'href="/people/{alicia.pk}/merge/?with={alice.pk}"' in page
        assert not Decision.objects.exists()

    def test_afterwards_the_undo_is_right_there(self, local: Client, alice: Person, alicia: Person) -> None:
        assert merge(local, alice, alicia)["Location"] == f"/people/{alice.pk}/"
        page = local.get(f"/people/{alice.pk}/").text
        assert "Alicia is part of Alice now: 1 face moved." in page
        found = re.search(r'form="undo" formaction="([^"]+)"', page)
        assert found
        assert '<form id="undo" method="post" hidden>' in page
        assert local.post(found.group(1))["Location"] == f"/people/{alice.pk}/"
        assert Sighting.objects.filter(person=alicia).count() == 1

    def test_the_old_address_leads_to_the_kept_person(
        self, local: Client, alice: Person, alicia: Person
    ) -> None:
        merge(local, alice, alicia)
        for path in ("", "edit/", "merge/", "split/"):
            answer = local.get(f"/people/{alicia.pk}/{path}?show=machine")
            assert (answer.status_code, answer["Location"]) == (
                302,
                f"/people/{alice.pk}/{path}?show=machine",
            )

    def test_the_old_address_tells_nothing_to_those_who_do_not_see_the_kept_person(
        self, local: Client, alice: Person, alicia: Person
    ) -> None:
        merge(local, alice, alicia)
        client = signed_in(make_local("nora", "labeler", make_event()))
        assert client.get(f"/people/{alicia.pk}/").status_code == 404

    def test_with_whom_is_asked_by_likeness_by_name_and_by_search(
        self, local: Client, alice: Person, alicia: Person, event: Event
    ) -> None:
        namesake = make_person("Alice")
        make_reference(namesake, BOB, photo=make_photo(event))
        AlikePeople.objects.create(first=alice, second=alicia, similarity=0.8)
        page = local.get(f"/people/{alice.pk}/merge/")
        assert [person.pk for person in page.context["candidates"]] == [alicia.pk, namesake.pk]
        found = local.get(f"/people/{alice.pk}/merge/?q=alici").context["candidates"]
        assert [person.pk for person in found] == [alicia.pk]

    def test_together_on_a_photo_takes_a_tick(self, local: Client, alice: Person, alicia: Person) -> None:
        make_reference(alicia, BOB, photo=face_of(alice).photo)
        page = local.get(f"/people/{alice.pk}/merge/?with={alicia.pk}").text
        assert "They are together on 1 photo: two people?" in page
        assert re.search(r'name="together" value="1" required', page)
        assert merge(local, alice, alicia).status_code == 422
        assert not Decision.objects.exists()
        assert merge(local, alice, alicia, together="1").status_code == 302

    def test_oneself_and_nonsense_are_no_choice(self, local: Client, alice: Person) -> None:
        answer = merge(local, alice, alice)
        assert answer.status_code == 422
        assert "That is Alice. Choose somebody else." in answer.text
        for chosen in ("x", "", "9" * 30, "²"):
            assert local.get(f"/people/{alice.pk}/merge/", {"with": chosen}).status_code == 200
        assert not Decision.objects.exists()

    def test_somebody_who_was_merged_meanwhile_is_not_merged_twice(
        self, local: Client, alice: Person, alicia: Person, event: Event, labeler: User
    ) -> None:
        carol = make_person("Carol")
        make_reference(carol, BOB, photo=make_photo(event))
        merge_people(keep=carol, other=alicia, actor=labeler)
        answer = merge(local, alice, alicia)
        assert answer.status_code == 409
        assert "They were merged into somebody meanwhile." in answer.text
        assert Decision.objects.count() == 1

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_people_who_are_also_elsewhere_are_not_mine_to_merge(
        self, local: Client, alice: Person, alicia: Person, method: str
    ) -> None:
        make_reference(alicia, BOB)
        for keep, other in ((alice, alicia), (alicia, alice)):
            values = {"with": other.pk, "key": uuid4()}
            assert getattr(local, method)(f"/people/{keep.pk}/merge/", values).status_code == 403
        assert not Decision.objects.exists()

    def test_a_stranger_to_the_event_finds_neither(self, alice: Person, alicia: Person) -> None:
        client = signed_in(make_local("nora", "labeler", make_event()))
        assert merge(client, alice, alicia).status_code == 404

    @pytest.mark.parametrize("role", ["viewer", "uploader"])
    def test_not_viewers_and_uploaders(self, alice: Person, alicia: Person, role: str) -> None:
        assert merge(signed_in(make_user("vera", role)), alice, alicia).status_code == 403
        assert not Decision.objects.exists()


class TestUndo:
    def test_a_colleagues_decision_is_a_managers_to_undo(
        self, local: Client, alice: Person, alicia: Person, event: Event, as_manager: Client
    ) -> None:
        merge(local, alice, alicia)
        address = f"/people/{alice.pk}/undo/{Decision.objects.get().key}/"
        assert signed_in(make_local("nora", "labeler", event)).post(address).status_code == 403
        assert signed_in(make_local("otto2", "labeler", make_event())).post(address).status_code == 404
        assert as_manager.post(address).status_code == 302
        assert Person.objects.current().count() == 2

    def test_why_not_is_said(self, local: Client, alice: Person, alicia: Person) -> None:
        merge(local, alice, alicia)
        decision = Decision.objects.get()
        assert decision.actor
        undo_decision(decision=decision, actor=decision.actor)
        page = local.post(f"/people/{alice.pk}/undo/{decision.key}/", follow=True)
        assert "This decision was undone already." in page.text


class TestSplit:
    @pytest.fixture
    def mixed(self, event: Event) -> Person:
        """Four faces of Alice and two of somebody else under her name."""
        person = make_person("Alice")
        for number in range(4):
            make_reference(person, vector_near(ALICE, 0.9, seed=number), photo=make_photo(event))
        for number in range(2):
            make_reference(person, vector_near(BOB, 0.9, seed=number), photo=make_photo(event))
        return person

    def test_the_proposal_selects_the_faces_of_the_other(self, local: Client, mixed: Person) -> None:
        page = local.get(f"/people/{mixed.pk}/split/")
        others = list(Face.objects.filter(sighting__person=mixed).order_by("pk"))[4:]
        assert page.context["ticked"] == {face.face_id for face in others}
        assert len(page.context["stays"].sightings) == 4
        assert page.text.count(" checked") == 2

    def test_faces_of_one_look_are_not_selected(self, local: Client, alice: Person, event: Event) -> None:
        for number in range(4):
            make_reference(alice, vector_near(ALICE, 0.9, seed=number), photo=make_photo(event))
        page = local.get(f"/people/{alice.pk}/split/")
        assert "look like one person" in page.text
        assert " checked" not in page.text

    def test_picked_faces_become_somebody_else_in_one_decision(
        self, local: Client, mixed: Person, event: Event
    ) -> None:
        bob = make_person("Bob")
        make_reference(bob, BOB, photo=make_photo(event))
        faces = list(Face.objects.filter(sighting__person=mixed).order_by("pk"))[4:]
        boxes = [box(face) for face in faces]
        picked = local.post(f"/people/{mixed.pk}/split/", {"action": "pick", "face": boxes})
        assert picked.text.count(" checked") == 2
        assert f'name="person" value="{bob.pk}"' in picked.text
        answer = local.post(
            f"/people/{mixed.pk}/split/", {"person": bob.pk, "face": boxes, "key": uuid4(), "name": ""}
        )
        assert answer["Location"] == f"/people/{mixed.pk}/"
        assert Sighting.objects.filter(person=bob).count() == 3
        assert Decision.objects.get().face_count == 2
        assert "2 faces are Bob now." in local.get(f"/people/{mixed.pk}/").text

    def test_a_typed_name_creates_nobody_until_asked(self, local: Client, mixed: Person) -> None:
        face = face_of(mixed)
        values = {"face": [box(face)], "key": uuid4(), "name": "Carol"}
        asked = local.post(f"/people/{mixed.pk}/split/", {**values, "action": "name"})
        assert asked.status_code == 422
        assert "Nobody else is called “Carol” yet." in asked.text
        assert not Person.objects.filter(name="Carol").exists()
        local.post(f"/people/{mixed.pk}/split/", {**values, "action": "new"})
        assert Sighting.objects.get(face=face).person.name == "Carol"

    def test_several_people_of_a_name_are_told_apart(
        self, local: Client, mixed: Person, event: Event
    ) -> None:
        for number in ("S-1", "S-2"):
            carol = Person.objects.create(name="Carol", external_id=number)
            make_reference(carol, BOB, photo=make_photo(event))
        values = {"face": [box(face_of(mixed))], "key": uuid4(), "name": "carol", "action": "name"}
        asked = local.post(f"/people/{mixed.pk}/split/", values)
        assert asked.status_code == 422
        assert "2 people are called carol. Which one?" in asked.text
        assert all(number in asked.text for number in ("S-1", "S-2", "at Graduation"))

    def test_back_to_the_queue_is_remembered(self, local: Client, mixed: Person) -> None:
        face = face_of(mixed)
        local.post(
            f"/people/{mixed.pk}/split/", {"action": "queue", "face": [box(face)], "key": uuid4(), "name": ""}
        )
        assert UnlabeledFace.objects.get(face=face).reviewed is False
        assert [(row.face_id, row.person_id) for row in Rejection.objects.all()] == [(face.pk, mixed.pk)]

    def test_what_somebody_changed_meanwhile_is_left_alone(
        self, local: Client, mixed: Person, labeler: User
    ) -> None:
        face = face_of(mixed)
        Face.objects.filter(pk=face.pk).update(version=7)
        values = {"action": "queue", "face": [box(face)], "key": uuid4(), "name": ""}
        answer = local.post(f"/people/{mixed.pk}/split/", values)
        assert answer.status_code == 409
        assert Sighting.objects.filter(face=face, person=mixed).exists()

    def test_a_double_click_is_one_decision(self, local: Client, mixed: Person) -> None:
        values = {"action": "queue", "face": [box(face_of(mixed))], "key": uuid4(), "name": ""}
        for _ in range(2):
            assert local.post(f"/people/{mixed.pk}/split/", values).status_code == 302
        assert Decision.objects.count() == 1

    @pytest.mark.parametrize("action", ["pick", "queue", "new"])
    def test_faces_of_another_event_are_not_found(self, local: Client, mixed: Person, action: str) -> None:
        foreign = make_reference(mixed, ALICE)
        values = {"action": action, "face": [box(foreign)], "key": uuid4(), "name": "X"}
        assert local.post(f"/people/{mixed.pk}/split/", values).status_code == 404
        assert not Decision.objects.exists()

    def test_faces_that_one_only_sees_are_refused(self, mixed: Person, event: Event) -> None:
        seen = make_reference(mixed, ALICE)
        user = make_local("lea", "labeler", event)
        EventGrant.objects.create(user=user, event=seen.photo.event, role="viewer")
        values = {"action": "queue", "face": [box(seen)], "key": uuid4(), "name": ""}
        assert signed_in(user).post(f"/people/{mixed.pk}/split/", values).status_code == 403

    def test_somebody_of_other_events_is_no_choice_by_number(self, local: Client, mixed: Person) -> None:
        foreign = make_person("Foreign")
        make_reference(foreign, BOB)
        values = {"person": foreign.pk, "face": [box(face_of(mixed))], "key": uuid4(), "name": ""}
        answer = local.post(f"/people/{mixed.pk}/split/", values)
        assert "Foreign" not in answer.text
        assert not Decision.objects.exists()


class TestTwice:
    @pytest.fixture
    def doubled(self, alice: Person) -> Face:
        return make_reference(alice, BOB, photo=face_of(alice).photo)

    def test_it_is_listed_with_its_faces(self, local: Client, alice: Person, doubled: Face) -> None:
        page = local.get("/people/twice/").text
        assert "twice on" in page
        assert page.count("Not Alice") == 2
        assert str(doubled.face_id) in page

    def test_one_of_them_is_somebody_else(self, local: Client, alice: Person, doubled: Face) -> None:
        values = {"action": "reject", "face": [box(doubled)], "key": uuid4(), "back": "twice"}
        assert local.post(f"/people/{alice.pk}/faces/", values)["Location"] == "/people/twice/"
        assert "Nobody is twice on a photo" in local.get("/people/twice/").text

    def test_all_right_is_remembered(self, local: Client, alice: Person, doubled: Face) -> None:
        local.post("/people/twice/", {"photo": doubled.photo_id, "person": alice.pk})
        assert TwiceRight.objects.get().actor
        assert "Nobody is twice on a photo" in local.get("/people/twice/").text

    def test_all_right_can_be_taken_back(self, local: Client, alice: Person, doubled: Face) -> None:
        local.post("/people/twice/", {"photo": doubled.photo_id, "person": alice.pk})
        undo = f"{doubled.photo_id}-{alice.pk}"
        assert f'name="undo" value="{undo}"' in local.get("/people/twice/").text
        client = signed_in(make_local("nora", "labeler", make_event()))
        client.post("/people/twice/", {"undo": undo})
        assert TwiceRight.objects.exists()
        local.post("/people/twice/", {"undo": undo})
        assert not TwiceRight.objects.exists()

    def test_a_photo_of_another_event_is_neither_listed_nor_settled(
        self, alice: Person, doubled: Face
    ) -> None:
        client = signed_in(make_local("nora", "labeler", make_event()))
        assert "Alice" not in client.get("/people/twice/").text
        client.post("/people/twice/", {"photo": doubled.photo_id, "person": alice.pk})
        assert not TwiceRight.objects.exists()

    def test_who_only_sees_the_event_settles_nothing(self, alice: Person, doubled: Face) -> None:
        user = make_local("nora", "labeler", make_event())
        EventGrant.objects.create(user=user, event=doubled.photo.event, role="viewer")
        client = signed_in(user)
        assert "Alice" not in client.get("/people/twice/").text
        values = {"photo": doubled.photo_id, "person": alice.pk}
        assert client.post("/people/twice/", values).status_code == 403

    def test_the_desk_counts_it_for_who_may_put_it_right(
        self, alice: Person, doubled: Face, labeler: User
    ) -> None:
        counted = [conflict.count for conflict in list_conflicts(labeler)]
        assert counted == [0, 1, 0]
        elsewhere = make_local("nora", "labeler", make_event())
        assert [conflict.count for conflict in list_conflicts(elsewhere)] == [0, 0, 0]


class TestMayBeOne:
    @pytest.fixture
    def pair(self, alice: Person, alicia: Person) -> AlikePeople:
        return AlikePeople.objects.create(first=alice, second=alicia, similarity=0.8)

    def test_it_is_listed_and_merged_from_the_list(
        self, local: Client, alice: Person, alicia: Person, pair: AlikePeople
    ) -> None:
        page = local.get("/people/may-be-one/").text
        assert "Merge into Alice" in page
        assert merge(local, alice, alicia, back="may-be-one")["Location"] == "/people/may-be-one/"
        page = local.get("/people/may-be-one/").text
        assert "Alicia is part of Alice now" in page
        assert "No two people look like one" in page

    def test_two_people_stay_two(
        self, local: Client, alice: Person, alicia: Person, pair: AlikePeople
    ) -> None:
        local.post("/people/may-be-one/", {"one": alicia.pk, "another": alice.pk})
        row = DifferentPeople.objects.get()
        assert (row.first_id, row.second_id) == (alice.pk, alicia.pk)
        assert "No two people look like one" in local.get("/people/may-be-one/").text

    def test_that_they_are_two_can_be_taken_back(
        self, local: Client, alice: Person, alicia: Person, pair: AlikePeople
    ) -> None:
        local.post("/people/may-be-one/", {"one": alicia.pk, "another": alice.pk})
        undo = f"{alicia.pk}-{alice.pk}"
        assert f'name="undo" value="{undo}"' in local.get("/people/may-be-one/").text
        client = signed_in(make_local("nora", "labeler", make_event()))
        client.post("/people/may-be-one/", {"undo": undo})
        assert DifferentPeople.objects.exists()
        local.post("/people/may-be-one/", {"undo": undo})
        assert "Merge into Alice" in local.get("/people/may-be-one/").text

    @pytest.mark.parametrize("undo", ["", "-", "x-y", "1-2-3", "9" * 40 + "-1"])
    def test_an_undo_of_nothing_changes_nothing(self, local: Client, pair: AlikePeople, undo: str) -> None:
        for page in ("/people/may-be-one/", "/people/twice/"):
            assert local.post(page, {"undo": undo}).status_code == 302
        assert not DifferentPeople.objects.exists()

    def test_people_who_are_also_elsewhere_are_neither_listed_nor_told_apart(
        self, local: Client, alice: Person, alicia: Person, pair: AlikePeople
    ) -> None:
        make_reference(alicia, BOB)
        assert "Alicia" not in local.get("/people/may-be-one/").text
        values = {"one": alicia.pk, "another": alice.pk}
        assert local.post("/people/may-be-one/", values).status_code == 403
        assert not DifferentPeople.objects.exists()

    def test_people_of_other_events_are_not_there(
        self, alice: Person, alicia: Person, pair: AlikePeople
    ) -> None:
        client = signed_in(make_local("nora", "labeler", make_event()))
        client.post("/people/may-be-one/", {"one": alicia.pk, "another": alice.pk})
        assert not DifferentPeople.objects.exists()
        assert "Alicia" not in client.get("/people/may-be-one/").text


class TestCover:
    def choose(self, client: Client, person: Person, *faces: Face):  # type: ignore[no-untyped-def]
        values = {"action": "cover", "face": [box(face) for face in faces], "key": uuid4()}
        return client.post(f"/people/{person.pk}/faces/", values)

    def test_the_chosen_face_stands_for_the_person_and_is_undone(
        self, local: Client, alice: Person, event: Event
    ) -> None:
        face = make_reference(alice, BOB, photo=make_photo(event))
        Face.objects.filter(pk=face.pk).update(size=10)
        self.choose(local, alice, face)
        page = local.get(f"/people/{alice.pk}/")
        assert page.context["person"].cover == face.face_id
        found = re.search(r'form="undo" formaction="([^"]+)"', page.text)
        assert found
        local.post(found.group(1))
        assert local.get(f"/people/{alice.pk}/").context["person"].cover != face.face_id

    def test_it_is_one_face(self, local: Client, alice: Person, event: Event) -> None:
        self.choose(local, alice, face_of(alice), make_reference(alice, BOB, photo=make_photo(event)))
        assert "Choose one face for the cover." in local.get(f"/people/{alice.pk}/").text

    def test_a_face_that_lost_the_name_stands_for_nobody(
        self, local: Client, alice: Person, event: Event
    ) -> None:
        face = make_reference(alice, BOB, photo=make_photo(event))
        self.choose(local, alice, face)
        values = {"action": "reject", "face": [box(Face.objects.get(pk=face.pk))], "key": uuid4()}
        local.post(f"/people/{alice.pk}/faces/", values)
        assert local.get(f"/people/{alice.pk}/").context["person"].cover == face_of(alice).face_id

    def test_whoever_does_not_see_it_sees_another(
        self, alice: Person, as_labeler: Client, local: Client
    ) -> None:
        mine = face_of(alice)
        self.choose(as_labeler, alice, make_reference(alice, BOB))
        assert local.get(f"/people/{alice.pk}/").context["person"].cover == mine.face_id

    def test_of_a_person_who_is_also_elsewhere_it_is_not_mine_to_choose(
        self, local: Client, alice: Person
    ) -> None:
        mine = face_of(alice)
        make_reference(alice, BOB)
        assert self.choose(local, alice, mine).status_code == 403
        assert Person.objects.get(pk=alice.pk).cover_face is None


class TestFarthest:
    def test_the_face_least_like_the_references_comes_first(
        self, local: Client, alice: Person, event: Event
    ) -> None:
        for similarity in (0.9, 0.8):
            make_reference(alice, vector_near(ALICE, similarity), photo=make_photo(event))
        wrong = make_reference(alice, BOB, photo=make_photo(event))
        page = local.get(f"/people/{alice.pk}/?show=farthest")
        shown = [sighting.face for sighting in page.context["farthest"]]
        assert shown[0] == wrong
        assert len(shown) == 4
        assert page.text.index(">unlike<") < page.text.index(">alike<")
        assert f'value="{box(wrong)}"' in page.text

    def test_a_face_without_a_vector_is_not_compared(
        self, local: Client, alice: Person, event: Event
    ) -> None:
        face = make_face(make_photo(event))
        Sighting.objects.create(
            face=face, person=alice, decided_by="machine", similarity=0.8, seen_at=timezone.now()
        )
        page = local.get(f"/people/{alice.pk}/?show=farthest")
        assert page.context["farthest"][-1].face == face
        assert "not compared" in page.text

    def test_faces_of_other_events_are_not_among_them(self, local: Client, alice: Person) -> None:
        foreign = make_reference(alice, BOB)
        page = local.get(f"/people/{alice.pk}/?show=farthest")
        assert foreign not in [sighting.face for sighting in page.context["farthest"]]


class TestNamesakes:
    def test_a_list_says_how_many_share_a_name_and_where_each_was(
        self, local: Client, alice: Person, event: Event
    ) -> None:
        make_reference(make_person("Alice"), BOB, photo=make_photo(event))
        page = local.get("/people/").text
        assert page.count("one of 2 called Alice, at Graduation") == 2

    def test_somebody_of_another_event_is_not_counted(self, local: Client, alice: Person) -> None:
        make_reference(make_person("Alice"), BOB)
        assert "called Alice" not in local.get("/people/").text
        assert "are called Alice" not in local.get(f"/people/{alice.pk}/").text

    def test_the_persons_page_leads_to_the_others(self, local: Client, alice: Person, event: Event) -> None:
        make_reference(make_person("Alice"), BOB, photo=make_photo(event))
        assert "2 people are called Alice" in local.get(f"/people/{alice.pk}/").text
