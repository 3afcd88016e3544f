"""A store that goes in and comes out again is the same store, and answers the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command

from recognition.models import FaceImport, ImportedPerson, Person, Sighting, UnlabeledFace
from recognition.search import find_top_k
from tests.recognition.facedb.building import (
    Read,
    ask_index,
    build_store,
    read_store,
    unit_vectors,
)
from tests.recognition.facedb.building import (
    find_top_k as find_in_store,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("drawn_faces")]


def bring_in(store: Path, *options: str) -> FaceImport:
    call_command("import_facedb", str(store), "--event", "Foyer", "--no-embed", *options)
    return FaceImport.objects.get()


def send_out(target: Path, *options: str) -> Read:
    call_command("export_facedb", str(target), *options)
    return read_store(target)


def assert_same(before: Read, after: Read) -> None:
    assert after.people == before.people
    assert after.visits == before.visits
    assert after.entries == before.entries
    assert after.kinds == before.kinds
    assert after.crops == before.crops
    assert after.queue_vectors == before.queue_vectors
    assert after.vectors.keys() == before.vectors.keys()
    for number, rows in before.vectors.items():
        assert np.array_equal(after.vectors[number], rows)


@pytest.mark.parametrize("dimension", [128, 512, 768])
@pytest.mark.parametrize("kind", ["list", "matrix"])
def test_people_visits_queue_and_vectors_come_back(tmp_path: Path, dimension: int, kind: str) -> None:
    store = build_store(tmp_path / "store", dimension=dimension, kind=kind, labeled=2)
    imported = bring_in(store)
    assert_same(read_store(store), send_out(tmp_path / "back", "--import", str(imported.pk)))


@pytest.mark.parametrize("key", ["id", "person_id"])
@pytest.mark.parametrize("index", [True, False])
def test_every_version_of_the_program_gets_its_own_tables_back(tmp_path: Path, key: str, index: bool) -> None:
    store = build_store(tmp_path / "store", key=key, index=index, name="visio_memoria.db")
    bring_in(store)
    assert_same(read_store(store), send_out(tmp_path / "back", "--event", "Foyer"))
    assert (tmp_path / "back" / "visio_memoria.db").exists()


@pytest.mark.parametrize("dimension", [128, 768])
def test_fifty_queries_are_answered_the_same_by_all_three(tmp_path: Path, dimension: int) -> None:
    store = build_store(tmp_path / "store", people=20, each=4, dimension=dimension)
    imported = bring_in(store, "--imported-as", "dinov2")
    send_out(tmp_path / "back", "--import", str(imported.pk))
    number_of = {
        row.person_id: int(row.external_id) for row in ImportedPerson.objects.filter(face_import=imported)
    }
    assert imported.embedder_id == f"imported-dinov2-{dimension}d"
    for query in unit_vectors(50, dimension, seed=99):
        here = find_top_k(query, 5, embedder_id=imported.embedder_id)
        ours = [(number_of[score.person_id], score.similarity) for score in here]
        for answer in (
            find_in_store(store, query, 5),
            ask_index(store, query, 5),
            ask_index(tmp_path / "back", query, 5),
        ):
            assert [person for person, _ in answer] == [person for person, _ in ours]
            assert np.allclose([score for _, score in answer], [score for _, score in ours], atol=1e-6)


@pytest.mark.slow
def test_a_store_with_cells_in_its_index_comes_back(tmp_path: Path) -> None:
    store = build_store(tmp_path / "store", people=1100, each=5, waiting=10, dimension=128)
    imported = bring_in(store)
    assert_same(read_store(store), send_out(tmp_path / "back", "--import", str(imported.pk)))
    for query in unit_vectors(5, 128, seed=5):
        here = [score.similarity for score in find_top_k(query, 5, embedder_id=imported.embedder_id)]
        assert np.allclose([score for _, score in find_in_store(store, query, 5)], here, atol=1e-6)
        assert ask_index(tmp_path / "back", query, 5) == ask_index(store, query, 5)


def test_a_vector_that_is_no_unit_comes_back_as_long_as_it_was(tmp_path: Path) -> None:
    store = build_store(tmp_path / "store", index=False)
    from tests.recognition.facedb.building import write_person

    long = unit_vectors(3, 128, seed=4) * np.array([[3.5], [0.2], [41.0]], dtype=np.float32)
    write_person(store, 2, long, "matrix")
    bring_in(store)
    after = send_out(tmp_path / "back", "--event", "Foyer")
    assert np.allclose(after.vectors[2], long, rtol=2e-7, atol=0)


def test_queue_entries_keep_their_order_and_time(tmp_path: Path) -> None:
    bring_in(build_store(tmp_path / "store", waiting=5))
    entries = UnlabeledFace.objects.order_by("pk").values_list("face__imported__external_id", "queued_at")
    assert [name for name, _ in entries] == [f"unlabeled {number}" for number in range(1, 6)]
    assert [when.isoformat() for _, when in entries][:2] == [
        "2026-03-01T18:30:05+00:00",
        "2026-03-01T18:31:05+00:00",
    ]


def test_the_crop_of_a_labeled_entry_belongs_to_its_reference(tmp_path: Path) -> None:
    bring_in(build_store(tmp_path / "store", people=4, each=3, labeled=2))
    shown = Sighting.objects.filter(face__imported__details__has_key="entry", is_reference=True)
    assert sorted(shown.values_list("face__imported__external_id", flat=True)) == [
        "person 1 reference 2",
        "person 2 reference 2",
    ]


def test_a_namesake_who_is_here_already_is_somebody_else(tmp_path: Path) -> None:
    before = Person.objects.create(name="Guest 1")
    bring_in(build_store(tmp_path / "store"))
    assert Person.objects.filter(name="Guest 1").count() == 2
    assert not Sighting.objects.filter(person=before).exists()
