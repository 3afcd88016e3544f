"""A report as aligned text, for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from recognition.evaluation.reports import SPLIT_PEOPLE

_FEW = "too few pairs"


def as_text(figures: Mapping[str, Any]) -> str:
    sections = [
        _head(figures),
        _pairs(figures),
        _true_accepts(figures),
        _decision(figures),
        _sizes(figures),
        _ranges("By size of the face", "pixels", figures["by_size"]),
        _ranges("By sharpness", "sharpness", figures["by_sharpness"]),
        _reliability(figures),
        _open_set(figures.get("open_set"), people=figures["people"]),
        _left_out(figures.get("left_out", [])),
    ]
    return "\n\n".join(section for section in sections if section)


def _head(figures: Mapping[str, Any]) -> str:
    lines = figures["lines"]
    where = (
        f"calibrated on {_number(lines['people'])} people"
        if lines["calibrated"]
        else "as the embedder ships them"
    )
    return "\n".join(
        [
            f"Embedder {figures['embedder_id']}",
            (
                f"{_number(figures['faces'])} labeled faces of {_number(figures['people'])} people, "
                f"{_number(figures['enrolled'])} of them with references"
            ),
            (
                f"Lines ({where}): automatic {lines['automatic']:.3f}, lead {lines['margin']:.3f}, "
                f"suggest {lines['suggest']:.3f}, strict {lines['strict']:.3f}; target {_percent(figures['target'])}"
            ),
        ]
    )


def _pairs(figures: Mapping[str, Any]) -> str:
    rows = []
    for kind, words in (("same", "one person"), ("different", "different people")):
        spread = figures["pairs"][kind]
        if spread:
            measured = _number(spread["count"])
            if spread["count"] < spread["total"]:
                measured += f" of {_number(spread['total'])}"
            rows.append(
                [words, measured, *(f"{spread[name]:.3f}" for name in ("mean", "sd", "least", "most"))]
            )
    return _table("Similarity of two faces", ["", "pairs", "mean", "sd", "least", "most"], rows)


def _true_accepts(figures: Mapping[str, Any]) -> str:
    rows = []
    for told in figures["tar"]:
        if told["tar"] is None:
            rows.append([_percent(told["far"]), _FEW, "", ""])
        else:
            between = f"{_percent(told['low'])} to {_percent(told['high'])}"
            rows.append([_percent(told["far"]), _percent(told["tar"]), between, f"{told['line']:.3f}"])
    return _table("True accepts (TAR) at false accepts (FAR)", ["FAR", "TAR", "95 % interval", "line"], rows)


def _decision(figures: Mapping[str, Any]) -> str:
    first, all_ = figures["rank1"], figures["decision"]
    if not first["faces"]:
        return "Rank 1: nobody has a second face."
    share = _percent(first["right"] / first["faces"])
    lines = [
        f"Rank 1: {share} of {_number(first['faces'])} faces have their own person first, the face itself left out",
        (
            f"Known faces: {_number(all_['right'])} named, {_number(all_['suggested'])} suggested, "
            f"{_number(all_['missed'])} missed, {_number(all_['wrong'])} named wrong"
        ),
        f"As strangers: {_number(all_['strangers_named'])} of {_number(all_['strangers'])} would get a name",
    ]
    return "\n".join(lines)


def _sizes(figures: Mapping[str, Any]) -> str:
    rows = []
    for row in figures["sizes"]:
        fixed, fitted = row["fixed"], row["fitted"]
        cells = [_number(row["enrolled"]), _number(row["strangers"])]
        for rates in (fixed, fitted):
            cells += (
                ["", "", ""]
                if rates is None
                else [f"{rates['line']:.3f}", _share(rates["fpir"]), _share(rates["tpir"])]
            )
        rows.append(cells)
    heads = ["people", "strangers", "in force", "FPIR", "TPIR", "for the size", "FPIR", "TPIR"]
    return _table("By how many people are enrolled", heads, rows)


def _ranges(title: str, noun: str, ranges: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for row in ranges:
        tally = row["tally"]
        counts = [tally[name] for name in ("known", "right", "suggested", "missed", "wrong")]
        rows.append(
            [range_words(row["low"], row["high"]), *map(_number, counts), _number(tally["strangers_named"])]
        )
    heads = [noun, "known", "named", "suggested", "missed", "wrong", "as strangers"]
    return _table(title, heads, rows)


def range_words(low: float | None, high: float | None) -> str:
    if low is None:
        return f"below {high:g}" if high is not None else "all"
    return f"{low:g} to {high:g}" if high is not None else f"{low:g} and more"


def _reliability(figures: Mapping[str, Any]) -> str:
    told = figures["reliability"]
    if not told:
        return ""
    rows = [
        [f"{_percent(row['low'])} to {_percent(row['high'])}", _number(row["faces"]), _percent(row["said"]), _percent(row["right"])]
        for row in told["bins"]
        if row["faces"]
    ]  # fmt: skip
    table = _table("Is the shown probability true", ["said", "faces", "said, mean", "right"], rows)
    return f"{table}\nExpected calibration error {_percent(told['ece'])}"


def _open_set(told: Mapping[str, Any] | None, *, people: int) -> str:
    if not told:
        return (
            f"Open set: takes {SPLIT_PEOPLE} people with two named faces each"
            if people < SPLIT_PEOPLE
            else ""
        )
    title = (
        f"Open set: {told['splits']} random splits of the people into thirds (fit, enrolled, strangers: "
        f"{_number(told['enrolled'])} each), target {_percent(told['target'])}, {told['references']} references"
    )
    rows = [
        [
            f"calibrated, {told['line']:.3f} on average",
            _percent(told["fpir"]), _between(told["fpir_interval"]),
            _percent(told["tpir"]), _between(told["tpir_interval"]),
        ],
        ["fixed, as shipped", _percent(told["fixed_fpir"]), "", _percent(told["fixed_tpir"]), ""],
    ]  # fmt: skip
    heads = ["line", "FPIR", "95 % interval", "TPIR", "95 % interval"]
    return _table(title, heads, rows)


def _left_out(rows: Iterable[Mapping[str, str]]) -> str:
    return "\n".join(["Left out", *(f"  {row['folder']}: {row['reason']}" for row in rows)]) if rows else ""


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first column to the left, numbers to the right."""
    if not rows:
        return ""
    widths = [max(len(row[place]) for row in (heads, *rows)) for place in range(len(heads))]
    lines = [
        "  " + "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (heads, *rows)
    ]  # fmt: skip
    return "\n".join([title, *lines])


def _between(interval: Sequence[float]) -> str:
    return f"{_percent(interval[0])} to {_percent(interval[1])}"


def _number(count: int) -> str:
    return f"{count:,}"


def _share(share: float | None) -> str:
    return "" if share is None else _percent(share)


def _percent(share: float) -> str:
    """Two digits after the point, more for small shares."""
    percent = 100 * share
    return f"{percent:.2f} %" if percent >= 0.1 or percent == 0 else f"{percent:.3g} %"
