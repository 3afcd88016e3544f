"""Embedding files in and out again: the same bytes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from recognition.embedding_files import INDEX, METADATA, VECTORS
from recognition.models import Embedding, Face, FaceImport, ImportedFace, Photo
from recognition.photos.removal import remove_photos
from tests.factories import activate_embedder, make_face, unit_vectors
from tests.fakes import DIMENSION as ACTIVE_DIMENSION
from tests.fakes import EMBEDDER_ID
from tests.recognition.embedding_files.making import (
    add_crops,
    add_photos,
    files_of,
    make_folder,
    metadata_line,
    write_text,
)
from tests.recognition.outside_faces.making import crop_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("drawn_faces")]


@pytest.fixture
def bring_in(tmp_path: Path) -> Callable[..., FaceImport]:
    def run(folder: Path, *options: str) -> FaceImport:
        refused = f"--refused={tmp_path / 'refused.csv'}"
        call_command("import_embeddings", str(folder), "--event=Gala", refused, *options, stdout=StringIO())
        return FaceImport.objects.latest("pk")

    return run


def write_out(folder: Path, *options: str) -> str:
    said = StringIO()
    call_command("export_embeddings", str(folder), *options, stdout=said)
    return said.getvalue()


def there_and_back(folder: Path, bring_in: Callable[..., FaceImport], target: Path) -> None:
    face_import = bring_in(folder)
    write_out(target, f"--import={face_import.pk}")
    assert files_of(target) == files_of(folder)


def test_all_three_files_come_back_byte_for_byte(tmp_path: Path, bring_in: Callable[..., FaceImport]) -> None:
    there_and_back(make_folder(tmp_path / "in", faces=37), bring_in, tmp_path / "out")


def test_line_ends_and_a_byte_order_mark_come_back(
    tmp_path: Path, bring_in: Callable[..., FaceImport]
) -> None:
    there_and_back(make_folder(tmp_path / "in", faces=5, end="\r\n", bom=True), bring_in, tmp_path / "out")


def test_metadata_in_another_order_and_with_columns_of_its_own_comes_back(
    tmp_path: Path, bring_in: Callable[..., FaceImport]
) -> None:
    lines = [
        'face_3,"a, b/é.png",1,2,30,40,0.5,,"said ""no"""',
        "",
        "face_1 ,b.png,01.50,2,30,40,.5,,=1+1",
        'face_2,b.png,40,2,80,40,1e-1,,"two\nlines"',
    ]
    header = "face_id,image_path,x,y,w,h,score,crop_path,note"
    folder = make_folder(tmp_path / "in", faces=4, header=header, lines=lines)
    (folder / METADATA).write_bytes((folder / METADATA).read_bytes() + b"\n")
    there_and_back(folder, bring_in, tmp_path / "out")


def test_a_last_line_without_end_comes_back(tmp_path: Path, bring_in: Callable[..., FaceImport]) -> None:
    folder = make_folder(tmp_path / "in", faces=3)
    for name in (INDEX, METADATA):
        (folder / name).write_bytes((folder / name).read_bytes().rstrip(b"\n"))
    there_and_back(folder, bring_in, tmp_path / "out")


def test_metadata_without_vectors_comes_back_alone(
    tmp_path: Path, bring_in: Callable[..., FaceImport]
) -> None:
    folder = make_folder(tmp_path / "in", faces=3)
    add_crops(folder, 3)
    (folder / VECTORS).unlink()
    (folder / INDEX).unlink()
    there_and_back(folder, bring_in, tmp_path / "out")
    assert not (tmp_path / "out" / VECTORS).exists()


def test_faces_without_a_vector_stand_in_the_metadata_alone(
    tmp_path: Path, bring_in: Callable[..., FaceImport]
) -> None:
    lines = [metadata_line(2), metadata_line(0), metadata_line(1), metadata_line(3)]
    folder = make_folder(tmp_path / "in", faces=2, lines=lines)
    add_crops(folder, 4)
    there_and_back(folder, bring_in, tmp_path / "out")


def test_vectors_of_faces_that_were_found_here_too_come_back(
    tmp_path: Path, bring_in: Callable[..., FaceImport]
) -> None:
    from recognition.events.edits import create_event
    from recognition.ingest import process_next_photo
    from recognition.uploads.adding import add_photo

    folder = make_folder(tmp_path / "in", faces=2, dimension=ACTIVE_DIMENSION)
    add_photos(folder, 1)
    event = create_event(name="Gala", held_on=None, place="", user=None)
    with (folder / "images" / "0.png").open("rb") as file:
        add_photo(event=event, file=file, name="0.png")
    process_next_photo()
    face_import = bring_in(folder, f"--embedder={EMBEDDER_ID}")
    assert Face.objects.count() == 2
    write_out(tmp_path / "out", f"--import={face_import.pk}")
    assert files_of(tmp_path / "out") == files_of(folder)


def test_crops_and_photos_come_back_under_their_own_names(
    tmp_path: Path, bring_in: Callable[..., FaceImport]
) -> None:
    folder = make_folder(
        tmp_path / "in",
        faces=4,
        header="face_id,crop_path",
        lines=[f"face_{n},crops/{n}.png" for n in range(4)],
    )
    add_crops(folder, 4)
    face_import = bring_in(folder)
    write_out(tmp_path / "out", f"--import={face_import.pk}", "--crops")
    for number in range(4):
        with Image.open(tmp_path / "out" / "crops" / f"{number}.png") as image:
            assert np.array_equal(np.asarray(image), crop_of("red"))


def test_a_path_out_of_the_folder_is_not_written(tmp_path: Path, bring_in: Callable[..., FaceImport]) -> None:
    folder = make_folder(tmp_path / "in", faces=1, lines=["face_0,../0.png,20,100,80,160,0.9,../../c.png"])
    add_photos(folder, 1)
    (folder / "0.png").write_bytes((folder / "images" / "0.png").read_bytes())
    lines = ["face_0,0.png,20,100,80,160,0.9,../../c.png"]
    write_text(folder / METADATA, ["face_id,image_path,x1,y1,x2,y2,score,crop_path", *lines])
    face_import = bring_in(folder)
    said = write_out(tmp_path / "deep" / "out", f"--import={face_import.pk}", "--crops", "--photos")
    assert "1 pictures are left out" in said
    assert (tmp_path / "deep" / "out" / "0.png").exists()
    assert not list(tmp_path.glob("**/c.png"))


def test_a_face_that_was_deleted_is_not_exported_and_that_is_said(
    tmp_path: Path, bring_in: Callable[..., FaceImport]
) -> None:
    from django.db import transaction

    folder = make_folder(tmp_path / "in", faces=5)
    face_import = bring_in(folder)
    with transaction.atomic():
        remove_photos([Photo.objects.get(name="1.png").pk])
    said = write_out(tmp_path / "out", f"--import={face_import.pk}")
    assert "2 faces are left out" in said
    vectors = np.load(tmp_path / "out" / VECTORS)
    assert np.array_equal(vectors, np.load(folder / VECTORS)[[0, 1, 4]])
    assert (tmp_path / "out" / INDEX).read_text() == "face_id\nface_0\nface_1\nface_4\n"


def test_an_export_of_everything_goes_by_our_own_ids(tmp_path: Path) -> None:
    activate_embedder(EMBEDDER_ID)
    vectors, faces = unit_vectors(7, ACTIVE_DIMENSION), [make_face() for _ in range(7)]
    for face, vector in zip(faces, vectors, strict=True):
        Embedding.objects.create(face=face, embedder_id=EMBEDDER_ID, vector=vector.tobytes())
    make_face()
    said = write_out(tmp_path / "out")
    assert "1 faces are left out: they have no vector of this embedder" in said
    assert np.array_equal(np.load(tmp_path / "out" / VECTORS), vectors)
    ids = (tmp_path / "out" / INDEX).read_text().splitlines()
    assert ids == ["face_id", *(str(face.face_id) for face in faces)]
    report = json.loads((tmp_path / "out" / "export.json").read_text())
    assert (report["embedder_id"], report["vectors"]) == (EMBEDDER_ID, 7)


def test_our_own_export_comes_in_again(tmp_path: Path, bring_in: Callable[..., FaceImport]) -> None:
    activate_embedder(EMBEDDER_ID)
    faces = [make_face() for _ in range(3)]
    for face, vector in zip(faces, unit_vectors(3, ACTIVE_DIMENSION), strict=True):
        Embedding.objects.create(face=face, embedder_id=EMBEDDER_ID, vector=vector.tobytes())
    write_out(tmp_path / "out")
    face_import = bring_in(tmp_path / "out")
    assert face_import.embedder_id == EMBEDDER_ID
    assert ImportedFace.objects.filter(face_import=face_import).count() == 3
    write_out(tmp_path / "again", f"--import={face_import.pk}")
    assert files_of(tmp_path / "again") == files_of(tmp_path / "out")


def test_only_the_owner_may_read_the_files(tmp_path: Path, bring_in: Callable[..., FaceImport]) -> None:
    face_import = bring_in(make_folder(tmp_path / "in"))
    said = write_out(tmp_path / "out", f"--import={face_import.pk}", "--crops")
    assert "holds biometric data" in said
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "out").iterdir() if path.is_file()} == {0o600}


def test_a_folder_with_other_files_is_refused(tmp_path: Path, bring_in: Callable[..., FaceImport]) -> None:
    folder = make_folder(tmp_path / "in")
    face_import = bring_in(folder)
    before = files_of(folder)
    with pytest.raises(CommandError, match="holds embedding files already"):
        write_out(folder, f"--import={face_import.pk}")
    assert files_of(folder) == before


def test_rows_that_the_disk_did_not_keep_are_noticed(
    tmp_path: Path, bring_in: Callable[..., FaceImport], monkeypatch: pytest.MonkeyPatch
) -> None:
    from recognition.embedding_files.part_files import PartFiles

    face_import, close = bring_in(make_folder(tmp_path / "in")), PartFiles.close

    def close_and_spoil(self: PartFiles, note: object, tails: dict[str, bytes]) -> None:
        close(self, note, tails)  # type: ignore[arg-type]
        with self.part(VECTORS).open("r+b") as file:
            file.seek(-1, 2)
            file.write(b"\xff")

    monkeypatch.setattr(PartFiles, "close", close_and_spoil)
    with pytest.raises(CommandError, match="not what the database says"):
        write_out(tmp_path / "out", f"--import={face_import.pk}")
    assert not (tmp_path / "out" / VECTORS).exists()


def test_an_export_that_breaks_off_at_any_write_goes_on_to_the_same_bytes(
    tmp_path: Path, bring_in: Callable[..., FaceImport], monkeypatch: pytest.MonkeyPatch
) -> None:
    from recognition.embedding_files.exporting import EmbeddingExport
    from recognition.embedding_files.selection import AsImported

    face_import = bring_in(make_folder(tmp_path / "in", faces=20))

    def export(target: Path) -> None:
        target.mkdir(exist_ok=True)
        EmbeddingExport(folder=target, selection=AsImported(face_import), key="all", block=3).run()

    export(tmp_path / "whole")
    left, real = [0], os.write

    def write(descriptor: int, data: memoryview) -> int:
        """Half of what is asked, and nothing any more once the count is up."""
        if not left[0]:
            raise OSError(28, "No space left on device")
        left[0] -= 1
        return real(descriptor, data[: len(data) // 2 + 1])

    for count in range(1, 40, 3):
        target = tmp_path / str(count)
        left[0] = count
        monkeypatch.setattr(os, "write", write)
        with pytest.raises(OSError, match="No space"):
            export(target)
        monkeypatch.setattr(os, "write", real)
        export(target)
        assert files_of(target) == files_of(tmp_path / "whole")


def test_faces_that_were_added_meanwhile_are_not_in_a_resumed_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recognition.embedding_files.part_files import PartFiles

    activate_embedder(EMBEDDER_ID)
    vectors = unit_vectors(4, ACTIVE_DIMENSION)

    def add(number: int) -> None:
        Embedding.objects.create(face=make_face(), embedder_id=EMBEDDER_ID, vector=vectors[number].tobytes())

    for number in range(3):
        add(number)
    close = PartFiles.close
    monkeypatch.setattr(PartFiles, "close", lambda *args: (_ for _ in ()).throw(OSError(5, "broken")))
    with pytest.raises(CommandError, match="goes on where it stopped"):
        write_out(tmp_path / "out")
    monkeypatch.setattr(PartFiles, "close", close)
    add(3)
    assert "there from before" in write_out(tmp_path / "out")
    assert len(np.load(tmp_path / "out" / VECTORS)) == 3


def test_a_face_that_was_deleted_meanwhile_is_in_no_resumed_export(
    tmp_path: Path, bring_in: Callable[..., FaceImport], monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import transaction

    from recognition.embedding_files.part_files import PartFiles

    face_import, close = bring_in(make_folder(tmp_path / "in")), PartFiles.close
    monkeypatch.setattr(PartFiles, "close", lambda *args: (_ for _ in ()).throw(OSError(5, "broken")))
    with pytest.raises(CommandError):
        write_out(tmp_path / "out", f"--import={face_import.pk}")
    monkeypatch.setattr(PartFiles, "close", close)
    with transaction.atomic():
        remove_photos([Photo.objects.get(name="0.png").pk])
    write_out(tmp_path / "out", f"--import={face_import.pk}")
    assert (tmp_path / "out" / INDEX).read_text() == "face_id\nface_2\nface_3\nface_4\n"


def test_a_face_that_is_deleted_under_way_ends_the_export_which_begins_anew(
    tmp_path: Path, bring_in: Callable[..., FaceImport], monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import transaction

    from recognition.embedding_files.exporting import EmbeddingExport

    face_import, begin = bring_in(make_folder(tmp_path / "in")), EmbeddingExport._begin

    def begin_and_delete(*args: Any) -> Any:
        note = begin(*args)
        with transaction.atomic():
            remove_photos([Photo.objects.get(name="0.png").pk])
        return note

    monkeypatch.setattr(EmbeddingExport, "_begin", begin_and_delete)
    with pytest.raises(CommandError, match="deleted while they were written"):
        write_out(tmp_path / "out", f"--import={face_import.pk}")
    monkeypatch.setattr(EmbeddingExport, "_begin", begin)
    write_out(tmp_path / "out", f"--import={face_import.pk}")
    assert (tmp_path / "out" / INDEX).read_text() == "face_id\nface_2\nface_3\nface_4\n"


def test_an_import_that_is_not_there_is_named_with_those_that_are(
    tmp_path: Path, bring_in: Callable[..., FaceImport]
) -> None:
    face_import = bring_in(make_folder(tmp_path / "in"))
    with pytest.raises(CommandError, match=rf"There are: {face_import.pk} \(Gala\)"):
        write_out(tmp_path / "out", f"--import={face_import.pk + 1}")
