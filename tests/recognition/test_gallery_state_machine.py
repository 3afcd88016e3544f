"""Three indexes on one database against a plain list of what was committed, through any order of events."""

import numpy as np
import pytest
from django.db import models, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from recognition.gallery_index import GalleryIndex, IndexOptions
from recognition.gallery_journal import prune_journal, read_gallery_state, start_new_epoch, touch_gallery
from recognition.models import Embedding, Event, Face, GalleryChange, GalleryState, Person, Photo, Sighting
from recognition.vectors import encode_vector
from tests.factories import (
    EMBEDDER_ID,
    delete_face,
    label_face,
    make_embedding,
    make_face,
    make_person,
    make_photo,
    unit_vectors,
    unlabel_face,
)

DIM = 8
VECTORS = unit_vectors(500, DIM, seed=5)
QUERIES = unit_vectors(4, DIM, seed=6)
TABLES: tuple[type[models.Model], ...] = (Face, Embedding, Sighting, GalleryState, GalleryChange)
PARENTS: tuple[type[models.Model], ...] = (Person, Photo, Event)
picks = st.integers(0, 10_000)


class GalleryMachine(RuleBasedStateMachine):
    @initialize()
    def start(self) -> None:
        self.photo = make_photo()
        self.people = [make_person(), make_person()]
        self.indexes = [
            GalleryIndex(EMBEDDER_ID, DIM, IndexOptions(ivf_from=10_000)),
            GalleryIndex(EMBEDDER_ID, DIM, IndexOptions(ivf_from=12, nprobe=10_000)),
            GalleryIndex(EMBEDDER_ID, DIM, IndexOptions(ivf_from=12, nprobe=10_000, aside_from=0)),
        ]
        self.next_vector = 0
        self.vectors: dict[int, int] = {}  # face: row of VECTORS
        self.members: set[int] = set()
        self.backup: tuple[list[models.Model], dict[int, int], set[int]] | None = None

    @rule(count=st.integers(1, 12), person=st.integers(0, 1))
    def label_new_faces(self, count: int, person: int) -> None:
        with transaction.atomic():
            for _ in range(count):
                face = make_face(self.photo)
                self.vectors[face.pk] = self._new_vector()
                make_embedding(face, VECTORS[self.vectors[face.pk]])
                label_face(face, self.people[person])
                self.members.add(face.pk)

    @precondition(lambda self: self.vectors)
    @rule(pick=picks, person=st.integers(0, 1))
    def relabel(self, pick: int, person: int) -> None:
        face = self._pick(pick)
        label_face(face, self.people[person])
        self.members.add(face.pk)

    @precondition(lambda self: self.vectors)
    @rule(some=st.lists(picks, min_size=1, max_size=8))
    def undo(self, some: list[int]) -> None:
        with transaction.atomic():
            for pick in some:
                unlabel_face(self._pick(pick))
        self.members -= {self._pick(pick).pk for pick in some}

    @precondition(lambda self: self.vectors)
    @rule(some=st.lists(picks, min_size=1, max_size=8))
    def delete(self, some: list[int]) -> None:
        faces = {face.pk: face for face in map(self._pick, some)}
        with transaction.atomic():
            for face in faces.values():
                delete_face(face)
        for pk in faces:
            del self.vectors[pk]
            self.members.discard(pk)

    @precondition(lambda self: self.vectors)
    @rule(pick=picks)
    def embed_again(self, pick: int) -> None:
        face = self._pick(pick)
        self.vectors[face.pk] = self._new_vector()
        with transaction.atomic():
            touch_gallery([face.pk])
            Embedding.objects.filter(face=face).update(vector=encode_vector(VECTORS[self.vectors[face.pk]]))

    @precondition(lambda self: self.vectors)
    @rule(pick=picks)
    def roll_back(self, pick: int) -> None:
        with transaction.atomic():
            face = self._pick(pick)
            label_face(face, self.people[0])
            new = make_face(self.photo)
            make_embedding(new, VECTORS[0])
            label_face(new, self.people[0])
            delete_face(face)
            transaction.set_rollback(True)

    @rule()
    def begin_new_epoch(self) -> None:
        start_new_epoch()

    @rule(keep=st.integers(0, 5))
    def prune(self, keep: int) -> None:
        prune_journal(keep_versions=keep)

    @rule()
    def back_up(self) -> None:
        rows = [row for table in TABLES for row in table._base_manager.order_by("pk")]
        self.backup = rows, dict(self.vectors), set(self.members)

    @precondition(lambda self: self.backup)
    @rule(by_command=st.booleans())
    def restore(self, by_command: bool) -> None:
        """The restore command sets a new epoch. A file that was copied back is noticed by its lower version."""
        assert self.backup
        rows, self.vectors, self.members = self.backup[0], dict(self.backup[1]), set(self.backup[2])
        with transaction.atomic():
            for table in reversed(TABLES):
                table._base_manager.all().delete()
            for table in TABLES:
                table._base_manager.bulk_create([row for row in rows if type(row) is table])
            if by_command:
                start_new_epoch()
        if not by_command:
            self.search_all()

    # Rare as chance would have them, so as one step each.
    @rule(writes=st.integers(1, 3), keep=st.integers(0, 3), index=st.integers(0, 2))
    def fall_behind_a_pruned_journal(self, writes: int, keep: int, index: int) -> None:
        self.search(index, 10)
        for _ in range(writes):
            self.label_new_faces(1, 0)
        self.prune(keep)
        self.search(index, 10)

    @rule(writes=st.integers(1, 3), by_command=st.booleans(), index=st.integers(0, 2))
    def lose_what_came_after_a_copy(self, writes: int, by_command: bool, index: int) -> None:
        self.back_up()
        for _ in range(writes):
            self.label_new_faces(1, 0)
        self.search(index, 10)
        self.restore(by_command)

    @rule(index=st.integers(0, 2), k=st.sampled_from([1, 3, 10, 1000]))
    def search(self, index: int, k: int) -> None:
        result = self.indexes[index].search(QUERIES, k)
        ids = np.array(sorted(self.members), dtype=np.int64)
        similarities = QUERIES @ VECTORS[[self.vectors[pk] for pk in ids.tolist()]].reshape(-1, DIM).T
        for hits, row in zip(result.hits, similarities, strict=True):
            best = np.argsort(-row)[:k]
            assert [hit.face_pk for hit in hits] == ids[best].tolist()
            assert [hit.similarity for hit in hits] == pytest.approx(row[best].tolist(), abs=1e-5)
        assert result.version == read_gallery_state().version
        self.indexes[index].wait_until_settled()  # what was learned beside is as old as its beginning
        self.indexes[index].refresh()
        assert self.indexes[index].member_ids() == self.members
        assert self.indexes[index].status().fresh

    @rule()
    def search_all(self) -> None:
        for index in range(3):
            self.search(index, 1000)

    def teardown(self) -> None:
        if hasattr(self, "indexes"):
            self.search_all()
        for table in (*reversed(TABLES), *PARENTS):
            table._base_manager.all().delete()

    def _new_vector(self) -> int:
        self.next_vector = (self.next_vector + 1) % len(VECTORS)
        return self.next_vector

    def _pick(self, pick: int) -> Face:
        pks = sorted(self.vectors)
        return Face.objects.get(pk=pks[pick % len(pks)])


@pytest.mark.django_db(transaction=True)
def test_any_order_of_events_leaves_indexes_and_database_agreed() -> None:
    run_state_machine_as_test(
        GalleryMachine,
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
