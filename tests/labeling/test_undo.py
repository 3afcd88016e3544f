from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from labeling.decisions import (
    ReferenceRefused,
    UndoRefused,
    label_face,
    record_verdict,
    reject_person,
    set_reference,
    undo_decision,
)
from labeling.evidence import weigh_face
from labeling.models import Decision, Rejection
from recognition.models import Face, Person, Sighting, UnlabeledFace
from recognition.photos.removal import remove_photos
from recognition.search import find_top_k
from tests.conftest import signed_in
from tests.factories import make_embedding, make_face, make_person, make_reference, make_unlabeled
from tests.labeling.conftest import ALICE, BOB, SOMEBODY, fresh

Decide = Callable[[Face, User], Decision]
DECISIONS: dict[str, Decide] = {
    "label": lambda face, actor: label_face(face=face, actor=actor, name="Alice"),
    "another": lambda face, actor: label_face(face=face, actor=actor, name="Zoe", new=True),
    "stranger": lambda face, actor: record_verdict(face=face, kind="stranger", actor=actor),
    "not_a_face": lambda face, actor: record_verdict(face=face, kind="not_a_face", actor=actor),
    "skip": lambda face, actor: record_verdict(face=face, kind="skip", actor=actor),
}


def rows_of(face: Face) -> dict[str, Any]:
    """Everything that a decision may touch, but for the face's version."""
    return {
        "sighting": list(Sighting.objects.filter(face=face).values()),
        "unlabeled": list(UnlabeledFace.objects.filter(face=face).values()),
        "people": list(Person.objects.current().order_by("pk").values()),
    }


def known_to_search() -> set[tuple[int, tuple[int, ...]]]:
    return {(score.person_id, score.references) for score in find_top_k(SOMEBODY)}


@pytest.mark.parametrize("kind", DECISIONS)
def test_undo_restores_an_open_face_exactly(face: Face, labeler: User, kind: str) -> None:
    before, searched = rows_of(face), known_to_search()
    undo_decision(decision=DECISIONS[kind](face, labeler), actor=labeler)
    assert rows_of(face) == before
    assert known_to_search() == searched


@pytest.mark.parametrize("kind", DECISIONS)
def test_undo_restores_a_face_that_the_machine_named_exactly(labeler: User, kind: str) -> None:
    face = make_face()
    Sighting.objects.create(
        face=face,
        person=make_person("Bob"),
        similarity=0.8123456789,
        margin=0.2,
        references=[4, 5],
        thresholds={"automatic": 0.7},
        embedder_id="facenet-vggface2",
        decided_by="machine",
        seen_at=face.photo.taken_at,
    )
    Sighting.objects.update(created_at=timezone.now() - timedelta(days=30, microseconds=17))
    before = rows_of(face)
    undo_decision(decision=DECISIONS[kind](face, labeler), actor=labeler)
    assert rows_of(face) == before


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kinds=st.lists(st.sampled_from(sorted(DECISIONS)), min_size=1, max_size=5))
def test_undoing_any_row_of_decisions_backwards_goes_through_the_same_states(
    face: Face, labeler: User, kinds: list[str]
) -> None:
    states, made = [], []
    for kind in kinds:
        states.append((rows_of(face), known_to_search()))
        made.append(DECISIONS[kind](fresh(face), labeler))
    for decision, state in zip(reversed(made), reversed(states), strict=True):
        undo_decision(decision=decision, actor=labeler)
        assert (rows_of(face), known_to_search()) == state


def decide_about(face: Face, actor: User, word: str, person: Person) -> Decision | None:
    """None where a face without a verified name was to be a reference."""
    try:
        if word == "reject":
            return reject_person(face=face, person=person, actor=actor)
        if word in {"reference", "unreference"}:
            return set_reference(face=face, reference=word == "reference", actor=actor)
        if word == "label":
            return label_face(face=face, person=person, actor=actor)
        return record_verdict(face=face, kind=word, actor=actor)
    except ReferenceRefused:
        return None


def everything_about(face: Face) -> dict[str, Any]:
    rejections = Rejection.objects.filter(face=face).order_by("person")
    return {
        **rows_of(face),
        "rejections": list(rejections.values_list("person", "decision")),
        "suggested": [score.person_id for score in weigh_face(face).scores],
        "searched": known_to_search(),
    }


def check_that_it_holds_together(face: Face) -> None:
    """A face is named, or in the queue, or closed; and nobody's name is on a face that is said not to be theirs."""
    sighting = Sighting.objects.filter(face=face).first()
    entry = UnlabeledFace.objects.filter(face=face).first()
    closed = entry is not None and entry.reviewed and entry.verdict in {"stranger", "not_a_face"}
    waits = entry is not None and not entry.reviewed
    assert [sighting is not None, closed, waits].count(True) == 1
    rejected = set(Rejection.objects.filter(face=face).values_list("person", flat=True))
    assert sighting is None or sighting.person_id not in rejected
    assert rejected.isdisjoint(score.person_id for score in weigh_face(face).scores)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    named=st.booleans(),
    steps=st.lists(
        st.tuples(
            st.sampled_from(
                ["label", "reject", "reference", "unreference", "stranger", "not_a_face", "skip"]
            ),
            st.integers(0, 1),
        ),
        min_size=1,
        max_size=8,
    ),
)
def test_whatever_is_decided_about_a_face_holds_together_and_is_undone_exactly(
    labeler: User, named: bool, steps: list[tuple[str, int]]
) -> None:
    people = [Person.objects.get_or_create(name=name)[0] for name in ("Alice", "Bob")]
    if not Sighting.objects.filter(is_reference=True).exists():
        for person, vector in zip(people, (ALICE, BOB), strict=True):
            make_reference(person, vector)
    if named:
        face = make_face()
        make_embedding(face, SOMEBODY)
        name_by_machine(face, people[0])
    else:
        face = make_unlabeled(SOMEBODY).face
    states, made = [], []
    for word, number in steps:
        state = everything_about(face)
        if (decision := decide_about(fresh(face), labeler, word, people[number])) is not None:
            states.append(state)
            made.append(decision)
        check_that_it_holds_together(face)
    for decision, state in zip(reversed(made), reversed(states), strict=True):
        undo_decision(decision=decision, actor=labeler)
        check_that_it_holds_together(face)
        assert everything_about(face) == state


Step = tuple[str, int, str]
STEPS: st.SearchStrategy[Step] = st.tuples(
    st.sampled_from(["label", "machine", "stranger", "reject", "undo"]),
    st.integers(0, 2),
    st.sampled_from(["Ann", "Bo"]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=2, max_size=10), data=st.data())
@example(
    steps=[("label", 0, "Bo"), ("machine", 1, "Bo"), ("stranger", 1, "Bo"), ("undo", 0, "Bo")], data=None
)
@example(steps=[("label", 0, "Bo"), ("label", 1, "Bo"), ("undo", 0, "Bo")], data=None)
def test_no_undo_makes_another_impossible_and_nobody_without_a_face_stays(
    labeler: User, steps: list[Step], data: st.DataObject | None
) -> None:
    with transaction.atomic():
        faces, standing = [make_face() for _ in range(3)], list[Decision]()
        for kind, number, name in steps:
            face = fresh(faces[number])
            if kind == "undo":
                undo_one_of(standing, number, labeler)
            elif kind == "label":
                standing.append(label_face(face=face, actor=labeler, name=name))
            elif kind == "stranger":
                standing.append(record_verdict(face=face, kind="stranger", actor=labeler))
            elif (person := Person.objects.named(name).first()) is None:
                continue
            elif kind == "reject":
                standing.append(reject_person(face=face, person=person, actor=labeler))
            elif not (
                Sighting.objects.filter(face=face).exists()
                or any(decision.face_id == face.pk for decision in standing)
            ):
                name_by_machine(face, person)
        while standing:
            undo_one_of(standing, data.draw(st.integers(0, 9)) if data else 0, labeler)
        assert not Person.objects.current().filter(sightings=None).exists()
        assert not Sighting.objects.filter(decided_by="human").exists()
        transaction.set_rollback(True)


def undo_one_of(standing: list[Decision], number: int, actor: User) -> None:
    """One of those that no later decision about the same face stands on."""
    free = list({decision.face_id: decision for decision in standing}.values())
    if free:
        decision = free[number % len(free)]
        undo_decision(decision=decision, actor=actor)
        standing.remove(decision)


def name_by_machine(face: Face, person: Person) -> None:
    Sighting.objects.update_or_create(
        face=face,
        defaults={
            "person": person,
            "similarity": 0.8,
            "decided_by": "machine",
            "seen_at": face.photo.taken_at,
        },
    )


def test_undo_still_works_where_the_account_that_named_the_face_before_is_gone(
    face: Face, labeler: User, manager: User
) -> None:
    label_face(face=face, actor=manager, name="Alice")
    correction = label_face(face=face, actor=labeler, name="Bob")
    manager.delete()
    undo_decision(decision=correction, actor=labeler)
    sighting = Sighting.objects.get(face=face)
    assert (sighting.person.name, sighting.decided_by, sighting.decided_by_user) == ("Alice", "human", None)
    connection.check_constraints()


def test_a_person_whom_an_undo_would_bring_back_stays(face: Face, labeler: User) -> None:
    created = label_face(face=face, actor=labeler, name="Bbo")
    other = make_face()
    assert created.person is not None
    name_by_machine(other, created.person)
    stranger = record_verdict(face=other, kind="stranger", actor=labeler)
    undo_decision(decision=created, actor=labeler)
    undo_decision(decision=stranger, actor=labeler)
    assert Sighting.objects.get(face=other).person == created.person


def test_a_person_goes_with_the_last_of_their_decisions_whatever_the_order(face: Face, labeler: User) -> None:
    decisions = [label_face(face=one, actor=labeler, name="Bbo") for one in (face, make_face())]
    for decision in decisions:
        assert Person.objects.current().filter(name="Bbo").exists()
        undo_decision(decision=decision, actor=labeler)
    assert not Person.objects.current().filter(name="Bbo").exists()


def test_undo_moves_the_version_so_that_older_cards_are_told_apart(face: Face, labeler: User) -> None:
    decision = label_face(face=face, actor=labeler, name="Alice")
    undo_decision(decision=decision, actor=labeler)
    assert fresh(face).version == face.version + 2


def test_a_decision_of_last_year_can_be_undone(face: Face, labeler: User) -> None:
    decision = label_face(face=face, actor=labeler, name="Alice")
    Decision.objects.update(created_at=timezone.now() - timedelta(days=400))
    undone = undo_decision(decision=Decision.objects.get(pk=decision.pk), actor=labeler)
    assert undone.undone
    assert undone.undone_by == labeler
    assert not Sighting.objects.exists()


def test_a_later_decision_about_the_face_stands_in_the_way(face: Face, labeler: User) -> None:
    first = label_face(face=face, actor=labeler, name="Alice")
    second = label_face(face=face, actor=labeler, name="Bob")
    before = rows_of(face)
    with pytest.raises(UndoRefused) as refused:
        undo_decision(decision=first, actor=labeler)
    assert refused.value.later == second
    assert rows_of(face) == before
    assert not Decision.objects.get(pk=first.pk).undone
    undo_decision(decision=second, actor=labeler)
    undo_decision(decision=first, actor=labeler)
    assert not Sighting.objects.exists()


def test_a_later_skip_does_not_stand_in_the_way(face: Face, labeler: User, manager: User) -> None:
    decision = label_face(face=face, actor=labeler, name="Alice")
    record_verdict(face=face, kind="skip", actor=manager)
    assert undo_decision(decision=decision, actor=labeler).undone


def test_undo_is_refused_where_the_photo_was_deleted_since_it_was_asked_for(
    face: Face, labeler: User
) -> None:
    decision = label_face(face=face, actor=labeler, name="Alice")
    with transaction.atomic():
        remove_photos([face.photo_id])
    with pytest.raises(UndoRefused, match=r"The faces of this decision are gone\."):
        undo_decision(decision=decision, actor=labeler)
    decision.refresh_from_db()
    assert decision.face is None
    assert not decision.undone
    assert not Sighting.objects.exists()


def test_undoing_twice_changes_nothing_the_second_time(face: Face, labeler: User) -> None:
    decision = label_face(face=face, actor=labeler, name="Alice")
    first = undo_decision(decision=decision, actor=labeler)
    with pytest.raises(UndoRefused, match="already"):
        undo_decision(decision=decision, actor=labeler)
    assert Decision.objects.get(pk=decision.pk).undone_at == first.undone_at
    assert fresh(face).version == face.version + 2


def test_a_person_that_came_with_the_decision_stays_if_somebody_uses_them(face: Face, labeler: User) -> None:
    decision = label_face(face=face, actor=labeler, name="Alice")
    label_face(face=make_face(), actor=labeler, name="Alice")
    undo_decision(decision=decision, actor=labeler)
    assert Person.objects.current().filter(name="Alice").count() == 1


def test_a_person_that_another_decision_would_bring_back_stays(face: Face, labeler: User) -> None:
    decision = label_face(face=face, actor=labeler, name="Alice")
    other = make_face()
    label_face(face=other, actor=labeler, name="Alice")
    renamed = label_face(face=other, actor=labeler, name="Bob")
    undo_decision(decision=decision, actor=labeler)
    undo_decision(decision=renamed, actor=labeler)
    assert Sighting.objects.get(face=other).person.name == "Alice"


def test_a_person_that_somebody_described_since_stays(face: Face, labeler: User) -> None:
    decision = label_face(face=face, actor=labeler, name="Alice")
    assert decision.person is not None
    decision.person.external_id = "s-1"
    decision.person.save()
    undo_decision(decision=decision, actor=labeler)
    assert Person.objects.current().filter(external_id="s-1").exists()


def test_a_person_who_was_there_before_is_never_removed(face: Face, labeler: User) -> None:
    make_person("Alice")
    undo_decision(decision=label_face(face=face, actor=labeler, name="Alice"), actor=labeler)
    assert Person.objects.current().filter(name="Alice").exists()


def test_undo_is_refused_where_the_person_of_before_is_gone(labeler: User) -> None:
    face = make_face()
    bob = make_person("Bob")
    Sighting.objects.create(
        face=face, person=bob, similarity=0.8, decided_by="machine", seen_at=face.photo.taken_at
    )
    decision = record_verdict(face=face, kind="stranger", actor=labeler)
    bob.delete()
    with pytest.raises(UndoRefused, match="gone"):
        undo_decision(decision=decision, actor=labeler)
    assert not Decision.objects.get(pk=decision.pk).undone
    assert UnlabeledFace.objects.get(face=face).verdict == "stranger"


def test_a_labeler_may_not_undo_a_colleagues_decision_and_a_manager_may(
    face: Face, labeler: User, manager: User
) -> None:
    decision = label_face(face=face, actor=manager, name="Alice")
    with pytest.raises(PermissionDenied):
        undo_decision(decision=decision, actor=labeler)
    assert Sighting.objects.exists()
    own = label_face(face=make_face(), actor=labeler, name="Bob")
    assert undo_decision(decision=own, actor=manager).undone


def test_the_undo_page_refuses_everyone_who_may_not(
    face: Face, labeler: User, manager: User, outsider: User, uploader: User
) -> None:
    decision = label_face(face=face, actor=manager, name="Alice")
    url = f"/decisions/{decision.key}/undo/"
    for user in (labeler, outsider, uploader):
        assert signed_in(user).post(url).status_code == 403
    assert signed_in(manager).get(url).status_code == 405
    assert not Decision.objects.get(pk=decision.pk).undone


def test_the_undo_page_goes_back_to_the_face(face: Face, as_labeler: Any, hx: Any, labeler: User) -> None:
    decision = label_face(face=face, actor=labeler, name="Alice")
    response = as_labeler.post(f"/decisions/{decision.key}/undo/")
    assert (response.status_code, response["Location"]) == (302, f"/label/{face.face_id}/")
    decision = label_face(face=fresh(face), actor=labeler, name="Alice")
    response = hx.post(f"/decisions/{decision.key}/undo/")
    assert response.status_code == 200
    assert response["HX-Replace-Url"] == f"/label/{face.face_id}/"
    assert "Undone: Alice." in response.text


def test_a_refused_undo_names_the_later_decision(face: Face, as_labeler: Any, labeler: User) -> None:
    first = label_face(face=face, actor=labeler, name="Alice")
    label_face(face=face, actor=labeler, name="Bob")
    for data in ({}, {"back": "decisions"}):
        response = as_labeler.post(f"/decisions/{first.key}/undo/", data)
        assert response.status_code == 409
        assert "lena named this face Bob" in response.text
    assert as_labeler.post("/decisions/00000000-0000-0000-0000-000000000000/undo/").status_code == 404


def test_the_list_of_decisions_undoes_and_comes_back(face: Face, as_labeler: Any, labeler: User) -> None:
    decision = label_face(face=face, actor=labeler, name="Alice")
    page = as_labeler.get("/decisions/").text
    assert f"/decisions/{decision.key}/undo/" in page
    response = as_labeler.post(f"/decisions/{decision.key}/undo/", {"back": "decisions"})
    assert (response.status_code, response["Location"]) == (302, "/decisions/")
    assert f"/decisions/{decision.key}/undo/" not in as_labeler.get("/decisions/").text
