"""A face that was verified under the wrong name: everything it caused is listed, and one decision takes it back.

The truth is a second world, in which the same people do the same things to the same faces, but for the one wrong name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from numpy.typing import NDArray

from labeling.clusters.tending import tend_queue
from labeling.decisions import (
    DecisionConflict,
    NothingToDecide,
    Resting,
    Why,
    find_resting,
    label_face,
    label_faces,
    record_verdict,
    redo_decision,
    take_back,
    undo_decision,
)
from labeling.models import Cluster, DecidedFace, Decision, Rejection
from labeling.people.merging import merge_people
from recognition.gallery_index import get_gallery_index
from recognition.gallery_journal import start_new_epoch
from recognition.models import Event, Face, Person, Sighting, UnlabeledFace
from recognition.search import find_top_k_batch
from tests.conftest import make_user
from tests.factories import (
    DIMENSION,
    activate_embedder,
    make_embedding,
    make_event,
    make_face,
    make_person,
    make_photo,
    make_unlabeled,
    unit_vectors,
    vector_near,
)
from tests.labeling.invariants import find_broken

pytestmark = pytest.mark.django_db
Vector = NDArray[np.float32]


def unit(vector: Vector) -> Vector:
    found: Vector = (vector / np.linalg.norm(vector)).astype(np.float32)
    return found


@dataclass
class World:
    """Faces of one event, each on a photo of its own unless said otherwise, by a name that the test gives them."""

    actor: User
    event: Event = field(default_factory=make_event)
    faces: dict[str, Face] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)

    def arrive(self, name: str, vector: Vector, *, beside: str = "") -> Face:
        photo = self.faces[beside].photo if beside else make_photo(self.event)
        self.faces[name] = make_unlabeled(vector, photo=photo).face
        return self.faces[name]

    def face(self, name: str) -> Face:
        return Face.objects.select_related("photo").get(pk=self.faces[name].pk)

    def label(self, name: str, person: str) -> Decision:
        return label_face(face=self.face(name), person=self.people[person], actor=self.actor)

    def confirm(self, *names: str) -> Decision | None:
        """What somebody does on a person's page: yes to those that carry a name of the machine."""
        found = Sighting.objects.filter(face__in=[self.faces[name].pk for name in names])
        machine = found.filter(decided_by="machine").select_related("face__photo", "person")
        faces = [sighting.face for sighting in machine]
        if not faces:
            return None
        return label_faces(faces=faces, person=machine[0].person, actor=self.actor, twice=True)

    def names(self) -> dict[str, tuple[str, str]]:
        rows = Sighting.objects.select_related("person")
        told = {row.face_id: (row.person.name, row.decided_by) for row in rows}
        return {name: told[face.pk] for name, face in self.faces.items() if face.pk in told}

    def state(self) -> dict[str, Any]:
        """Everything that counts about the faces, but for what was decided when, by their names."""
        word = {face.pk: name for name, face in self.faces.items()}
        sightings = Sighting.objects.select_related("person")
        entries = UnlabeledFace.objects.filter(face__in=word)
        vectors = np.eye(DIMENSION, dtype=np.float32)[:3]
        found = find_top_k_batch(vectors, 5).scores
        return {
            "names": {
                word[row.face_id]: (
                    row.person.name,
                    row.decided_by,
                    row.is_reference,
                    # On what it stands; who answered behind that is history.
                    word[row.references[0]] if row.decided_by == "machine" else "",
                )
                for row in sightings
            },
            "queue": {word[row.face_id]: (row.reviewed, row.verdict) for row in entries},
            "searches": [
                [(score.similarity, [word[pk] for pk in score.references]) for score in one] for one in found
            ],
            "gallery": get_gallery_index().status().count,
        }

    def resting(self, name: str, person: str) -> Resting:
        return find_resting(face_pk=self.faces[name].pk, person_pk=self.people[person].pk)

    def listed(self, resting: Resting) -> tuple[set[str], set[str]]:
        """What the list says, by names: of the machine, of people."""
        word = {face.pk: name for name, face in self.faces.items()}
        machine = {*resting.direct, *resting.settled, *(pk for one in resting.people for pk in one.named)}
        return {word[pk] for pk in machine}, {word[one.face_pk] for one in resting.people}

    def take_all_back(self, name: str, person: str) -> Decision:
        also = [
            Face.objects.select_related("photo").get(pk=one.face_pk)
            for one in self.resting(name, person).people
        ]
        return take_back(face=self.face(name), person=self.people[person], also=also, actor=self.actor)


Script = Callable[[World], None]


def without(script: Script, actor: User) -> dict[str, Any]:
    """The state after a script in a world of its own, of which nothing stays."""
    # Not by atomic(): the gallery is not searched within one.
    begin = transaction.savepoint()
    world = World(actor)
    script(world)
    tend_queue()
    told = world.state()
    transaction.savepoint_rollback(begin)
    with transaction.atomic():
        # Ids come again: what this process keeps is of other faces.
        start_new_epoch()
    return told


B, WRONG, FAR = np.eye(DIMENSION, dtype=np.float32)[:3]


def chain(*, poisoned: bool) -> Script:
    """The poison has five faces named; somebody says yes to two of them, and these name four more that it would not have."""

    def play(world: World) -> None:
        world.people = {"Bob": make_person("Bob"), "Fay": make_person("Fay")}
        world.arrive("bob", B)
        world.label("bob", "Bob")
        world.arrive("fay", FAR)
        world.label("fay", "Fay")
        world.arrive("bob too", vector_near(B, 0.9, 3))
        world.arrive("poison", WRONG)
        for number in range(5):
            world.arrive(f"near {number}", vector_near(WRONG, 0.85, 30 + number))
        # Between the two: Bob's own face would do, but to the second the poison is nearer.
        between, nearer = 0.62 * WRONG + 0.78 * B, 0.71 * WRONG + 0.705 * B
        tend_queue()
        if poisoned:
            world.label("poison", "Bob")
        world.arrive("between", unit(between))
        world.arrive("nearer", unit(nearer))
        tend_queue()
        world.confirm("near 0", "near 1")
        for number in range(4):
            world.arrive(
                f"far {number}", vector_near(vector_of(world, f"near {number % 2}"), 0.78, 60 + number)
            )
        tend_queue()

    return play


def vector_of(world: World, name: str) -> Vector:
    row = world.faces[name].embeddings.get()
    return np.frombuffer(bytes(row.vector), dtype="<f4").copy()


@pytest.fixture
def clean(labeler: User) -> dict[str, Any]:
    """The state of the world without the wrong name."""
    return without(chain(poisoned=False), labeler)


@pytest.fixture
def poisoned(clean: dict[str, Any], labeler: User) -> World:
    world = World(labeler)
    chain(poisoned=True)(world)
    return world


def test_the_list_is_complete(poisoned: World, clean: dict[str, Any]) -> None:
    """Whatever is otherwise in the world without the wrong name is on it."""
    now = poisoned.state()["names"]
    machine, people = poisoned.listed(poisoned.resting("poison", "Bob"))
    changed = {name for name in now if now[name] != clean["names"].get(name)} - {"poison"}
    assert {name for name in changed if now[name][1] == "machine"} <= machine
    assert {name for name in changed if now[name][1] == "human"} <= people
    assert people == {"near 0", "near 1"}
    assert {f"far {number}" for number in range(4)} <= machine
    # Its best reference is Bob's own; the poison answered behind it.
    assert "between" not in machine
    assert "nearer" in machine
    assert poisoned.faces["between"].pk in poisoned.resting("poison", "Bob").behind


def test_afterwards_the_world_is_the_one_without_the_wrong_name(
    poisoned: World, clean: dict[str, Any]
) -> None:
    decision = poisoned.take_all_back("poison", "Bob")
    assert decision.kind == "take_back"
    tend_queue()
    assert poisoned.state() == clean
    assert poisoned.names()["nearer"] == ("Bob", "machine")
    assert find_broken() == []
    # Nobody said that the others are not Bob.
    (rejection,) = Rejection.objects.all()
    assert (rejection.face, rejection.person) == (poisoned.faces["poison"], poisoned.people["Bob"])


def test_an_undo_brings_all_of_it_back_and_a_redo_takes_it_again(poisoned: World) -> None:
    before, rows = poisoned.state(), list(Sighting.objects.order_by("pk").values())
    decision = poisoned.take_all_back("poison", "Bob")
    tend_queue()
    gone = poisoned.state()
    undo_decision(decision=decision, actor=poisoned.actor)
    assert list(Sighting.objects.order_by("pk").values()) == rows
    tend_queue()
    assert poisoned.state() == before
    assert find_broken() == []
    redo_decision(decision=decision, actor=poisoned.actor)
    tend_queue()
    assert poisoned.state() == gone
    undo_decision(decision=decision, actor=poisoned.actor)
    tend_queue()
    assert poisoned.state() == before
    assert list(Sighting.objects.order_by("pk").values()) == rows


def test_it_is_one_decision(poisoned: World) -> None:
    made = Decision.objects.count()
    decision = poisoned.take_all_back("poison", "Bob")
    assert Decision.objects.count() == made + 1
    assert decision.face_count == 3
    assert DecidedFace.objects.filter(decision=decision, caused=True).count() == 8
    assert decision.person == poisoned.people["Bob"]


def test_names_that_people_keep_keep_what_they_named(poisoned: World) -> None:
    take_back(
        face=poisoned.face("poison"),
        person=poisoned.people["Bob"],
        also=[poisoned.face("near 0")],
        actor=poisoned.actor,
    )
    names = poisoned.names()
    assert names["near 1"] == ("Bob", "human")
    assert {"far 1", "far 3"} <= names.keys()
    assert names.keys().isdisjoint({"far 0", "far 2", "near 0", "near 2", "poison"})


def test_an_undo_leaves_alone_what_somebody_decided_since(poisoned: World) -> None:
    decision = poisoned.take_all_back("poison", "Bob")
    record_verdict(face=poisoned.face("far 0"), kind="stranger", actor=poisoned.actor)
    undo_decision(decision=decision, actor=poisoned.actor)
    names = poisoned.names()
    assert "far 0" not in names
    assert names["far 1"] == ("Bob", "machine")


def test_the_list_outlives_the_correction_of_the_face_itself(poisoned: World) -> None:
    """Somebody gave it its right name without a thought for what it had done."""
    listed = poisoned.listed(poisoned.resting("poison", "Bob"))
    poisoned.label("poison", "Fay")
    assert poisoned.listed(poisoned.resting("poison", "Bob")) == listed
    poisoned.take_all_back("poison", "Bob")
    assert poisoned.names()["poison"] == ("Fay", "human")
    assert poisoned.names().keys() == {"bob", "fay", "bob too", "between", "poison"}


def test_a_merge_of_the_person_hides_nothing(poisoned: World) -> None:
    listed, named = poisoned.listed(poisoned.resting("poison", "Bob")), len(poisoned.names())
    merge_people(keep=poisoned.people["Fay"], other=poisoned.people["Bob"], actor=poisoned.actor)
    assert poisoned.listed(poisoned.resting("poison", "Fay")) == listed
    decision = poisoned.take_all_back("poison", "Fay")
    assert poisoned.names().keys() == {"bob", "fay", "bob too", "between"}
    undo_decision(decision=decision, actor=poisoned.actor)
    assert len(poisoned.names()) == named


def test_a_name_that_people_gave_on_its_evidence_is_listed_as_theirs(labeler: User) -> None:
    world = World(labeler, people={"Bob": make_person("Bob")})
    world.arrive("poison", WRONG)
    world.label("poison", "Bob")
    world.arrive("unsure", vector_near(WRONG, 0.6, 5))
    tend_queue()
    world.label("unsure", "Bob")
    (one,) = world.resting("poison", "Bob").people
    assert (one.face_pk, one.why) == (world.faces["unsure"].pk, Why.EVIDENCE)


def test_who_was_named_in_one_group_with_such_a_face_is_listed(labeler: User) -> None:
    world = World(labeler, people={"Bob": make_person("Bob")})
    world.arrive("poison", WRONG)
    world.label("poison", "Bob")
    world.arrive("unsure", vector_near(WRONG, 0.6, 5))
    world.arrive("with it", FAR)
    cluster = Cluster.objects.create(event=world.event)
    # Somebody else is nearest to it, so that its own evidence does not speak of the poison.
    world.people["Fay"] = make_person("Fay")
    world.arrive("bob", vector_near(FAR, 0.9, 8))
    world.label("bob", "Bob")
    label_faces(
        faces=[world.face("unsure"), world.face("with it")],
        person=world.people["Bob"],
        actor=labeler,
        cluster=cluster,
    )
    listed = {one.face_pk: one.why for one in world.resting("poison", "Bob").people}
    assert listed == {world.faces["unsure"].pk: Why.EVIDENCE, world.faces["with it"].pk: Why.GROUP}


def test_a_close_call_that_its_name_settled_goes_back_too(labeler: User) -> None:
    """Two on one photo: the one is Bob by the poison, so the other, who may be Bob or Fay, got Fay's name."""
    world = World(labeler, people={"Bob": make_person("Bob"), "Fay": make_person("Fay")})
    for name, vector in (("bob", B), ("fay", FAR), ("poison", WRONG)):
        world.arrive(name, vector)
        world.label(name, {"poison": "Bob"}.get(name, name.title()))
    world.arrive("certain", vector_near(WRONG, 0.95, 4))
    either = B * 0.71 + FAR * 0.705
    world.arrive("either", unit(either), beside="certain")
    tend_queue()
    assert world.names()["either"] == ("Fay", "machine")
    machine, _ = world.listed(world.resting("poison", "Bob"))
    assert machine == {"certain", "either"}
    world.take_all_back("poison", "Bob")
    tend_queue()
    assert world.names().keys() == {"bob", "fay"}


def test_somebody_elses_decision_since_the_page_was_drawn_is_a_conflict(poisoned: World) -> None:
    poison, versions = poisoned.face("poison"), {poisoned.faces["poison"].pk: 0}
    before = poisoned.state()
    with pytest.raises(DecisionConflict):
        take_back(face=poison, person=poisoned.people["Bob"], actor=poisoned.actor, versions=versions)
    assert poisoned.state() == before


def test_a_face_that_caused_nothing_has_nothing_to_take_back(poisoned: World) -> None:
    with pytest.raises(NothingToDecide):
        take_back(face=poisoned.face("between"), person=poisoned.people["Fay"], actor=poisoned.actor)


def test_thousands_of_names_take_few_statements(labeler: User) -> None:
    bob, poison = make_person("Bob"), make_face()
    make_embedding(poison, WRONG)
    label_face(face=poison, person=bob, actor=labeler)

    def cause(number: int) -> None:
        photo = make_photo()
        for _ in range(number):
            face = make_unlabeled(photo=photo).face
            Sighting.objects.create(
                face=face,
                person=bob,
                similarity=0.9,
                references=[poison.pk],
                decided_by="machine",
                seen_at=photo.taken_at,
            )
        UnlabeledFace.objects.filter(face__sighting__person=bob).update(reviewed=True, verdict="label")

    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            decision = take_back(face=Face.objects.get(pk=poison.pk), person=bob, actor=labeler)
            undo_decision(decision=decision, actor=labeler)
        return len(captured)

    cause(20)
    few = count()
    cause(2000)
    assert count() < few + 200
    assert len(find_resting(face_pk=poison.pk, person_pk=bob.pk).direct) == 2020


def random_script(seed: int, *, poisoned: bool) -> Script:
    """Somebody unknown in many pictures that drift apart, and people whom staff name rightly; yes is said to strangers' faces
    alone, and only where the machine gave a name."""

    def play(world: World) -> None:
        random = Random(seed)
        known = unit_vectors(4, seed=1000 + seed)
        world.people = {name: make_person(name) for name in ("Bob", "Cleo", "Dan", "Eve")}
        numbers = dict.fromkeys(world.people, 0)
        strangers = [unit_vectors(1, seed=2000 + seed)[0]]
        world.arrive("poison", strangers[0])
        for place, name in enumerate(world.people):
            world.arrive(name, known[place])
            world.label(name, name)
        at = random.randint(0, 6)
        for step in range(24):
            if step == at and poisoned:
                world.label("poison", "Bob")
            chance, draw = random.random(), random.randint(0, 10**6)
            if chance < 0.45:
                near = strangers[draw % len(strangers)]
                strangers.append(vector_near(near, 0.72 + (draw % 23) / 100, draw))
                world.arrive(f"stranger {len(strangers)}", strangers[-1])
            elif chance < 0.6:
                name = list(world.people)[draw % 4]
                numbers[name] += 1
                world.arrive(
                    f"{name} {numbers[name]}", vector_near(known[draw % 4], 0.75 + (draw % 20) / 100, draw)
                )
            elif chance < 0.68:
                # Between somebody known and the stranger: either reference may answer.
                mixed = known[0] + strangers[draw % len(strangers)] * (0.9 + (draw % 30) / 100)
                world.arrive(f"mixed {step}", unit(mixed))
            elif chance < 0.75:
                name = list(world.people)[draw % 4]
                if numbers[name]:
                    world.label(f"{name} {numbers[name]}", name)
            elif len(strangers) > 1:
                several = random.sample(range(2, len(strangers) + 1), min(len(strangers) - 1, 1 + draw % 3))
                world.confirm(*(f"stranger {number}" for number in several))
            if random.random() < 0.6:
                tend_queue()
        tend_queue()

    return play


@pytest.mark.parametrize(
    "seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 60))]
)
def test_whatever_a_wrong_name_did_is_listed_taken_back_and_given_back(seed: int) -> None:
    actor = make_user("lena", "labeler")
    clean = without(random_script(seed, poisoned=False), actor)
    world = World(actor)
    random_script(seed, poisoned=True)(world)
    before = world.state()
    machine, people = world.listed(world.resting("poison", "Bob"))
    changed = {
        name
        for name, told in before["names"].items()
        if told != clean["names"].get(name) and name != "poison"
    }
    assert {name for name in changed if before["names"][name][1] == "machine"} <= machine
    assert {name for name in changed if before["names"][name][1] == "human"} <= people
    decision = world.take_all_back("poison", "Bob")
    tend_queue()
    assert world.state() == clean
    undo_decision(decision=decision, actor=actor)
    tend_queue()
    assert world.state() == before


def test_another_embedder_hides_nothing(poisoned: World) -> None:
    """What rests on what is told by the faces, not by any vector."""
    listed = poisoned.listed(poisoned.resting("poison", "Bob"))
    activate_embedder("dlib-resnet-c1")
    assert poisoned.listed(poisoned.resting("poison", "Bob")) == listed
    before = list(Sighting.objects.order_by("pk").values())
    decision = poisoned.take_all_back("poison", "Bob")
    assert poisoned.names().keys() == {"bob", "fay", "bob too", "between"}
    undo_decision(decision=decision, actor=poisoned.actor)
    assert list(Sighting.objects.order_by("pk").values()) == before
