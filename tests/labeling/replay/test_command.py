"""`manage.py replay_labeling`: from photos and their truth to numbers, in an installation of its own."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from labeling.models import Decision
from recognition.models import Photo
from tests.photos import PHOTOS, needs_photos

HEAD = "photo,identity,x,y,width,height\n"


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def compose(folder: Path, *options: str) -> Path:
    tool = PHOTOS.parent / "tools" / "make_events.py"
    subprocess.run([sys.executable, str(tool), str(folder), *options], check=True)
    return folder / "truth.csv"


def replay(*arguments: object) -> str:
    out = io.StringIO()
    call_command("replay_labeling", *map(str, arguments), stdout=out)
    return out.getvalue()


@needs_photos
@pytest.mark.django_db
def test_the_people_of_composed_photos_are_named_and_this_installation_is_not_touched(
    tmp_path: Path, scratch: Path
) -> None:
    size = ("--photos", "6", "--faces", "5", "--identities", "5", "--size", "1200x800", "--seed", "7")
    truth = compose(tmp_path / "photos", *size)
    keep = tmp_path / "keep"
    numbers: dict[str, Any] = json.loads(replay(truth, "--json", "--keep", keep))
    assert (numbers["people"], numbers["listed"]) == (5, 30)
    assert numbers["faces"] >= 27
    assert (numbers["right"], numbers["wrong"], numbers["unnamed"]) == (1.0, 0, 0)
    assert numbers["decisions_per_person_95"] <= numbers["one_by_one_95"] < numbers["by_hand_95"]
    assert numbers["decisions_50"] <= numbers["decisions_80"] <= numbers["decisions_95"]
    assert sum(numbers["kinds"].values()) == numbers["decisions"] >= numbers["decisions_100"]

    # Kept: the photos are needed no more.
    truth_text = truth.read_text()
    assert json.loads(replay(truth, "--json", "--keep", keep)) == numbers
    table = replay(truth, "--keep", keep)
    assert "the desk's queue" in table
    assert "one by one, by hand" in table

    truth.write_text(truth_text + truth_text.splitlines()[1] + "\n")
    with pytest.raises(CommandError, match="made of another truth"):
        replay(truth, "--keep", keep)

    assert sorted(path.name for path in keep.iterdir()) == ["ingested", "ingested.json"]
    assert not list(scratch.iterdir())
    assert not Photo.objects.exists()
    assert not Decision.objects.exists()
    assert not User.objects.exists()
    assert not list(settings.FACEVAULT_DATA.glob("**/*.jpg"))


def test_a_truth_that_cannot_be_used_ends_before_anything_is_made(tmp_path: Path, scratch: Path) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text("photo,identity\na.jpg,s1\n")
    with pytest.raises(CommandError, match="lacks the columns x, y, width, height"):
        replay(truth)
    assert not list(scratch.iterdir())


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"a")
    (tmp_path / "truth.csv").write_text(HEAD + "a.jpg,s1,1,2,3,4\n")
    keep = tmp_path / "mine"
    keep.mkdir()
    (keep / "letter.txt").write_text("dear")
    with pytest.raises(CommandError, match="is not empty"):
        replay(tmp_path / "truth.csv", "--keep", keep)
    assert (keep / "letter.txt").read_text() == "dear"


def test_a_photo_that_is_none_ends_the_replay_with_its_name_and_leaves_nothing_behind(
    tmp_path: Path, scratch: Path
) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no photo at all")
    (tmp_path / "truth.csv").write_text(HEAD + "a.jpg,s1,1,2,3,4\n")
    with pytest.raises(CommandError, match=r"a\.jpg cannot be used"):
        replay(tmp_path / "truth.csv")
    assert not list(scratch.iterdir())


@needs_photos
@pytest.mark.slow
@pytest.mark.parametrize("seed", [7, 11])
def test_an_event_of_1200_faces_takes_at_most_1_2_decisions_per_person(tmp_path: Path, seed: int) -> None:
    truth = compose(tmp_path / "photos", "--photos", "100", "--faces", "12", "--seed", str(seed))
    numbers = json.loads(replay(truth, "--json"))
    assert (numbers["people"], numbers["listed"]) == (48, 1200)
    assert numbers["faces"] >= 1_180
    assert numbers["decisions_per_person_95"] <= 1.2
    assert numbers["right"] >= 0.99
    assert numbers["decisions_per_person_95"] < numbers["one_by_one_95"] < numbers["by_hand_95"]
