"""A folder of folders becomes labeled faces: who counts as a person, and what is left out and why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recognition.evaluation.photo_folders import FolderFaces, NoPeople, embed_folders
from recognition.images import PhotoRefused, decode_photo
from tests.fakes import DrawnDetector, DrawnEmbedder, draw_photo, vector_of


def put(root: Path, folder: str, *photos: tuple[str, ...], suffix: str = "png") -> None:
    """A picture for each tuple of faces."""
    target = root / folder
    target.mkdir(parents=True, exist_ok=True)
    for number, faces in enumerate(photos):
        (target / f"{number}.{suffix}").write_bytes(draw_photo(*faces, salt=number))


def embed(root: Path) -> FolderFaces:
    return embed_folders(root, detector=DrawnDetector(), embedder=DrawnEmbedder())  # type: ignore[arg-type]


def test_each_folder_of_pictures_is_a_person_at_any_depth(tmp_path: Path) -> None:
    put(tmp_path, "press/ada", ("red",), ("red",), ("red",))
    put(tmp_path, "alumni/2020/bob", ("green",), ("green",), ("green",), ("green",))
    found = embed(tmp_path)
    assert found.names == ["alumni/2020/bob", "press/ada"]
    assert found.faces.people.tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert found.faces.vectors[0].tolist() == vector_of("green").tolist()
    assert found.left_out == []


def test_too_few_pictures_of_one_face_are_left_out_and_said(tmp_path: Path) -> None:
    put(tmp_path, "ada", ("red",), ("red",), ("red",))
    put(tmp_path, "bob", ("green",), ("green",), ("green",))
    put(tmp_path, "carol", ("blue",), ("blue",), ("blue", "yellow"), ())
    found = embed(tmp_path)
    assert found.names == ["ada", "bob"]
    assert [(row.folder, row.reason) for row in found.left_out] == [("carol", "2 pictures of one face")]


def test_a_folder_of_several_people_is_left_out(tmp_path: Path) -> None:
    put(tmp_path, "ada", ("red",), ("red",), ("red",))
    put(tmp_path, "bob", ("green",), ("green",), ("green",))
    put(tmp_path, "guests", ("blue",), ("yellow",), ("purple",))
    [left] = embed(tmp_path).left_out
    assert (left.folder, left.reason) == ("guests", "its 3 faces do not look like one person")


def test_pictures_beside_folders_of_pictures_are_nobodys(tmp_path: Path) -> None:
    put(tmp_path, ".", ("blue",), ("blue",), ("blue",))
    put(tmp_path, "press", ("yellow",), ("yellow",), ("yellow",))
    put(tmp_path, "press/ada", ("red",), ("red",), ("red",))
    put(tmp_path, "press/bob", ("green",), ("green",), ("green",))
    assert embed(tmp_path).names == ["press/ada", "press/bob"]


def test_files_that_are_no_pictures_do_not_matter(tmp_path: Path) -> None:
    put(tmp_path, "ada", ("red",), ("red",), ("red",))
    put(tmp_path, "bob", ("green",), ("green",), ("green",))
    (tmp_path / "ada" / "notes.txt").write_text("hello")
    (tmp_path / "ada" / "broken.jpg").write_bytes(b"nothing")
    assert len(embed(tmp_path).faces) == 6


def test_an_empty_folder_says_what_it_should_hold(tmp_path: Path) -> None:
    with pytest.raises(NoPeople, match="one folder for each person, with 3 pictures or more"):
        embed(tmp_path)


def test_one_person_alone_cannot_be_measured(tmp_path: Path) -> None:
    put(tmp_path, "ada", ("red",), ("red",), ("red",))
    put(tmp_path, "bob", ("green",))
    with pytest.raises(NoPeople, match=r"1 folder of one person.*Left out: bob: 1 picture of one face"):
        embed(tmp_path)


def test_pictures_of_research_sets_are_read_where_they_are_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "face.pgm"
    Image.fromarray(np.full((40, 30), 77, dtype=np.uint8)).save(file)
    assert decode_photo(file, portable=True).shape == (40, 30, 3)
    assert (decode_photo(file, portable=True) == 77).all()
    with pytest.raises(PhotoRefused, match="not_an_image"):
        decode_photo(file)


def test_a_research_picture_obeys_the_limits_of_every_other(tmp_path: Path) -> None:
    file = tmp_path / "face.pgm"
    Image.fromarray(np.zeros((100, 100), dtype=np.uint8)).save(file)
    with pytest.raises(PhotoRefused, match="too_many_pixels"):
        decode_photo(file, portable=True, max_pixels=5000)
    file.write_bytes(file.read_bytes()[:2000])
    with pytest.raises(PhotoRefused, match="truncated"):
        decode_photo(file, portable=True)
