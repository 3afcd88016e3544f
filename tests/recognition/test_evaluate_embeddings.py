"""The command: its table and its JSON, on the faces of an installation and on a folder of photos."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from recognition.models import Embedding, Face
from tests.factories import activate_embedder
from tests.fakes import EMBEDDER_ID, draw_photo
from tests.recognition.evaluation.rows import make_people

pytestmark = pytest.mark.django_db
PHOTOS = Path(__file__).resolve().parents[3] / "shared" / "photos"


def evaluate(*arguments: str) -> str:
    out = StringIO()
    call_command("evaluate_embeddings", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def draw_people(root: Path) -> None:
    for color in ("red", "green", "blue", "yellow"):
        (root / color).mkdir(parents=True)
        for number in range(3):
            (root / color / f"{number}.png").write_bytes(draw_photo(color, salt=number))


def test_the_faces_of_an_installation_are_measured() -> None:
    activate_embedder()
    make_people(30)
    text = evaluate("--splits", "2")
    assert "90 labeled faces of 30 people, 30 of them with references" in text
    assert "Rank 1: 100.00 % of 90 faces have their own person first" in text
    assert "Open set: 2 random splits" in text


def test_json_holds_the_same_figures() -> None:
    activate_embedder()
    make_people(30)
    figures = json.loads(evaluate("--json", "--splits", "2", "--target", "0.02"))
    assert (figures["faces"], figures["target"], figures["open_set"]["splits"]) == (90, 0.02, 2)
    assert figures["what_if"]["open"] == 0


def test_another_embedder_than_the_active_one_is_measured_without_the_queue() -> None:
    activate_embedder()
    make_people(12, dimension=128, embedder_id="dlib-resnet-c1")
    figures = json.loads(evaluate("--json", "--splits", "0", "--embedder", "dlib-resnet"))
    assert (figures["embedder_id"], figures["faces"]) == ("dlib-resnet-c1", 36)
    assert figures["what_if"] is None


def test_too_few_faces_are_said() -> None:
    activate_embedder()
    make_people(3)
    with pytest.raises(CommandError, match="10 people with two named faces are the least"):
        evaluate()


def test_before_an_embedder_is_chosen_there_are_no_faces_of_ones_own() -> None:
    with pytest.raises(CommandError, match="No embedder is active yet"):
        evaluate()


@pytest.mark.usefixtures("drawn_faces")
def test_a_folder_is_measured_and_leaves_nothing_behind(tmp_path: Path) -> None:
    draw_people(tmp_path)
    text = evaluate("--photos", str(tmp_path), "--splits", "3")
    assert "Embedder drawn" in text
    assert "12 labeled faces of 4 people" in text
    assert "target 1.00 %" in text
    assert not Face.objects.exists()
    assert not Embedding.objects.exists()


@pytest.mark.usefixtures("drawn_faces")
def test_what_is_left_out_of_a_folder_is_told(tmp_path: Path) -> None:
    draw_people(tmp_path)
    (tmp_path / "solo").mkdir()
    (tmp_path / "solo" / "one.png").write_bytes(draw_photo("cyan"))
    figures = json.loads(
        evaluate("--photos", str(tmp_path), "--json", "--splits", "0", "--embedder", EMBEDDER_ID)
    )
    assert figures["left_out"] == [{"folder": "solo", "reason": "1 picture of one face"}]
    assert figures["folders"] == ["blue", "green", "red", "yellow"]
    assert figures["open_set"] is None


@pytest.mark.usefixtures("drawn_faces")
def test_a_folder_without_people_says_what_it_should_hold(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="one folder for each person"):
        evaluate("--photos", str(tmp_path))
    with pytest.raises(CommandError, match="is not a folder"):
        evaluate("--photos", str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    "arguments", [("--splits", "x"), ("--splits", "-1"), ("--target", "0"), ("--target", "no")]
)
def test_numbers_that_mean_nothing_are_refused(arguments: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match="argument --"):
        evaluate(*arguments)


def test_an_unknown_embedder_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no embedder called 'nobody'"):
        evaluate("--photos", str(tmp_path), "--embedder", "nobody")


@pytest.mark.slow
@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the research photos are not on this machine")
def test_real_photos_by_the_bundled_embedder_stay_near_the_target() -> None:
    """The nets themselves: disjoint thirds of the people, 200 random splits, a target of 1 %."""
    arguments = ["--photos", str(PHOTOS), "--embedder", "dlib-resnet", "--target", "0.01", "--splits", "200"]
    figures: dict[str, Any] = json.loads(evaluate("--json", *arguments))
    assert (figures["people"], figures["faces"] >= 475) == (48, True)
    assert 0.005 <= figures["open_set"]["fpir"] <= 0.015
    assert figures["open_set"]["tpir"] > 0.95
    assert figures["rank1"]["right"] / figures["rank1"]["faces"] > 0.99
    [one_percent] = [row for row in figures["tar"] if row["far"] == 0.01]
    assert one_percent["low"] <= one_percent["tar"] <= one_percent["high"]
    assert {row["folder"] for row in figures["left_out"]} >= {"portraits", "knn/test"}
    text = evaluate(*arguments[:-1], "20")
    assert re.search(r"calibrated, 0\.\d+ on average +\d", text)
