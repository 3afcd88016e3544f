"""Drawings: small, without styles or scripts, readable in both color schemes, and the same for the same figures."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from recognition.embedders import EmbedderInfo, Thresholds
from recognition.evaluation.measuring import measure_faces
from recognition.evaluation.palette import read_palettes
from recognition.evaluation.plots import PLOTS, draw_plots
from tests.recognition.evaluation.people import as_labeled, scattered_people

INFO = EmbedderInfo(
    embedder_id="drawn",
    name="drawn",
    dimension=24,
    input_size=8,
    shipped=Thresholds(automatic=0.7, margin=0.05, suggest=0.4, strict=0.8),
)


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    vectors, people = scattered_people(40, 4, dimension=24, noise=0.7)
    return measure_faces(as_labeled(vectors, people), INFO, target=0.01, told_apart=())[0]


@pytest.fixture(scope="module")
def drawn(figures: dict[str, Any]) -> dict[tuple[str, str], str]:
    return draw_plots(figures)


def test_every_plot_is_drawn_for_light_and_dark(drawn: dict[tuple[str, str], str]) -> None:
    assert set(drawn) == {(plot.name, scheme) for plot in PLOTS for scheme in ("light", "dark")}


def test_no_plot_needs_a_style_or_a_script(drawn: dict[tuple[str, str], str]) -> None:
    for svg in drawn.values():
        assert not re.search(r"style|script|href=\"(?!#)|on\w+=|url\((?!#)", svg)


def test_every_plot_has_a_title_and_words_that_are_text(drawn: dict[tuple[str, str], str]) -> None:
    for (name, _), svg in drawn.items():
        root = ET.fromstring(svg)
        assert root.get("role") == "img"
        assert root[0].tag.endswith("title")
        assert root[0].text == next(plot.title for plot in PLOTS if plot.name == name)
        assert sum(1 for element in root.iter() if element.tag.endswith("text")) > 5


def test_plots_are_small(drawn: dict[tuple[str, str], str]) -> None:
    assert max(map(len, drawn.values())) < 40_000


def test_light_and_dark_say_the_same(drawn: dict[tuple[str, str], str]) -> None:
    for plot in PLOTS:
        light, dark = drawn[plot.name, "light"], drawn[plot.name, "dark"]
        assert light != dark
        assert re.findall(r">([^<]+)</text>", light) == re.findall(r">([^<]+)</text>", dark)
        assert light.count("<path") == dark.count("<path")


def test_every_color_is_one_of_the_stylesheet(drawn: dict[tuple[str, str], str]) -> None:
    for (name, scheme), svg in drawn.items():
        palette = read_palettes()[scheme]
        known = {getattr(palette, field) for field in palette.__slots__}
        assert set(re.findall(r"#[0-9a-f]{6}\b", svg)) <= known, name


def test_the_same_figures_give_the_same_drawing(
    figures: dict[str, Any], drawn: dict[tuple[str, str], str]
) -> None:
    assert draw_plots(figures) == drawn


def test_what_there_are_no_figures_for_is_left_out() -> None:
    vectors, people = scattered_people(1, 4, dimension=24)
    figures = measure_faces(as_labeled(vectors, people), INFO, target=0.01, told_apart=())[0]
    assert draw_plots(figures) == {}
