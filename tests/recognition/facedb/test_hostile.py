"""Nothing in a store is trusted: what is wrong with it is told, runs nothing, and stops nothing else."""

from __future__ import annotations

import csv
import pickle
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command

from recognition.facedb.faults import FileRefused
from recognition.facedb.index_file import IndexUnreadable, read_index
from recognition.facedb.tensors import MAX_BYTES, read_vectors
from recognition.models import Event, Face, FaceImport, ImportedPerson, Person, Photo, UnlabeledFace
from tests.recognition.facedb.building import build_store, read_store, unit_vectors, write_index, write_person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("drawn_faces")]


class Bomb:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.mark,))


def bring_in(store: Path, *options: str) -> list[list[str]]:
    """The rows of the report."""
    report = store.parent / "report.csv"
    call_command(
        "import_facedb", str(store), "--event", "Foyer", "--no-embed", "--report", str(report), *options
    )
    with report.open(newline="") as file:
        return list(csv.reader(file))[1:]


def sql(store: Path, *statements: str) -> None:
    with closing(sqlite3.connect(store / "lumemoria.db")) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


def test_code_in_a_tensor_file_does_not_run(tmp_path: Path) -> None:
    store, mark = build_store(tmp_path / "store", index=False), tmp_path / "mark"
    torch.save(Bomb(mark), store / "embeddings" / "person_2.pt")
    assert [row[:2] for row in bring_in(store)] == [["embeddings/person_2.pt", "unreadable"]]
    assert not mark.exists()
    assert Person.objects.count() == 4
    assert not Face.objects.filter(imported__external_id__startswith="person 2 ").exists()


def test_a_plain_pickle_is_not_opened(tmp_path: Path) -> None:
    path, mark = tmp_path / "person_1.pt", tmp_path / "mark"
    path.write_bytes(pickle.dumps(Bomb(mark)))
    with pytest.raises(FileRefused, match=r"torch 1\.6"):
        read_vectors(path)
    assert not mark.exists()


def test_a_packed_file_is_not_unpacked(tmp_path: Path) -> None:
    path, bomb = tmp_path / "person_1.pt", tmp_path / "bomb.pt"
    torch.save(torch.ones(4), path)
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as after:
        for entry in before.infolist():
            after.writestr(entry.filename, before.read(entry))
    with pytest.raises(FileRefused, match="compressed"):
        read_vectors(bomb)


def test_a_file_that_claims_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "person_1.pt"
    torch.save(torch.ones(1).expand(MAX_BYTES, 1024), path)
    assert path.stat().st_size < 10_000
    with pytest.raises(FileRefused, match="claim"):
        read_vectors(path)


@pytest.mark.parametrize(
    "value",
    [
        {"a": torch.ones(4)},
        torch.ones(2, 2, 2),
        torch.tensor(1.0),
        torch.ones(4, dtype=torch.int64),
        [torch.ones(4), "x"],
    ],
)
def test_what_is_no_vector_is_refused(tmp_path: Path, value: object) -> None:
    path = tmp_path / "person_1.pt"
    torch.save(value, path)
    with pytest.raises(FileRefused):
        read_vectors(path)


def test_vectors_of_another_dimension_are_left_out(tmp_path: Path) -> None:
    store = build_store(tmp_path / "store", index=False)
    write_person(store, 3, unit_vectors(2, 64), "matrix")
    refused = bring_in(store)
    assert [row[1] for row in refused] == ["bad_vector", "bad_vector"]
    assert "64 dimensions" in refused[0][2]
    assert FaceImport.objects.get().embedder_id == "imported-facedb-128d"
    assert ImportedPerson.objects.count() == 4


def test_a_vector_without_a_direction_is_left_out(tmp_path: Path) -> None:
    store = build_store(tmp_path / "store", index=False)
    rows = unit_vectors(3, 128)
    rows[0], rows[1, 5] = 0, np.nan
    write_person(store, 1, rows, "list")
    assert [row[0] for row in bring_in(store)] == [
        "embeddings/person_1.pt, vector 0",
        "embeddings/person_1.pt, vector 1",
    ]


def test_views_and_triggers_run_nothing(tmp_path: Path) -> None:
    store = build_store(tmp_path / "store")
    sql(
        store,
        "ALTER TABLE sightings RENAME TO hidden",
        "CREATE VIEW sightings AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS id FROM n",
    )
    with pytest.raises(CommandError, match="no SQLite file"):
        bring_in(store)
    assert not Event.objects.exists()


def test_a_trigger_leaves_the_store_as_it_is(tmp_path: Path) -> None:
    store = build_store(tmp_path / "store")
    sql(store, "CREATE TRIGGER t AFTER UPDATE ON persons BEGIN DELETE FROM sightings; END")
    before = (store / "lumemoria.db").read_bytes()
    assert bring_in(store) == []
    assert (store / "lumemoria.db").read_bytes() == before
    assert len(list(store.iterdir())) == 5


@pytest.mark.parametrize("rest", ["-wal", "-journal"])
def test_a_store_that_is_in_use_is_left_alone(tmp_path: Path, rest: str) -> None:
    store = build_store(tmp_path / "store")
    (store / f"lumemoria.db{rest}").write_bytes(b"pages")
    with pytest.raises(CommandError, match="in use"):
        bring_in(store)


def test_two_stores_in_one_folder_are_asked_about(tmp_path: Path) -> None:
    store = build_store(tmp_path / "store")
    (store / "copy.db").write_bytes((store / "lumemoria.db").read_bytes())
    with pytest.raises(CommandError, match=r"several stores: copy\.db, lumemoria\.db"):
        bring_in(store)


def test_a_path_that_leads_outside_is_looked_for_inside_alone(tmp_path: Path) -> None:
    store = build_store(tmp_path / "store", waiting=1)
    (tmp_path / "secret.png").write_bytes(b"secret")
    sql(store, "UPDATE unlabeled SET image_path = '../../secret.png'")
    refused = bring_in(store)
    assert ("unlabeled/secret.png", "missing") in {(row[0], row[1]) for row in refused}
    assert UnlabeledFace.objects.count() == 1  # by its vector, as a silhouette


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    store = build_store(tmp_path / "store", waiting=1, index=False)
    [crop] = (store / "unlabeled").glob("*.png")
    crop.rename(tmp_path / "elsewhere.png")
    crop.symlink_to(tmp_path / "elsewhere.png")
    assert "link" in {row[1] for row in bring_in(store)}
    assert read_store(store).crops
    assert all("elsewhere" not in photo.name for photo in Photo.objects.all())


def test_a_picture_that_is_none_becomes_a_silhouette(tmp_path: Path) -> None:
    store = build_store(tmp_path / "store", waiting=2)
    first, _ = sorted((store / "unlabeled").glob("*.png"))
    first.write_bytes(b"<svg onload=alert(1)>")
    refused = bring_in(store)
    assert [row[0] for row in refused] == [f"unlabeled/{first.name}"]
    assert UnlabeledFace.objects.count() == 2


def test_a_missing_vector_leaves_the_crop(tmp_path: Path) -> None:
    store = build_store(tmp_path / "store", waiting=1)
    [path] = (store / "unlabeled").glob("*.pt")
    path.unlink()
    bring_in(store)
    [entry] = UnlabeledFace.objects.all()
    assert not entry.face.embeddings.exists()


def test_a_row_without_any_readable_file_goes_back_as_it_came(tmp_path: Path) -> None:
    store = build_store(tmp_path / "store", waiting=2)
    for path in (store / "unlabeled").iterdir():
        path.write_bytes(b"nothing")
    bring_in(store)
    assert not UnlabeledFace.objects.exists()
    call_command("export_facedb", str(tmp_path / "back"), "--event", "Foyer")
    with closing(sqlite3.connect(store / "lumemoria.db")) as database:
        before = database.execute("SELECT * FROM unlabeled").fetchall()
    assert read_store(tmp_path / "back").entries == before


def test_a_row_that_is_no_row_is_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    store = build_store(tmp_path / "store")
    sql(
        store,
        "UPDATE persons SET notes = x'ff00' WHERE person_id = 1",
        "UPDATE sightings SET similarity = 9e999 WHERE id = 1",
    )
    assert {row[0] for row in bring_in(store)} >= {"persons row 1", "sightings row 1"}
    assert Person.objects.count() == 3


def test_a_name_is_cleaned_for_show_and_kept_as_it_was(tmp_path: Path) -> None:
    store = build_store(tmp_path / "store", people=2)
    sql(
        store,
        "UPDATE persons SET name = '  =HYPERLINK(1)\u202egnp ' WHERE person_id = 1",
        "UPDATE persons SET name = '' WHERE person_id = 2",
    )
    bring_in(store)
    assert set(Person.objects.values_list("name", flat=True)) == {"=HYPERLINK(1) gnp", "Person 2"}
    call_command("export_facedb", str(tmp_path / "back"), "--event", "Foyer")
    assert read_store(tmp_path / "back").people == read_store(store).people


def test_a_stale_index_is_told_and_not_believed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = build_store(tmp_path / "store")
    write_index(store)
    write_person(store, 1, unit_vectors(3, 128, seed=50), "matrix")
    bring_in(store, "--dry-run")
    told = capsys.readouterr().out
    assert "3 references are not in it" in told
    assert "3 vectors in it are no references any more" in told


def test_a_hostile_index_ends_its_reader_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = build_store(tmp_path / "store")
    path = store / "faiss_index.bin"
    whole = path.read_bytes()
    for size in (b"\xff" * 8, b"\x00\x00\x00\x00\x00\x00\x00\x10"):
        path.write_bytes(whole[:8] + size + whole[16:])
        with pytest.raises(IndexUnreadable):
            read_index(path, scratch=tmp_path)
    bring_in(store)
    assert "could not be compared" in capsys.readouterr().out
    assert FaceImport.objects.get().finished_at is not None


def test_a_dry_run_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bring_in(build_store(tmp_path / "store"), "--dry-run")
    assert "Would import 4 people, 12 references, 8 visits, 3 faces for the queue" in capsys.readouterr().out
    assert not Event.objects.exists()
    assert not Person.objects.exists()
    assert not Photo.objects.exists()


def test_an_empty_store_says_so(tmp_path: Path) -> None:
    store = build_store(tmp_path / "store", people=1, waiting=0)
    sql(store, "DELETE FROM persons", "DELETE FROM sightings")
    with pytest.raises(CommandError, match="nobody"):
        bring_in(store)


def test_people_without_faces_come_and_go(tmp_path: Path) -> None:
    store = build_store(tmp_path / "store", people=2, waiting=0, index=False)
    for path in (store / "embeddings").iterdir():
        path.unlink()
    bring_in(store)
    call_command("export_facedb", str(tmp_path / "back"), "--event", "Foyer")
    assert read_store(tmp_path / "back").people == read_store(store).people
    assert read_store(tmp_path / "back").visits == read_store(store).visits
