"""Labeling over the API: the queue, the verdicts, names that are unclear, conflicts, undo."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from access.models import EventGrant
from labeling.models import Decision, Rejection
from recognition.models import Event, Face, Person, Sighting, UnlabeledFace
from tests.api.conftest import Api, Side, local_user, problem_of
from tests.conftest import make_user
from tests.factories import make_event, make_person, make_reference, make_unlabeled, unit_vectors, vector_near

ALICE, BOB = unit_vectors(2, seed=5)


@pytest.fixture
def api(labeler: User) -> Api:
    return Api(labeler, "label", "read")


def test_the_queue_gives_the_next_face_with_its_suggestions(api: Api) -> None:
    alice = make_person("Alice")
    reference = make_reference(alice, ALICE)
    face = make_unlabeled(vector_near(ALICE, 0.8)).face
    found = api.get("queue/next/").json()
    assert found["face"]["face_id"] == str(face.face_id)
    assert found["face"]["state"] == "open"
    assert found["photo"]["name"] == face.photo.name
    suggestion = found["suggestions"][0]
    assert suggestion["person"] == {"id": alice.pk, "name": "Alice"}
    assert suggestion["similarity"] == pytest.approx(0.8, abs=0.01)
    assert suggestion["references"] == [f"/api/v1/faces/{reference.face_id}/crop.jpg"]
    assert found["counts"]["left"] == 1
    again = api.get(f"faces/{face.face_id}/suggestions/", k=1).json()
    assert again["suggestions"] == [suggestion]


def test_an_empty_queue_has_no_face(api: Api) -> None:
    found = api.get("queue/next/").json()
    assert (found["face"], found["suggestions"]) == (None, [])
    assert api.get("queue/").json()["left"] == 0


def test_the_queue_of_one_event(api: Api, mine: Side, foreign: Side) -> None:
    assert api.get("queue/next/", event=mine.event.pk).json()["face"]["event"] == mine.event.pk
    assert api.get("queue/", event=foreign.event.pk).json()["left"] == 1


def test_the_queue_of_a_foreign_event_is_not_there(mine: Side, foreign: Side) -> None:
    local = Api(local_user(mine.event, "labeler"))
    problem_of(local.get("queue/next/", event=foreign.event.pk), 404)
    assert local.get("queue/next/").json()["face"]["event"] == mine.event.pk


def test_of_people_elsewhere_a_suggestion_has_the_name_alone(mine: Side) -> None:
    make_reference(make_person("Alice"), ALICE)
    face = make_unlabeled(vector_near(ALICE, 0.8), photo=mine.photo).face
    local = Api(local_user(mine.event, "labeler"))
    suggestion = local.get(f"faces/{face.face_id}/suggestions/").json()["suggestions"][0]
    assert suggestion["person"]["name"] == "Alice"
    assert (suggestion["name_alone"], suggestion["references"], suggestion["reference_count"]) == (
        True,
        [],
        None,
    )


def test_a_face_is_named_by_a_persons_id(api: Api, mine: Side) -> None:
    alice = make_person("Alice")
    answer = api.post(f"faces/{mine.open.face_id}/label/", {"person": alice.pk, "version": 0})
    assert answer.status_code == 200
    body = answer.json()
    assert body["decision"]["person"] == {"id": alice.pk, "name": "Alice"}
    assert body["decision"]["actor"] == "lena"
    assert (body["face"]["state"], body["face"]["version"]) == ("verified", 1)
    assert Sighting.objects.get(face=mine.open).decided_by_user == User.objects.get(username="lena")


def test_a_typing_error_creates_nobody(api: Api, mine: Side) -> None:
    before = Person.objects.count()
    problem = problem_of(api.post(f"faces/{mine.open.face_id}/label/", {"name": "Alcie"}), 422)
    assert (problem["code"], problem["people"]) == ("name_unknown", [])
    assert Person.objects.count() == before


def test_new_creates_a_person_and_the_name_is_enough_from_then_on(
    api: Api, mine: Side, foreign: Side
) -> None:
    first = api.post(f"faces/{mine.open.face_id}/label/", {"name": "Alice", "new": True}).json()
    assert first["decision"]["created_person"] is True
    second = api.post(f"faces/{foreign.open.face_id}/label/", {"name": "ALICE"}).json()
    assert second["decision"]["person"] == first["decision"]["person"]


def test_new_for_a_name_that_somebody_has_asks_first(api: Api, mine: Side) -> None:
    alice = make_person("Alice")
    path = f"faces/{mine.open.face_id}/label/"
    problem = problem_of(api.post(path, {"name": "alice", "new": True}), 422)
    assert (problem["code"], [person["id"] for person in problem["people"]]) == ("name_taken", [alice.pk])
    answer = api.post(path, {"name": "Alice", "another": True}).json()
    assert answer["decision"]["person"]["id"] != alice.pk


def test_a_name_that_several_share_lists_them_and_takes_the_chosen_one(mine: Side) -> None:
    both = [make_person("Alice"), make_person("Alice")]
    local = Api(local_user(mine.event, "labeler"))
    path = f"faces/{mine.open.face_id}/label/"
    problem = problem_of(local.post(path, {"name": "Alice"}), 422)
    assert problem["code"] == "name_shared"
    assert {person["id"] for person in problem["people"]} == {person.pk for person in both}
    answer = local.post(path, {"name": "Alice", "person": both[1].pk})
    assert answer.json()["decision"]["person"]["id"] == both[1].pk


@pytest.mark.parametrize("more", [{}, {"new": True}, {"another": True}, {"twice": True}])
def test_an_id_with_somebody_elses_name_labels_nobody(
    more: dict[str, object], mine: Side, manager: User
) -> None:
    asked = {"person": make_person("Alice").pk, "name": "Bob", **more}
    api = Api(manager)
    answer = api.post(f"faces/{mine.open.face_id}/label/", asked)
    assert problem_of(answer, 422)["code"] == "person_not_offered"
    assert not Decision.objects.exists()
    assert not Person.objects.filter(name="Bob").exists()
    right = {**asked, "name": "alice"}
    assert api.post(f"faces/{mine.open.face_id}/label/", right).status_code == 200


def test_an_id_with_somebody_elses_name_rejects_nobody(mine: Side, manager: User) -> None:
    path = f"faces/{mine.named.face_id}/reject/"
    answer = Api(manager).post(path, {"person": mine.person.pk, "name": "Bob"})
    assert problem_of(answer, 422)["code"] == "person_not_offered"
    assert Sighting.objects.filter(face=mine.named, person=mine.person).exists()


def test_ids_cannot_be_tried_to_learn_names(mine: Side, foreign: Side) -> None:
    local = Api(local_user(mine.event, "labeler"))
    answer = local.post(f"faces/{mine.open.face_id}/label/", {"person": foreign.person.pk})
    assert problem_of(answer, 422)["code"] == "person_not_offered"
    assert "Foreign" not in answer.content.decode()


def test_a_person_who_is_not_there_is_like_one_who_is_elsewhere(mine: Side, foreign: Side) -> None:
    local = Api(local_user(mine.event, "labeler"))
    for verb in ("label", "reject"):
        path = f"faces/{mine.open.face_id}/{verb}/"
        gone, elsewhere = (local.post(path, {"person": pk}) for pk in (99_999, foreign.person.pk))
        assert problem_of(gone, 422) == problem_of(elsewhere, 422)
        wrong = local.post(path, {"person": foreign.person.pk, "name": "Somebody"})
        assert problem_of(wrong, 422) == problem_of(gone, 422)


def test_nobody_is_on_a_photo_twice_unless_said_so(api: Api, mine: Side) -> None:
    path = f"faces/{mine.open.face_id}/label/"
    problem = problem_of(api.post(path, {"person": mine.person.pk}), 422)
    assert (problem["code"], problem["beside"]) == ("already_on_photo", str(mine.named.face_id))
    assert api.post(path, {"person": mine.person.pk, "twice": True}).status_code == 200


@pytest.mark.parametrize(
    "body", [{}, {"person": None}, {"name": ""}, {"twice": True, "name": "Alice"}, {"person": "x"}]
)
def test_a_label_without_a_person_is_invalid(body: dict[str, object], api: Api, mine: Side) -> None:
    assert problem_of(api.post(f"faces/{mine.open.face_id}/label/", body), 422)["code"] == "invalid"


def test_a_name_that_is_too_long_is_refused(api: Api, mine: Side) -> None:
    answer = api.post(f"faces/{mine.open.face_id}/label/", {"name": "x" * 300, "new": True})
    assert problem_of(answer, 422)["code"] == "name_refused"


@pytest.mark.parametrize(("verb", "verdict"), [("stranger", "stranger"), ("not-a-face", "not_a_face")])
def test_a_face_is_closed_without_a_name(verb: str, verdict: str, api: Api, mine: Side) -> None:
    answer = api.post(f"faces/{mine.open.face_id}/{verb}/", {})
    assert answer.json()["face"]["state"] == verdict
    assert UnlabeledFace.objects.get(face=mine.open).verdict == verdict


def test_a_skipped_face_comes_back_when_asked_for(api: Api, mine: Side) -> None:
    assert api.post(f"faces/{mine.open.face_id}/skip/", {}).status_code == 200
    assert api.get("queue/next/").json()["face"] is None
    assert api.get("queue/next/", skipped="true").json()["face"]["face_id"] == str(mine.open.face_id)


def test_a_rejected_person_is_taken_off_the_face(api: Api, mine: Side) -> None:
    answer = api.post(f"faces/{mine.named.face_id}/reject/", {"person": mine.person.pk})
    assert answer.json()["face"]["state"] == "open"
    assert Rejection.objects.get().person == mine.person


def test_who_comes_second_gets_the_first_ones_decision(api: Api, mine: Side) -> None:
    other = Api(make_user("lars", "labeler"))
    path = f"faces/{mine.open.face_id}/label/"
    assert other.post(path, {"name": "Bob", "new": True, "version": 0}).status_code == 200
    problem = problem_of(api.post(path, {"name": "Carol", "new": True, "version": 0}), 409)
    assert problem["code"] == "conflict"
    assert problem["decided"]["person"]["name"] == "Bob"
    assert problem["face"]["version"] == 1
    assert not Person.objects.filter(name="Carol").exists()


def test_a_decision_is_undone_by_its_key(api: Api, mine: Side) -> None:
    made = api.post(f"faces/{mine.open.face_id}/label/", {"name": "Alice", "new": True}).json()
    key = made["decision"]["key"]
    undone = api.post(f"decisions/{key}/undo/").json()
    assert undone["decision"]["undone_at"]
    assert undone["face"]["state"] == "open"
    assert not Sighting.objects.filter(face=mine.open).exists()
    assert problem_of(api.post(f"decisions/{key}/undo/"), 409)["code"] == "undo_refused"


def test_somebody_elses_decision_is_a_managers_to_undo(api: Api, mine: Side, manager: User) -> None:
    key = api.post(f"faces/{mine.open.face_id}/stranger/").json()["decision"]["key"]
    other = Api(make_user("lars", "labeler"))
    assert problem_of(other.post(f"decisions/{key}/undo/"), 403)["code"] == "forbidden"
    assert Api(manager).post(f"decisions/{key}/undo/").status_code == 200


def test_a_foreign_decision_is_not_there(api: Api, mine: Side, foreign: Side) -> None:
    key = api.post(f"faces/{foreign.open.face_id}/stranger/").json()["decision"]["key"]
    problem_of(Api(local_user(mine.event, "manager")).post(f"decisions/{key}/undo/"), 404)
    assert Decision.objects.get(key=key).undone_at is None


def test_decisions_are_listed_newest_first(api: Api, mine: Side, foreign: Side, manager: User) -> None:
    api.post(f"faces/{mine.open.face_id}/stranger/")
    Api(manager).post(f"faces/{foreign.open.face_id}/not-a-face/")
    assert [row["kind"] for row in api.get("decisions/").json()["results"]] == ["not_a_face", "stranger"]
    assert [row["actor"] for row in api.get("decisions/", mine="true").json()["results"]] == ["lena"]
    local = Api(local_user(mine.event, "labeler"))
    assert [row["face_id"] for row in local.get("decisions/").json()["results"]] == [str(mine.open.face_id)]


def test_faces_are_filtered_by_what_was_decided(api: Api, mine: Side, foreign: Side) -> None:
    api.post(f"faces/{foreign.open.face_id}/stranger/")
    for state, expected in {
        "open": {mine.open},
        "stranger": {foreign.open},
        "verified": {mine.named, foreign.named},
        "machine": set(),
        "not_a_face": set(),
    }.items():
        found = {face["face_id"] for face in api.get("faces/", state=state).json()["results"]}
        assert found == {str(face.face_id) for face in expected}
    assert api.get("faces/", person=mine.person.pk).json()["count"] == 1
    assert api.get("faces/", photo=mine.photo.pk).json()["count"] == 2


def test_no_answer_holds_a_vector(api: Api, mine: Side) -> None:
    make_unlabeled(ALICE, photo=mine.photo)
    for path in ("faces/", "queue/next/", f"photos/{mine.photo.pk}/", "sightings/"):
        text = api.get(path).content.decode()
        assert "vector" not in text
        assert "embedding" not in text.replace("embedder_id", "")
    assert Face.objects.count() == 3


def test_decisions_of_an_event_that_is_being_deleted_are_gone_for_everybody(
    mine: Side, labeler: User
) -> None:
    api = Api(labeler)
    api.post(f"faces/{mine.open.face_id}/label/", {"name": "Alice", "new": True})
    assert api.get("decisions/").json()["count"] == 1
    Event.objects.filter(pk=mine.event.pk).update(deleted_at="2026-11-20T12:00Z")
    assert api.get("decisions/").json()["count"] == 0


def many(*sides: Side, **body: object) -> dict[str, object]:
    return {"faces": [str(side.open.face_id) for side in sides], **body}


def test_many_faces_are_one_decision_that_is_undone_and_done_again(
    api: Api, mine: Side, foreign: Side
) -> None:
    made = api.post("decisions/", many(mine, foreign, name="Alice", new=True)).json()
    assert (made["decision"]["face_count"], made["left_open"]) == (2, [])
    key = made["decision"]["key"]
    assert Sighting.objects.filter(person__name="Alice").count() == 2
    assert api.post(f"decisions/{key}/undo/").json()["taken_back"] == 0
    assert Sighting.objects.filter(person__name="Alice").count() == 0
    assert api.post(f"decisions/{key}/redo/").status_code == 200
    whole = api.get(f"decisions/{key}/").json()
    assert set(whole["faces"]) == {str(mine.open.face_id), str(foreign.open.face_id)}
    assert (whole["caused"], whole["undone_at"]) == ([], None)


def test_a_face_whose_photo_shows_the_person_stays_open(api: Api, mine: Side, foreign: Side) -> None:
    made = api.post("decisions/", many(mine, foreign, person=mine.person.pk)).json()
    assert made["decision"]["face_count"] == 1
    assert made["left_open"] == [str(mine.open.face_id)]


@pytest.mark.parametrize("verdict", ["skip", "ask", "stranger", "not_a_face", "poor", "reopen"])
def test_many_faces_get_any_verdict(verdict: str, api: Api, mine: Side, foreign: Side) -> None:
    made = api.post("decisions/", many(mine, foreign, verdict=verdict)).json()
    assert (made["decision"]["kind"], made["decision"]["face_count"]) == (verdict, 2)


def test_many_faces_are_none_of_several_people(api: Api, mine: Side, foreign: Side) -> None:
    people = [mine.person.pk, foreign.person.pk]
    assert api.post("decisions/", many(mine, foreign, reject=people)).status_code == 200
    assert Rejection.objects.count() == 4


def test_a_conflict_about_one_of_many_writes_nothing(api: Api, mine: Side, foreign: Side) -> None:
    api.post(f"faces/{mine.open.face_id}/stranger/")
    asked = many(mine, foreign, name="Alice", new=True, versions=[0, 0])
    problem = problem_of(api.post("decisions/", asked), 409)
    assert (problem["code"], problem["decided"]["kind"]) == ("conflict", "stranger")
    assert not Person.objects.filter(name="Alice").exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"verdict": "stranger", "name": "Alice"},
        {"verdict": "stranger", "versions": [1, 2]},
        {"verdict": "label"},
        {"reject": []},
    ],
)
def test_what_is_unclear_about_many_is_refused(body: dict[str, object], api: Api, mine: Side) -> None:
    problem_of(api.post("decisions/", many(mine, **body)), 422)
    assert not Decision.objects.exists()


def test_many_faces_with_a_foreign_one_are_not_there(mine: Side, foreign: Side) -> None:
    local = Api(local_user(mine.event, "labeler"))
    problem_of(local.post("decisions/", many(mine, foreign, verdict="stranger")), 404)
    assert not Decision.objects.exists()


def test_many_faces_with_one_that_somebody_only_sees_are_refused(mine: Side, foreign: Side) -> None:
    user = local_user(mine.event, "labeler")
    EventGrant.objects.create(user=user, event=foreign.event, role="viewer")
    problem_of(Api(user).post("decisions/", many(mine, foreign, verdict="stranger")), 403)
    assert not Decision.objects.exists()


def test_an_answer_about_many_is_not_repeated_to_who_lost_the_event(mine: Side) -> None:
    user = local_user(mine.event, "labeler")
    body = many(mine, name="Alice", new=True)
    # Still a labeler somewhere, so that the address itself stays open.
    EventGrant.objects.create(user=user, event=make_event(), role="labeler")
    assert Api(user).post("decisions/", body, key="k").status_code == 200
    EventGrant.objects.filter(user=user, event=mine.event).delete()
    problem_of(Api(User.objects.get(pk=user.pk)).post("decisions/", body, key="k"), 404)


def test_the_list_is_filtered(api: Api, mine: Side, foreign: Side, manager: User) -> None:
    named = api.post(f"faces/{mine.open.face_id}/label/", {"person": foreign.person.pk}).json()["decision"]
    other = Api(manager).post(f"faces/{foreign.open.face_id}/poor/").json()["decision"]
    Api(manager).post(f"decisions/{other['key']}/undo/")

    def keys(**query: object) -> list[str]:
        return [row["key"] for row in api.get("decisions/", **query).json()["results"]]

    assert keys() == [other["key"], named["key"]]
    for query in (
        {"event": mine.event.pk},
        {"person": foreign.person.pk},
        {"actor": "lena"},
        {"mine": "true"},
        {"kind": "label"},
        {"undone": "false"},
    ):
        assert keys(**query) == [named["key"]], query
    local = Api(local_user(mine.event, "labeler"))
    problem_of(local.get("decisions/", event=foreign.event.pk), 404)


def test_of_a_decision_over_several_events_one_is_told_of_ones_own(
    api: Api, mine: Side, foreign: Side
) -> None:
    made = api.post("decisions/", many(foreign, mine, verdict="stranger")).json()["decision"]
    local = Api(local_user(mine.event, "labeler"))
    [row] = local.get("decisions/").json()["results"]
    assert (row["face_id"], row["face_count"]) == (str(mine.open.face_id), 1)
    assert local.get(f"decisions/{made['key']}/").json()["faces"] == [str(mine.open.face_id)]
    problem_of(local.post(f"decisions/{made['key']}/undo/"), 403)
    assert not Decision.objects.get().undone


def test_an_undo_may_keep_what_it_caused(api: Api, mine: Side, foreign: Side) -> None:
    made = api.post(f"faces/{mine.open.face_id}/label/", {"name": "Alice", "new": True}).json()["decision"]
    Sighting.objects.create(
        face=foreign.open,
        person=Person.objects.get(name="Alice"),
        similarity=0.9,
        references=[mine.open.pk],
        decided_by="machine",
        seen_at=foreign.photo.taken_at,
    )
    assert api.get(f"decisions/{made['key']}/").json()["caused"] == [str(foreign.open.face_id)]
    kept = api.post(f"decisions/{made['key']}/undo/", {"keep_caused": True}).json()
    assert kept["taken_back"] == 0
    api.post(f"decisions/{made['key']}/redo/")
    assert api.post(f"decisions/{made['key']}/undo/").json()["taken_back"] == 1
    assert not Sighting.objects.filter(face=foreign.open).exists()
