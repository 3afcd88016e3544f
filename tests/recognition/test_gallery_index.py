import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import connection, transaction
from django.test import TestCase
from numpy.typing import NDArray

from recognition.embedders import dlib_resnet
from recognition.gallery_index import (
    FaceHit,
    GalleryIndex,
    IndexOptions,
    SearchInsideTransaction,
    get_gallery_index,
    reset_gallery_index,
)
from recognition.gallery_index._vectors import IvfVectors
from recognition.gallery_journal import lock_gallery_state, prune_journal, start_new_epoch, touch_gallery
from recognition.models import Embedding, Face, GalleryChange, GalleryState, Sighting
from recognition.vectors import BadVector
from tests.factories import (
    DIMENSION,
    EMBEDDER_ID,
    activate_embedder,
    delete_face,
    label_face,
    make_embedding,
    make_face,
    make_person,
    make_photo,
    make_reference,
    unit_vectors,
    unlabel_face,
)

FLAT = IndexOptions(ivf_from=10_000)
DIM = 16
ROOT = Path(__file__).resolve().parents[2]
ONE: Any = pytest.approx(1)
pytestmark = pytest.mark.django_db(transaction=True)


def new_index(options: IndexOptions = FLAT) -> GalleryIndex:
    return GalleryIndex(EMBEDDER_ID, DIM, options)


def make_references(vectors: NDArray[np.float32]) -> list[Face]:
    """One person's faces, cheaply."""
    person, photo = make_person(), make_photo()
    with transaction.atomic():
        return [make_reference(person, vector, photo=photo) for vector in vectors]


def search_one(index: GalleryIndex, vector: NDArray[np.float32], k: int = 1) -> list[FaceHit]:
    return index.search(vector[np.newaxis], k).hits[0]


def found(index: GalleryIndex, vector: NDArray[np.float32], k: int = 100) -> list[int]:
    return [hit.face_pk for hit in search_one(index, vector, k)]


def builds(caplog: pytest.LogCaptureFixture) -> int:
    """How often an index was built since the last time that this was asked."""
    count = caplog.text.count("gallery index built")
    caplog.clear()
    return count


@pytest.fixture
def epoch() -> None:
    """The epoch of a gallery begins with its first write; from here on an index has only to pull."""
    with transaction.atomic():
        lock_gallery_state()


class TestSearch:
    def test_an_empty_gallery_answers_with_nothing(self) -> None:
        result = new_index().search(unit_vectors(2, DIM), 5)
        assert (result.version, result.hits) == (0, [[], []])

    def test_no_queries_give_no_answers(self) -> None:
        make_references(unit_vectors(3, DIM))
        assert new_index().search(np.empty((0, DIM), np.float32), 5).hits == []

    @pytest.mark.parametrize("options", [FLAT, IndexOptions(ivf_from=10, nprobe=1000)])
    def test_hits_are_the_cosines_best_first(self, options: IndexOptions) -> None:
        vectors = unit_vectors(60, DIM)
        faces = make_references(vectors)
        query = unit_vectors(3, DIM, seed=1)
        result = new_index(options).search(query, 7)
        for similarities, hits in zip(query @ vectors.T, result.hits, strict=True):
            best = np.argsort(-similarities)[:7]
            assert [hit.face_pk for hit in hits] == [faces[i].pk for i in best]
            assert [hit.similarity for hit in hits] == pytest.approx(similarities[best].tolist(), abs=1e-6)

    def test_asking_for_more_than_there_are_gives_all(self) -> None:
        faces = make_references(unit_vectors(3, DIM))
        assert sorted(found(new_index(), unit_vectors(1, DIM)[0], k=50)) == [face.pk for face in faces]

    def test_equal_vectors_come_in_the_order_of_their_faces(self) -> None:
        vector = unit_vectors(1, DIM)[0]
        faces = make_references(np.stack([vector] * 3))
        index = new_index()
        index.refresh()
        unlabel_face(faces[0])
        index.refresh()
        label_face(faces[0], make_person())
        assert found(index, vector) == [face.pk for face in faces]

    def test_a_similarity_never_leaves_its_range(self) -> None:
        vectors = unit_vectors(50, DIM)
        make_references(vectors)
        result = new_index().search(np.concatenate([vectors, -vectors]), 50)
        assert all(-1 <= hit.similarity <= 1 for hits in result.hits for hit in hits)

    @pytest.mark.parametrize(
        "bad",
        [
            np.ones((1, DIM), np.float32),
            np.full((1, DIM), np.nan, np.float32),
            np.zeros((1, DIM), np.float32),
            unit_vectors(1, DIM + 1),
            unit_vectors(1, DIM)[0],
        ],
    )
    def test_vectors_that_are_not_unit_rows_are_refused(self, bad: NDArray[np.float32]) -> None:
        with pytest.raises(BadVector):
            new_index().search(bad, 1)

    def test_k_must_be_positive(self) -> None:
        with pytest.raises(ValueError, match="k must be"):
            new_index().search(unit_vectors(1, DIM), 0)

    def test_only_references_of_the_same_embedder_answer(self) -> None:
        vectors = unit_vectors(4, DIM)
        person = make_person()
        reference = make_reference(person, vectors[0])
        make_reference(person, vectors[1], embedder_id="another")
        make_embedding(make_face(), vectors[2])
        guessed = make_face()
        make_embedding(guessed, vectors[3])
        Sighting.objects.create(
            face=guessed, person=person, decided_by="machine", similarity=0.9, seen_at=guessed.created_at
        )
        assert found(new_index(), vectors[0]) == [reference.pk]


@pytest.mark.usefixtures("epoch")
class TestPull:
    def test_a_new_label_is_found_by_the_next_search_without_a_rebuild(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        index, vectors = new_index(), unit_vectors(2, DIM)
        make_reference(make_person(), vectors[0])
        index.refresh()
        assert builds(caplog) == 1
        face = make_reference(make_person(), vectors[1])
        result = index.search(vectors[1:], 1)
        assert result.hits == [[FaceHit(face.pk, ONE)]]
        assert result.version == GalleryState.objects.get().version == 2
        assert builds(caplog) == 0

    def test_two_indexes_of_one_database_see_the_same(self) -> None:
        one, other, vector = new_index(), new_index(), unit_vectors(1, DIM)[0]
        one.refresh()
        other.refresh()
        face = make_reference(make_person(), vector)
        assert found(one, vector) == found(other, vector) == [face.pk]
        delete_face(face)
        assert found(one, vector) == found(other, vector) == []

    def test_an_undone_label_is_gone_and_may_come_back(self) -> None:
        index, vector = new_index(), unit_vectors(1, DIM)[0]
        face = make_reference(make_person(), vector)
        assert found(index, vector) == [face.pk]
        unlabel_face(face)
        assert found(index, vector) == []
        label_face(face, make_person())
        assert found(index, vector) == [face.pk]

    def test_a_face_touched_many_times_is_in_it_once(self) -> None:
        index, vector = new_index(), unit_vectors(1, DIM)[0]
        face = make_reference(make_person(), vector)
        index.refresh()
        for _ in range(3):
            label_face(face, make_person())
        assert found(index, vector) == [face.pk]

    def test_a_touch_that_changed_nothing_changes_nothing(self) -> None:
        index, vector = new_index(), unit_vectors(1, DIM)[0]
        face = make_reference(make_person(), vector)
        index.refresh()
        with transaction.atomic():
            touch_gallery([face.pk, 999_999, make_face().pk])
        assert found(index, vector) == [face.pk]

    def test_a_new_vector_replaces_the_old_one(self) -> None:
        index, vectors = new_index(), unit_vectors(2, DIM)
        face = make_reference(make_person(), vectors[0])
        index.refresh()
        with transaction.atomic():
            touch_gallery([face.pk])
            Embedding.objects.filter(face=face).update(vector=vectors[1].tobytes())
        assert search_one(index, vectors[1]) == [FaceHit(face.pk, ONE)]

    def test_more_touched_faces_than_one_statement_takes(self) -> None:
        index = new_index()
        index.refresh()
        vectors = unit_vectors(1030, DIM)
        faces = make_references(vectors)
        assert found(index, vectors[1029], k=1) == [faces[1029].pk]
        assert index.member_ids() == {face.pk for face in faces}

    def test_a_rolled_back_label_leaves_no_trace(self) -> None:
        index, vectors = new_index(), unit_vectors(2, DIM)
        face = make_reference(make_person(), vectors[0])
        index.refresh()
        with transaction.atomic():
            make_reference(make_person(), vectors[1])
            unlabel_face(face)
            transaction.set_rollback(True)
        assert found(index, vectors[1]) == [face.pk]
        assert index.status().fresh

    def test_the_version_of_a_rolled_back_write_is_given_again_and_pulled(self) -> None:
        index, vector = new_index(), unit_vectors(1, DIM)[0]
        make_reference(make_person(), unit_vectors(1, DIM, seed=1)[0])
        index.refresh()
        with transaction.atomic():
            touch_gallery([1])
            transaction.set_rollback(True)
        face = make_reference(make_person(), vector)
        assert found(index, vector, k=1) == [face.pk]

    def test_rows_changed_behind_the_journal_are_not_seen_until_a_rebuild(self) -> None:
        index, vector = new_index(), unit_vectors(1, DIM)[0]
        face = make_reference(make_person(), vector)
        index.refresh()
        Sighting.objects.filter(face=face).delete()
        assert found(index, vector) == [face.pk]
        index.rebuild()
        assert found(index, vector) == []

    def test_a_failed_pull_is_made_good_by_the_next(self, monkeypatch: pytest.MonkeyPatch) -> None:
        index, vectors = new_index(), unit_vectors(2, DIM)
        faces = [make_reference(make_person(), vectors[0])]
        index.refresh()
        faces.append(make_reference(make_person(), vectors[1]))
        with monkeypatch.context() as patch:
            patch.setattr("recognition.gallery_index._vectors.FlatVectors.add", fail)
            with pytest.raises(MemoryError):
                index.refresh()
            assert not index.status().fresh
        assert sorted(found(index, vectors[0])) == [face.pk for face in faces]


@pytest.mark.usefixtures("epoch")
class TestRebuild:
    def test_a_new_epoch_rebuilds(self, caplog: pytest.LogCaptureFixture) -> None:
        index, vector = new_index(), unit_vectors(1, DIM)[0]
        face = make_reference(make_person(), vector)
        index.refresh()
        Sighting.objects.filter(face=face).delete()
        start_new_epoch()
        assert not index.status().fresh
        assert builds(caplog) == 1
        assert found(index, vector) == []
        assert found(index, vector) == []
        assert builds(caplog) == 1

    def test_a_pruned_journal_rebuilds_who_is_behind_it(self, caplog: pytest.LogCaptureFixture) -> None:
        behind, current, vectors = new_index(), new_index(), unit_vectors(3, DIM)
        behind.refresh()
        faces = [make_reference(make_person(), vector) for vector in vectors]
        current.refresh()
        prune_journal(keep_versions=0)
        assert builds(caplog) == 2
        assert sorted(found(current, vectors[0])) == [face.pk for face in faces]
        assert builds(caplog) == 0
        assert sorted(found(behind, vectors[0])) == [face.pk for face in faces]
        assert builds(caplog) == 1

    def test_a_journal_pruned_while_it_is_read_rebuilds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        index, vectors = new_index(), unit_vectors(2, DIM)
        make_references(vectors[:1])
        index.refresh()
        face = make_reference(make_person(), vectors[1])
        read_touched = GalleryIndex._read_touched

        def prune_first(self: GalleryIndex, face_pks: NDArray[np.int64]) -> object:
            prune_journal(keep_versions=0)
            return read_touched(self, face_pks[:0])

        monkeypatch.setattr(GalleryIndex, "_read_touched", prune_first)
        assert found(index, vectors[1], k=1) == [face.pk]

    def test_an_older_database_rebuilds(self) -> None:
        index, vectors = new_index(), unit_vectors(2, DIM)
        kept = make_reference(make_person(), vectors[0])
        lost = make_reference(make_person(), vectors[1])
        assert set(found(index, vectors[0])) == {kept.pk, lost.pk}
        Sighting.objects.filter(face=lost).delete()
        GalleryChange.objects.filter(version=2).delete()
        GalleryState.objects.update(version=1)
        assert found(index, vectors[0]) == [kept.pk]

    def test_a_rebuild_that_fails_leaves_no_index_that_looks_current(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        index, vector = new_index(), unit_vectors(1, DIM)[0]
        face = make_reference(make_person(), vector)
        with monkeypatch.context() as patch:
            patch.setattr("recognition.gallery_index._vectors.FlatVectors.add", fail)
            with pytest.raises(MemoryError):
                index.rebuild()
        assert not index.status().fresh
        assert found(index, vector) == [face.pk]


class TestBrokenVectors:
    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"", "bytes"),
            (b"\0" * 4 * DIM, "unit length"),
            (b"\0" * 4 * (DIM - 1), "bytes"),
            (np.full(DIM, np.nan, "<f4").tobytes(), "NaN"),
            (np.ones(DIM, "<f4").tobytes(), "unit length"),
        ],
    )
    def test_a_broken_stored_vector_is_left_out_and_named(
        self, data: bytes, reason: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        vectors = unit_vectors(3, DIM)
        faces = make_references(vectors)
        Embedding.objects.filter(face=faces[1]).update(vector=data)
        index = new_index()
        assert sorted(found(index, vectors[0])) == [faces[0].pk, faces[2].pk]
        assert list(index.status().skipped) == [faces[1].pk]
        assert reason in index.status().skipped[faces[1].pk]
        assert f"face {faces[1].pk} is broken" in caplog.text

    def test_a_repaired_vector_is_taken_up(self) -> None:
        vectors = unit_vectors(2, DIM)
        faces = make_references(vectors)
        Embedding.objects.filter(face=faces[0]).update(vector=b"")
        index = new_index()
        index.refresh()
        with transaction.atomic():
            touch_gallery([faces[0].pk])
            Embedding.objects.filter(face=faces[0]).update(vector=vectors[0].tobytes())
        assert found(index, vectors[0], k=1) == [faces[0].pk]
        assert index.status().skipped == {}


class TestIvf:
    def test_the_index_upgrades_itself_and_goes_back(self) -> None:
        index, vectors = new_index(IndexOptions(ivf_from=40)), unit_vectors(80, DIM)
        faces = make_references(vectors[:39])
        index.refresh()
        assert (index.status().kind, index.status().nlist) == ("Flat", 0)
        faces += make_references(vectors[39:40])
        index.refresh()
        status = index.status()
        assert (status.kind, status.count, status.nlist, status.nprobe) == ("IVFFlat", 40, 4, 4)
        faces += make_references(vectors[40:])
        assert found(index, vectors[79], k=1) == [faces[79].pk]
        with transaction.atomic():
            for face in faces[19:]:
                unlabel_face(face)
        assert sorted(found(index, vectors[0])) == [face.pk for face in faces[:19]]
        assert index.status().kind == "Flat"

    def test_cells_are_learned_anew_when_the_gallery_has_doubled(self) -> None:
        index, vectors = new_index(IndexOptions(ivf_from=20)), unit_vectors(200, DIM)
        make_references(vectors[:20])
        index.refresh()
        assert index.status().nlist == 2
        make_references(vectors[20:])
        index.refresh()
        assert index.status().nlist == 20

    @pytest.mark.parametrize(
        ("options", "nlist", "nprobe"),
        [
            (IndexOptions(ivf_from=1), 30, 16),
            (IndexOptions(ivf_from=1, nlist=8), 8, 8),
            (IndexOptions(ivf_from=1, nlist=1000), 30, 16),
            (IndexOptions(ivf_from=1, nlist=25, nprobe=3), 25, 3),
            (IndexOptions(ivf_from=1, nlist=25, nprobe=300), 25, 25),
        ],
    )
    def test_cells_follow_the_options_and_the_size(
        self, options: IndexOptions, nlist: int, nprobe: int
    ) -> None:
        make_references(unit_vectors(300, DIM))
        index = new_index(options)
        index.refresh()
        assert (index.status().nlist, index.status().nprobe) == (nlist, nprobe)

    def test_ids_stay_with_their_vectors_through_removals(self) -> None:
        vectors = unit_vectors(200, DIM)
        faces = make_references(vectors)
        index = new_index(IndexOptions(ivf_from=50, nprobe=1000))
        index.refresh()
        with transaction.atomic():
            for face in faces[::3]:
                delete_face(face)
        result = index.search(vectors, 1)
        assert index.status().kind == "IVFFlat"
        for i, hits in enumerate(result.hits):
            if i % 3:
                assert hits == [FaceHit(faces[i].pk, ONE)]
        assert index.member_ids() == {face.pk for i, face in enumerate(faces) if i % 3}

    def test_one_face_is_enough_for_it(self) -> None:
        vector = unit_vectors(1, DIM)[0]
        face = make_reference(make_person(), vector)
        index = new_index(IndexOptions(ivf_from=1))
        assert found(index, vector) == [face.pk]
        assert index.status().kind == "IVFFlat"
        delete_face(face)
        assert found(index, vector) == []
        assert index.member_ids() == set()

    def test_fewer_hits_than_asked_for_have_no_gaps(self) -> None:
        vectors = unit_vectors(100, DIM)
        make_references(vectors)
        index = new_index(IndexOptions(ivf_from=1, nlist=10, nprobe=1))
        hits = search_one(index, vectors[0], k=100)
        assert 0 < len(hits) < 100
        assert all(hit.face_pk > 0 for hit in hits)


class SlowCells(IvfVectors):
    """Cells that are learned only when a test says so."""

    go = threading.Event()

    def __init__(self, ids: NDArray[np.int64], vectors: NDArray[np.float32], options: IndexOptions) -> None:
        assert self.go.wait(20)
        super().__init__(ids, vectors, options)


@pytest.fixture
def slow_cells(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    SlowCells.go.clear()
    monkeypatch.setattr("recognition.gallery_index._index.IvfVectors", SlowCells)
    return SlowCells.go


class TestLearningAside:
    OPTIONS = IndexOptions(ivf_from=20, nprobe=1000, aside_from=20)

    def test_searches_stay_exact_while_cells_are_learned_and_nothing_is_lost(
        self, slow_cells: threading.Event
    ) -> None:
        index, vectors = new_index(self.OPTIONS), unit_vectors(30, DIM)
        faces = make_references(vectors[:20])
        assert found(index, vectors[3], k=1) == [faces[3].pk]
        assert index.status().kind == "Flat"
        unlabel_face(faces[3])
        faces += make_references(vectors[20:])
        assert found(index, vectors[25], k=1) == [faces[25].pk]
        slow_cells.set()
        index.wait_until_settled()
        assert index.status().kind == "IVFFlat"
        assert sorted(found(index, vectors[3])) == [face.pk for i, face in enumerate(faces) if i != 3]
        assert index.status().fresh

    def test_what_was_learned_of_an_earlier_build_is_dropped(self, slow_cells: threading.Event) -> None:
        index, vectors = new_index(self.OPTIONS), unit_vectors(20, DIM)
        faces = make_references(vectors)
        index.refresh()
        Sighting.objects.filter(face__in=faces[10:]).delete()
        index.rebuild()
        slow_cells.set()
        index.wait_until_settled()
        assert index.status().kind == "Flat"
        assert sorted(found(index, vectors[0])) == [face.pk for face in faces[:10]]


class TestTransactions:
    def test_a_search_inside_a_transaction_is_refused(self) -> None:
        index, vector = new_index(), unit_vectors(1, DIM)[0]
        with transaction.atomic(), pytest.raises(SearchInsideTransaction, match="lock_gallery_state"):
            found(index, vector)
        with transaction.atomic(), pytest.raises(SearchInsideTransaction):
            index.rebuild()
        with transaction.atomic(), pytest.raises(SearchInsideTransaction):
            index.refresh()
        assert index.status().epoch is None

    def test_the_process_wide_index_does_not_load_inside_a_transaction(self) -> None:
        activate_embedder()
        with transaction.atomic(), pytest.raises(SearchInsideTransaction):
            get_gallery_index()
        assert get_gallery_index().status().fresh


class TestInsideATestCase(TestCase):
    """Page tests run inside Django's own transaction, which is never committed; that one does not count."""

    def test_a_search_works_and_a_business_transaction_is_still_refused(self) -> None:
        index, vector = new_index(), unit_vectors(1, DIM)[0]
        face = make_reference(make_person(), vector)
        assert found(index, vector) == [face.pk]
        with transaction.atomic(), pytest.raises(SearchInsideTransaction):
            found(index, vector)


class TestReadings:
    def test_status_says_what_is_loaded(self) -> None:
        index = new_index()
        before = index.status()
        assert (before.count, before.epoch, before.version, before.fresh) == (0, None, 0, False)
        make_references(unit_vectors(3, DIM))
        index.refresh()
        status = index.status()
        assert (status.embedder_id, status.dimension, status.kind, status.count) == (
            EMBEDDER_ID,
            DIM,
            "Flat",
            3,
        )
        assert (status.version, status.epoch, status.fresh) == (3, GalleryState.objects.get().epoch, True)
        assert status.loaded_seconds > 0
        make_reference(make_person(), unit_vectors(1, DIM, seed=1)[0])
        assert not index.status().fresh

    @pytest.mark.parametrize("options", [FLAT, IndexOptions(ivf_from=5)])
    def test_vectors_come_out_as_they_went_in(self, options: IndexOptions) -> None:
        vectors = unit_vectors(20, DIM)
        faces = make_references(vectors)
        index = new_index(options)
        index.refresh()
        held = index.get_vectors([face.pk for face in faces] + [999_999])
        assert held.keys() == {face.pk for face in faces}
        assert all(np.array_equal(held[face.pk], vector) for face, vector in zip(faces, vectors, strict=True))

    def test_an_index_of_another_membership(self) -> None:
        vectors = unit_vectors(2, DIM)
        make_reference(make_person(), vectors[0])
        waiting = make_face()
        make_embedding(waiting, vectors[1])
        queue = IndexOptions(
            ivf_from=1000,
            membership=lambda embedder_id: Embedding.objects.with_vectors().filter(
                embedder_id=embedder_id, face__sighting=None
            ),
        )
        assert found(new_index(queue), vectors[0]) == [waiting.pk]


class TestProcessWide:
    def test_there_is_one_and_it_is_loaded(self) -> None:
        activate_embedder()
        make_reference(make_person(), unit_vectors(1)[0])
        index = get_gallery_index()
        assert index is get_gallery_index()
        assert (index.embedder_id, index.dimension) == (EMBEDDER_ID, DIMENSION)
        assert (index.status().count, index.status().fresh) == (1, True)

    def test_threads_that_come_at_once_get_the_same(self, caplog: pytest.LogCaptureFixture) -> None:
        activate_embedder()
        barrier, got = threading.Barrier(4), []

        def get() -> None:
            try:
                barrier.wait()
                got.append(get_gallery_index())
            finally:
                connection.close()

        run_threads([get] * 4)
        assert len(got) == 4
        assert len(set(map(id, got))) == 1
        assert builds(caplog) == 1

    def test_another_active_embedder_means_another_index(self) -> None:
        activate_embedder()
        first = get_gallery_index()
        activate_embedder(dlib_resnet.EMBEDDER_ID)
        second = get_gallery_index()
        assert second is not first
        assert (second.embedder_id, second.dimension) == (dlib_resnet.EMBEDDER_ID, 128)

    def test_a_reset_forgets_it(self) -> None:
        activate_embedder()
        first = get_gallery_index()
        reset_gallery_index()
        assert get_gallery_index() is not first

    def test_settings_decide_its_kind(self, settings: Any) -> None:
        settings.FACEVAULT_IVF_FROM = 20
        settings.FACEVAULT_IVF_NPROBE = 1
        activate_embedder()
        make_references(unit_vectors(20))
        status = get_gallery_index().status()
        assert (status.kind, status.nlist, status.nprobe) == ("IVFFlat", 2, 1)

    def test_a_forked_child_starts_without_it(self) -> None:
        code = (
            "import os, threading, django; django.setup()\n"
            "from recognition.gallery_index import _manager\n"
            "_manager._held['one'] = object(); _manager._lock.acquire()\n"
            "pid = os.fork()\n"
            "if not pid: os._exit(0 if not _manager._held and not _manager._lock.locked() else 1)\n"
            "raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
        )
        run = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code], env=os.environ, check=False, cwd=ROOT
        )
        assert run.returncode == 0

    def test_searching_does_not_import_torch(self) -> None:
        code = "import django; django.setup(); import recognition.search, sys; raise SystemExit('torch' in sys.modules)"
        run = subprocess.run([sys.executable, "-c", code], env=os.environ, check=False, cwd=ROOT)
        assert run.returncode == 0


def test_searches_and_writers_in_many_threads_agree_at_the_end() -> None:
    index, vectors = new_index(IndexOptions(ivf_from=30, nprobe=1000)), unit_vectors(60, DIM)
    faces = make_references(vectors[:25])
    person, failures = make_person(), []

    def read() -> None:
        try:
            for _ in range(60):
                for hits in index.search(vectors, 100).hits:
                    if len({hit.face_pk for hit in hits}) != len(hits):
                        failures.append("a face twice")
        finally:
            connection.close()

    def write() -> None:
        try:
            for i in range(25):
                make_reference(person, vectors[25 + i])
                unlabel_face(faces[i])
        finally:
            connection.close()

    run_threads([read, read, write])
    assert failures == []
    index.refresh()
    assert index.member_ids() == set(Sighting.objects.values_list("face_id", flat=True))


def run_threads(targets: Iterable[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=target) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def fail(*args: object) -> None:
    raise MemoryError
