"""Somebody who labels at one event: what the desk says of people and work at the others. The name alone, if anything."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from access.models import EventGrant
from labeling.decisions import label_face, record_verdict, record_verdicts, reject_person
from labeling.desk import Place, read_desk
from labeling.models import Decision, Lease, Look, Rejection
from labeling.people.merging import merge_people
from labeling.queue import QueueItem, count_queue
from labeling.suggestions import Suggestion, suggest_people
from labeling.team.leases import leased_by_others, take_lease
from labeling.team.verdict_lists import read_list
from recognition.models import Event, Face, Person, Sighting, UnlabeledFace
from tests.conftest import make_local, make_user, signed_in
from tests.factories import make_event, make_person, make_photo, make_reference, make_unlabeled, vector_near
from tests.labeling.conftest import ALICE, BOB, SOMEBODY, fresh, posted


@pytest.fixture
def mine() -> Event:
    return make_event("Mine")


@pytest.fixture
def foreign() -> Event:
    return make_event("Foreign Ball")


@pytest.fixture
def lea(mine: Event) -> User:
    return make_local("lea", "labeler", mine)


@pytest.fixture
def client(lea: User) -> Client:
    return signed_in(lea)


@pytest.fixture
def carol(foreign: Event) -> Person:
    """Known at the other event only, with everything that could be told of her."""
    person = Person.objects.create(name="Carol Foreign", aliases=["Caz"], external_id="s-4711")
    make_reference(person, ALICE, photo=make_photo(foreign))
    make_reference(person, vector_near(ALICE, 0.9, seed=5), photo=make_photo(foreign))
    return person


@pytest.fixture
def face(mine: Event) -> Face:
    """In lea's queue; looks like Carol."""
    return make_unlabeled(vector_near(ALICE, 0.9, seed=7), photo=make_photo(mine)).face


def only_suggestion(face: Face, user: User) -> Suggestion:
    [suggestion] = suggest_people(face, user=user)
    return suggestion


def reveals(page: str, carol: Person) -> list[str]:
    """What of Carol's and the other event's is on a page, but for her name."""
    faces = Face.objects.filter(sighting__person=carol, photo__event__name="Foreign Ball")
    secrets = [f"/faces/{face.face_id}/" for face in faces]
    secrets += [f"/people/{carol.pk}/", "Caz", "s-4711", "Foreign Ball", "2 photos", "2 references"]
    return [secret for secret in secrets if secret in page]


class TestNameAlone:
    def test_the_suggestion_is_the_name_without_crop_and_count(
        self, face: Face, carol: Person, lea: User
    ) -> None:
        suggestion = only_suggestion(face, lea)
        assert (suggestion.person, suggestion.name_alone) == (carol, True)
        assert (suggestion.references, suggestion.reference_count) == ([], 0)

    def test_whoever_sees_all_events_gets_all_of_it(self, face: Face, carol: Person, labeler: User) -> None:
        suggestion = only_suggestion(face, labeler)
        assert not suggestion.name_alone
        assert (len(suggestion.references), suggestion.reference_count) == (2, 2)

    def test_the_card_shows_nothing_else_of_her(self, face: Face, carol: Person, client: Client) -> None:
        page = client.get(f"/label/{face.face_id}/").text
        assert "Carol Foreign" in page
        assert "from an event that is not yours" in page
        assert reveals(page, carol) == []

    def test_the_face_may_be_named_so(self, face: Face, carol: Person, client: Client) -> None:
        response = client.post(f"/label/{face.face_id}/decide/", posted(face, person=carol.pk))
        assert response.status_code == 302
        assert Sighting.objects.get(face=face).person == carol

    def test_it_may_be_said_that_it_is_not_her(self, face: Face, carol: Person, client: Client) -> None:
        response = client.post(f"/label/{face.face_id}/decide/", posted(face, reject=carol.pk))
        assert response.status_code == 302
        page = client.get(response["Location"]).text
        assert reveals(page, carol) == []
        assert "No suggestions" in page

    def test_of_somebody_known_at_both_events_only_what_is_mine_is_counted(
        self, face: Face, carol: Person, lea: User, mine: Event
    ) -> None:
        own = make_reference(carol, vector_near(ALICE, 0.8, seed=9), photo=make_photo(mine))
        suggestion = only_suggestion(face, lea)
        assert not suggestion.name_alone
        assert suggestion.reference_count == 1
        assert suggestion.references in ([own], [])


class TestTyping:
    @pytest.mark.parametrize("typed", ["Carol Foreign", "carol FOREIGN"])
    def test_the_exact_name_finds_her_by_the_name_alone(
        self, face: Face, carol: Person, client: Client, typed: str
    ) -> None:
        assert client.post(f"/label/{face.face_id}/decide/", posted(face, name=typed)).status_code == 302
        assert Sighting.objects.get(face=face).person == carol
        assert Person.objects.count() == 1

    def test_of_several_of_that_name_the_question_shows_names_alone(
        self, face: Face, carol: Person, client: Client
    ) -> None:
        make_person("Carol Foreign")
        response = client.post(f"/label/{face.face_id}/decide/", posted(face, name="carol foreign"))
        assert response.status_code == 422
        assert "2 people are called carol foreign." in response.text
        assert reveals(response.text, carol) == []
        chosen = posted(face, name="carol foreign", person=carol.pk)
        assert client.post(f"/label/{face.face_id}/decide/", chosen).status_code == 302

    @pytest.mark.parametrize("typed", ["c", "carol", "Carol Foreign", "Caz", "s-4711"])
    def test_type_ahead_does_not_find_her(self, carol: Person, client: Client, typed: str) -> None:
        page = client.get("/label/people/", {"name": typed}, headers={"HX-Request": "true"}).text
        assert 'role="option"' not in page

    @pytest.mark.parametrize("field", ["person", "twice", "reject"])
    def test_a_person_who_is_neither_suggested_nor_typed_cannot_be_posted(
        self, mine: Event, carol: Person, client: Client, field: str
    ) -> None:
        make_reference(make_person("Bob"), BOB, photo=make_photo(mine))
        for number in range(25):
            make_reference(make_person(), vector_near(SOMEBODY, 0.8, seed=number), photo=make_photo(mine))
        unlike = make_unlabeled(SOMEBODY, photo=make_photo(mine)).face
        url = f"/label/{unlike.face_id}/decide/"
        response = client.post(url, posted(unlike, **{field: carol.pk}))
        assert response.status_code == 422
        assert "Carol" not in response.text
        other_name = posted(unlike, name="Somebody Else", **{field: carol.pk})
        assert client.post(url, other_name).status_code == 422
        assert not Decision.objects.exists()

    def test_people_named_last_are_only_those_one_still_sees(
        self, face: Face, carol: Person, client: Client, lea: User
    ) -> None:
        decision = label_face(face=face, person=carol, actor=lea)
        page = client.get("/label/people/", headers={"HX-Request": "true"}).text
        assert "Carol Foreign" in page
        assert "1 photo<" in page
        client.post(f"/decisions/{decision.key}/undo/")
        assert "Carol" not in client.get("/label/people/", headers={"HX-Request": "true"}).text


class TestWorkElsewhere:
    def test_the_queue_and_its_counts_are_of_my_events(
        self, face: Face, foreign: Event, lea: User, client: Client
    ) -> None:
        for _ in range(3):
            make_unlabeled(SOMEBODY, photo=make_photo(foreign))
        counts = count_queue(user=lea)
        assert (counts.left, counts.total) == (1, 1)
        desk = read_desk(
            user=lea, place=Place(), item=QueueItem(kind="face", pk=face.pk, face_id=face.face_id)
        )
        assert [event.name for event in desk.events] == ["Mine"]
        assert desk.card is not None
        assert desk.card.ahead == []
        assert "Foreign Ball" not in client.get(f"/label/{face.face_id}/").text

    def test_the_frame_counts_my_events_alone(self, face: Face, foreign: Event, client: Client) -> None:
        for _ in range(3):
            make_unlabeled(SOMEBODY, photo=make_photo(foreign))
        frame = client.get("/people/").context["frame"]
        assert (frame.open_faces, frame.faces) == (1, 1)

    def test_the_event_of_another_cannot_be_chosen(self, face: Face, foreign: Event, client: Client) -> None:
        make_unlabeled(SOMEBODY, photo=make_photo(foreign))
        response = client.get(f"/label/?event={foreign.pk}", follow=True)
        assert response.context["desk"].place.event is None
        assert "Foreign Ball" not in response.text

    def test_faces_skipped_where_one_labels_no_more_are_not_counted(
        self, face: Face, foreign: Event, lea: User
    ) -> None:
        EventGrant.objects.create(user=lea, event=foreign, role="labeler")
        skipped = make_unlabeled(SOMEBODY, photo=make_photo(foreign)).face
        record_verdict(face=skipped, kind="skip", actor=User.objects.get(pk=lea.pk))
        EventGrant.objects.filter(user=lea, event=foreign).delete()
        counts = count_queue(user=User.objects.get(pk=lea.pk))
        assert (counts.left, counts.skipped, counts.total) == (1, 0, 1)

    def test_decisions_at_other_events_are_on_no_list(
        self, carol: Person, foreign: Event, lea: User, client: Client, labeler: User
    ) -> None:
        elsewhere = make_unlabeled(SOMEBODY, photo=make_photo(foreign)).face
        decision = label_face(face=elsewhere, person=carol, actor=labeler)
        own = label_face(face=fresh(elsewhere), name="Dora Foreign", actor=lea)
        for path in ("/decisions/", "/decisions/?who=mine", "/label/"):
            page = client.get(path, follow=True).text
            assert "Carol" not in page
            assert "Dora" not in page
            assert str(elsewhere.face_id) not in page
        for key in (decision.key, own.key):
            assert client.post(f"/decisions/{key}/undo/").status_code == 404
        assert Sighting.objects.get(face=elsewhere).person.name == "Dora Foreign"

    def test_a_name_that_somebody_else_took_off_my_face_leads_nowhere(
        self, face: Face, carol: Person, client: Client, labeler: User
    ) -> None:
        reject_person(face=face, person=carol, actor=labeler)
        page = client.get("/decisions/").text
        assert "Not Carol Foreign" in page
        assert reveals(page, carol) == []

    def test_decisions_of_an_event_that_is_being_deleted_are_gone_for_everybody(
        self, face: Face, carol: Person, mine: Event, labeler: User
    ) -> None:
        label_face(face=face, person=carol, actor=labeler)
        manager = signed_in(make_user("mona", "manager"))
        assert str(face.face_id) in manager.get("/decisions/").text
        Event.objects.filter(pk=mine.pk).update(deleted_at="2026-11-20T12:00Z")
        page = manager.get("/decisions/").text
        assert str(face.face_id) not in page
        assert "Carol Foreign" not in page


class TestListsElsewhere:
    """A person of both events has a list at each: lea's says nothing of the other."""

    @pytest.fixture
    def alice(self, mine: Event) -> Person:
        person = make_person("Alice")
        make_reference(person, BOB, photo=make_photo(mine))
        return person

    def look(self, person: Person, event: Event) -> Face:
        face = make_unlabeled(photo=make_photo(event)).face
        Look.objects.create(face=face, person=person, similarity=0.8, margin=0.3, verdict="suggest")
        return face

    def test_no_face_of_it_is_loaded_ahead(
        self, alice: Person, mine: Event, foreign: Event, client: Client
    ) -> None:
        own = [self.look(alice, mine) for _ in range(2)]
        other = [self.look(alice, foreign) for _ in range(2)]
        single = make_unlabeled(SOMEBODY, photo=make_photo(mine)).face
        page = client.get(f"/label/{single.face_id}/?queue=suggestions").text
        assert all(str(face.face_id) in page for face in own)
        assert not [face for face in other if str(face.face_id) in page]

    @pytest.mark.parametrize("path", ["/label/person/{}/", "/label/?queue=suggestions"])
    def test_who_asked_about_it_is_not_told(
        self, path: str, alice: Person, mine: Event, foreign: Event, client: Client
    ) -> None:
        for _ in range(2):
            self.look(alice, mine)
        record_verdicts(
            faces=[self.look(alice, foreign)],
            kind="ask",
            actor=make_local("fred", "labeler", foreign),
            person=alice,
        )
        assert "fred" not in client.get(path.format(alice.pk), follow=True).text

    @pytest.mark.parametrize(("where", "told"), [("mine", True), ("foreign", False), ("everywhere", True)])
    def test_only_a_colleague_who_has_it_open_is_told(
        self, where: str, told: bool, alice: Person, mine: Event, foreign: Event, lea: User, client: Client
    ) -> None:
        for _ in range(2):
            self.look(alice, mine)
        event = {"mine": mine, "foreign": foreign}.get(where)
        fred = make_local("fred", "labeler", event) if event else make_user("fred", "labeler")
        take_lease(user=fred, card=f"person-{alice.pk}")
        assert leased_by_others(lea) == ({f"person-{alice.pk}"} if told else set())
        assert ("fred" in client.get(f"/label/person/{alice.pk}/").text) is told
        assert Lease.objects.get(card=f"person-{alice.pk}").user == fred

    def test_whoever_labels_everywhere_is_told_of_everybody(
        self, alice: Person, lea: User, labeler: User
    ) -> None:
        take_lease(user=lea, card=f"person-{alice.pk}")
        assert leased_by_others(labeler) == {f"person-{alice.pk}"}
        assert take_lease(user=labeler, card=f"person-{alice.pk}") == "lea"

    def test_of_a_question_about_both_events_ones_own_faces_are_counted(
        self, alice: Person, mine: Event, foreign: Event, labeler: User, lea: User
    ) -> None:
        faces = [self.look(alice, event) for event in (mine, mine, foreign, foreign, foreign)]
        record_verdicts(faces=faces, kind="ask", actor=labeler, person=alice)
        assert [item.count for item in read_list(user=lea, verdict="asked", event=None, page=None).items] == [
            2
        ]
        UnlabeledFace.objects.filter(face__photo__event=mine).update(reviewed=True, verdict="poor")
        assert read_list(user=lea, verdict="asked", event=None, page=None).items == []


class TestMerge:
    """Of the two people everything is at lea's event; but a face of another one is said not to be one of them."""

    @pytest.fixture
    def both(self, mine: Event, foreign: Event, labeler: User) -> tuple[Person, Person]:
        keep, other = make_person("Alice"), make_person("Alicia")
        for person, vector in ((keep, ALICE), (other, BOB)):
            make_reference(person, vector, photo=make_photo(mine))
        for _ in range(3):
            face = make_unlabeled(photo=make_photo(foreign)).face
            reject_person(face=face, person=other, actor=labeler)
        return keep, other

    def test_the_faces_of_the_other_event_are_not_counted(
        self, both: tuple[Person, Person], client: Client
    ) -> None:
        keep, other = both
        values = {"with": other.pk, "key": uuid4()}
        page = client.post(f"/people/{keep.pk}/merge/", values, follow=True).text
        assert "1 face moved" in page

    def test_whoever_merged_them_takes_that_back(
        self, both: tuple[Person, Person], lea: User, client: Client
    ) -> None:
        keep, other = both
        decision = merge_people(keep=keep, other=other, actor=lea)
        client.post(f"/people/{keep.pk}/undo/{decision.key}/")
        other.refresh_from_db()
        assert other.merged_into is None
        assert Rejection.objects.filter(person=other).count() == 3

    def test_a_stranger_of_that_event_does_not(
        self, both: tuple[Person, Person], foreign: Event, lea: User
    ) -> None:
        keep, other = both
        decision = merge_people(keep=keep, other=other, actor=lea)
        fred = make_local("fred", "manager", foreign)
        signed_in(fred).post(f"/decisions/{decision.key}/undo/", {"back": "decisions"})
        other.refresh_from_db()
        assert other.merged_into == keep


def test_numbers_and_other_names_of_somebody_elsewhere_cannot_be_guessed(
    face: Face, carol: Person, lea: User, client: Client
) -> None:
    decision = label_face(face=face, person=carol, actor=lea)
    Sighting.objects.filter(face=face).delete()
    assert str(decision.key) in client.get("/decisions/?name=carol+for").text
    for secret in ("4711", "s-4711", "caz", "carol+caz"):
        assert str(decision.key) not in client.get(f"/decisions/?name={secret}").text


def test_a_card_that_is_left_is_called_by_any_bytes(client: Client) -> None:
    assert client.post("/label/leave/", {"card": "cluster-\0" + "9" * 500}).status_code == 204
