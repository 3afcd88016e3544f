"""Embedding files into an event: what they are read as, what is refused, and going on where it stopped."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from recognition.embedding_files import INDEX, METADATA, VECTORS
from recognition.models import Embedding, Event, Face, FaceImport, ImportedFace, Photo, UnlabeledFace
from recognition.photos.removal import remove_photos
from recognition.vectors import encode_vector
from tests.factories import unit_vectors
from tests.fakes import DIMENSION as ACTIVE_DIMENSION
from tests.fakes import EMBEDDER_ID
from tests.recognition.embedding_files.making import (
    HEADER,
    add_crops,
    add_photos,
    make_folder,
    metadata_line,
    write_text,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("drawn_faces")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "batch")


@pytest.fixture
def bring_in(tmp_path: Path) -> Callable[..., str]:
    def run(folder: Path, *options: str) -> str:
        said = StringIO()
        refused = f"--refused={tmp_path / 'refused.csv'}"
        call_command("import_embeddings", str(folder), "--event=Gala", refused, *options, stdout=said)
        return said.getvalue()

    return run


def refused_codes(tmp_path: Path) -> list[str]:
    lines = (tmp_path / "refused.csv").read_text().splitlines()[1:]
    return [line.split(",")[1] for line in lines]


def test_every_row_becomes_a_face_with_its_vector_and_its_place(
    folder: Path, bring_in: Callable[..., str]
) -> None:
    said = bring_in(folder)
    assert "5 faces added" in said
    assert "box: x1, y1, x2, y2" in said
    vectors = np.load(folder / VECTORS)
    for row in ImportedFace.objects.select_related("face__photo").order_by("row"):
        assert row.external_id == f"face_{row.row}"
        assert (row.face.width, row.face.height) == (59.5, 60.25)
        stored = Embedding.objects.with_vectors().get(face=row.face)
        assert stored.embedder_id == "imported-batch-12d"
        assert bytes(stored.vector) == encode_vector(vectors[row.row])
    assert sorted(Photo.objects.values_list("name", flat=True)) == ["0.png", "1.png", "2.png"]
    assert set(Photo.objects.values_list("origin", flat=True)) == {"stand_in"}
    assert UnlabeledFace.objects.open().count() == 5


def test_a_finished_import_has_nothing_to_do(folder: Path, bring_in: Callable[..., str]) -> None:
    bring_in(folder)
    assert "Nothing to do" in bring_in(folder)
    assert (FaceImport.objects.count(), Face.objects.count()) == (1, 5)


def test_deleted_faces_come_back_only_when_asked_for(folder: Path, bring_in: Callable[..., str]) -> None:
    from django.db import transaction

    bring_in(folder)
    with transaction.atomic():
        remove_photos([Photo.objects.get(name="1.png").pk])
    assert "2 of their faces were deleted since" in bring_in(folder)
    assert Face.objects.count() == 3
    assert "2 faces added, 3 were there already" in bring_in(folder, "--again")
    assert Face.objects.count() == 5


def test_a_dry_run_writes_nothing(folder: Path, bring_in: Callable[..., str]) -> None:
    said = bring_in(folder, "--dry-run")
    assert "5 faces, 5 with a vector" in said
    assert "Nothing was written" in said
    assert not Event.objects.exists()


def test_photos_that_are_there_are_kept(folder: Path, bring_in: Callable[..., str], tmp_path: Path) -> None:
    add_photos(tmp_path / "originals", 2)
    bring_in(folder, f"--photos={tmp_path / 'originals'}")
    assert sorted(Photo.objects.values_list("name", "origin")) == [
        ("0.png", "uploaded"),
        ("1.png", "uploaded"),
        ("2.png", "stand_in"),
    ]


def test_crops_without_vectors_are_embedded_here(folder: Path, bring_in: Callable[..., str]) -> None:
    (folder / VECTORS).unlink()
    (folder / INDEX).unlink()
    add_crops(folder, 5)
    bring_in(folder)
    assert Embedding.objects.filter(embedder_id=EMBEDDER_ID).count() == 5
    assert FaceImport.objects.get().embedder_id == ""


def test_a_row_with_neither_vector_nor_picture_is_refused(
    folder: Path, bring_in: Callable[..., str], tmp_path: Path
) -> None:
    (folder / VECTORS).unlink()
    (folder / INDEX).unlink()
    add_crops(folder, 3)
    assert "3 faces added" in bring_in(folder, "--no-embed")
    assert refused_codes(tmp_path) == ["nothing_of_it"] * 2


def test_vectors_of_the_active_embedder_are_taken_as_such(
    tmp_path: Path, bring_in: Callable[..., str]
) -> None:
    folder = make_folder(tmp_path / "ours", dimension=ACTIVE_DIMENSION)
    bring_in(folder, f"--embedder={EMBEDDER_ID}")
    assert set(Embedding.objects.values_list("embedder_id", flat=True)) == {EMBEDDER_ID}


def test_an_embedder_of_another_dimension_is_refused(folder: Path, bring_in: Callable[..., str]) -> None:
    with pytest.raises(CommandError, match="makes vectors of 8 numbers, and these have 12"):
        bring_in(folder, f"--embedder={EMBEDDER_ID}")


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("face_id,image,x,y,w,h", "{id},a.jpg,10,20,30,40"),
        ("face_id,file,left,top,width,height,score", "{id},a.jpg,10,20,30,40,0.95"),
        ("face_id,path,left,top,right,bottom", "{id},a.jpg,10,20,40,60"),
        ("face_id,image_path,bbox", '{id},a.jpg,"[10, 20, 40, 60]"'),
        ("face_id,image_path,bbox", '{id},a.jpg,"{{""x"": 10, ""y"": 20, ""w"": 30, ""h"": 40}}"'),
        ("face_id,image_path,bbox_x,bbox_y,bbox_w,bbox_h", "{id},a.jpg,10,20,30,40"),
    ],
)
def test_boxes_are_read_in_every_usual_spelling(
    tmp_path: Path, bring_in: Callable[..., str], header: str, line: str
) -> None:
    bring_in(make_folder(tmp_path / "one", faces=1, header=header, lines=[line.format(id="face_0")]))
    face = Face.objects.get()
    assert (face.left, face.top, face.width, face.height) == (10, 20, 30, 40)


def test_metadata_without_a_face_id_is_refused_with_what_to_do(
    tmp_path: Path, bring_in: Callable[..., str]
) -> None:
    folder = make_folder(tmp_path / "one", header=HEADER.replace("face_id", "number"))
    with pytest.raises(CommandError, match="no column face_id"):
        bring_in(folder)


def test_a_photo_outside_the_folders_is_never_opened(tmp_path: Path, bring_in: Callable[..., str]) -> None:
    add_photos(tmp_path / "secret", 1)
    lines = [
        "face_0,../secret/images/0.png,10,10,60,60,0.99,",
        f"face_1,{tmp_path}/secret/images/0.png,10,10,60,60,0.99,",
        "face_2,link.png,10,10,60,60,0.99,",
    ]
    folder = make_folder(tmp_path / "batch", faces=3, lines=lines)
    (folder / "link.png").symlink_to(tmp_path / "secret" / "images" / "0.png")
    bring_in(folder)
    assert set(Photo.objects.values_list("origin", flat=True)) == {"stand_in"}


def test_a_pickled_matrix_is_refused_and_never_run(folder: Path, bring_in: Callable[..., str]) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (folder / "ran",))  # type: ignore[return-value]

    np.save(folder / VECTORS, np.array([Trap()], dtype=object), allow_pickle=True)
    with pytest.raises(CommandError, match="pickled objects"):
        bring_in(folder)
    (folder / VECTORS).write_bytes(pickle.dumps(Trap()))
    with pytest.raises(CommandError, match=r"no \.npy file"):
        bring_in(folder)
    assert not (folder / "ran").exists()


@pytest.mark.parametrize(
    ("vectors", "said"),
    [
        (unit_vectors(5, 12).astype("<f8"), "not float32"),
        (unit_vectors(5, 12).astype(">f4"), "not float32"),
        (unit_vectors(5, 12).ravel(), "shape"),
        (np.asfortranarray(unit_vectors(5, 12)), "column order"),
        (unit_vectors(4, 12), "names 5 faces and face_embeddings.npy holds 4 vectors"),
        (unit_vectors(6, 12), "names 5 faces and face_embeddings.npy holds 6 vectors"),
        (unit_vectors(5, 12) * np.float32(3), "not of length 1"),
    ],
)
def test_a_matrix_that_does_not_fit_is_refused_whole(
    folder: Path, bring_in: Callable[..., str], vectors: np.ndarray, said: str
) -> None:
    np.save(folder / VECTORS, vectors)
    with pytest.raises(CommandError, match=said):
        bring_in(folder)
    assert not Face.objects.exists()


def test_a_matrix_that_was_cut_off_is_refused(folder: Path, bring_in: Callable[..., str]) -> None:
    data = (folder / VECTORS).read_bytes()
    (folder / VECTORS).write_bytes(data[:-1])
    with pytest.raises(CommandError, match="not written or copied to its end"):
        bring_in(folder)


def test_one_broken_vector_stops_no_other(folder: Path, bring_in: Callable[..., str], tmp_path: Path) -> None:
    vectors = np.load(folder / VECTORS)
    vectors[1] = np.nan
    vectors[3] *= 2
    np.save(folder / VECTORS, vectors)
    assert "3 faces added" in bring_in(folder)
    assert refused_codes(tmp_path) == ["bad_vector", "bad_vector"]


def test_an_id_that_is_there_twice_is_taken_once(tmp_path: Path, bring_in: Callable[..., str]) -> None:
    lines = [metadata_line(0), metadata_line(1), metadata_line(1)]
    folder = make_folder(tmp_path / "batch", faces=3, ids=["face_0", "face_0", "face_1"], lines=lines)
    assert "2 faces added" in bring_in(folder)
    assert refused_codes(tmp_path) == ["id_twice", "id_twice"]
    assert sorted(ImportedFace.objects.values_list("external_id", "row")) == [("face_0", 0), ("face_1", 2)]


@pytest.mark.parametrize(
    "line",
    [
        "face_1,a.jpg,1,2,x,4,0.9,",
        "face_1,a.jpg,1,2,3",
        "face_1,a.jpg,9,9,3,4,0.9,",
        "face_1,a.jpg,1,2,3,4,nan,",
    ],
)
def test_a_row_that_cannot_be_read_stops_no_other(
    tmp_path: Path, bring_in: Callable[..., str], line: str
) -> None:
    lines = [metadata_line(0), line, metadata_line(2)]
    assert "2 faces added" in bring_in(make_folder(tmp_path / "batch", faces=3, lines=lines))
    assert refused_codes(tmp_path) == ["bad_row"]


def test_a_formula_is_no_formula_in_the_list_of_what_was_refused(
    tmp_path: Path, bring_in: Callable[..., str]
) -> None:
    lines = ["=cmd()|A1,a.jpg,1,2,x,4,0.9,"]
    bring_in(make_folder(tmp_path / "batch", faces=2, lines=lines, ids=["=cmd()|A1", "face_1"]))
    assert (tmp_path / "refused.csv").read_text().splitlines()[1].startswith("'=cmd()")


def test_an_empty_folder_of_files_says_so(tmp_path: Path, bring_in: Callable[..., str]) -> None:
    folder = make_folder(tmp_path / "batch", faces=0)
    with pytest.raises(CommandError, match="names no face"):
        bring_in(folder)


def test_text_that_is_not_utf8_is_refused(folder: Path, bring_in: Callable[..., str]) -> None:
    (folder / METADATA).write_bytes(b"face_id,image\nface_0,M\xfcller.jpg\n")
    with pytest.raises(CommandError, match="not UTF-8"):
        bring_in(folder)


def test_a_matrix_without_its_index_is_refused(folder: Path, bring_in: Callable[..., str]) -> None:
    (folder / INDEX).unlink()
    with pytest.raises(CommandError, match="neither can be read without the other"):
        bring_in(folder)


def test_a_line_without_end_is_not_read_into_memory(folder: Path, bring_in: Callable[..., str]) -> None:
    write_text(folder / METADATA, [HEADER, "face_0," + "x" * 100_000])
    with pytest.raises(CommandError, match="a line that is too long"):
        bring_in(folder)


def test_a_crop_that_is_no_picture_leaves_its_face_in(
    folder: Path, bring_in: Callable[..., str], tmp_path: Path
) -> None:
    add_crops(folder, 5)
    (folder / "crops" / "2.png").write_bytes(b"no picture")
    assert "5 faces added" in bring_in(folder)
    assert refused_codes(tmp_path) == ["not_an_image"]
