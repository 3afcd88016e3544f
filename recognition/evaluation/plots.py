"""The drawings of a report, by matplotlib: for a worker or a command only. Each is drawn from the report's figures alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recognition.evaluation.palette import Palette, read_palettes
from recognition.evaluation.svg import draw_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Figures = Mapping[str, Any]
# Small, so that its words can still be read in the column of a phone.
_SIZE = (5.2, 3.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """`title` is what a page calls it; `description` says in words what it shows."""

    name: str
    title: str
    description: str
    draw: Callable[[Sequence[Axes], Figures, Palette], None]
    needs: Callable[[Figures], object]
    stacked: int = 1


def draw_plots(figures: Figures) -> dict[tuple[str, str], str]:
    """SVG by name and color scheme, of what there are figures for."""
    return {
        (plot.name, scheme): _draw(plot, figures, palette)
        for plot in PLOTS
        if plot.needs(figures)
        for scheme, palette in read_palettes().items()
    }


def _draw(plot: Plot, figures: Figures, palette: Palette) -> str:
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE, layout="constrained")
    stack = list(figure.subplots(plot.stacked, squeeze=False)[:, 0])
    plot.draw(stack, figures, palette)
    for axes in stack:
        _dress(axes, palette)
    return draw_svg(figure, title=plot.title, description=plot.description)


def _dress(axes: Axes, palette: Palette) -> None:
    """The look of the site: no frame, a quiet grid, words in the page's inks."""
    axes.set_axisbelow(True)
    axes.grid(visible=True, color=palette.grid, linewidth=0.8)
    axes.tick_params(colors=palette.quiet, labelsize=9, length=0, which="both")
    axes.minorticks_off()
    for spine in axes.spines.values():
        spine.set_visible(False)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(palette.quiet)
        label.set_fontsize(9)
    legend = axes.get_legend()
    if legend is not None:
        legend.set_frame_on(False)
        for text in legend.get_texts():
            text.set_color(palette.ink)
            text.set_fontsize(9)


def _draw_similarity(stack: Sequence[Axes], figures: Figures, palette: Palette) -> None:
    axes, bars = stack[0], figures["pairs"]["histogram"]
    edges = [bars["start"] + bars["step"] * place for place in range(len(bars["same"]) + 1)]
    for kind, words, color in (
        ("different", "different people", palette.warn),
        ("same", "one person", palette.good),
    ):
        heights = [100 * share for share in bars[kind]]
        axes.stairs(heights, edges, fill=True, color=color, alpha=0.7, label=words)
    _mark_line(axes, figures["lines"]["automatic"], palette)
    axes.set_xlabel("similarity of two faces")
    axes.set_ylabel("percent of the pairs")
    axes.legend(loc="upper center")


def _mark_line(axes: Axes, line: float, palette: Palette) -> None:
    axes.axvline(line, color=palette.accent, linewidth=1.6, label=f"automatic line {line:.2f}")


def _draw_roc(stack: Sequence[Axes], figures: Figures, palette: Palette) -> None:
    axes, curve = stack[0], figures["curve"]
    axes.plot(
        [point["far"] for point in curve],
        [point["tar"] for point in curve],
        color=palette.accent,
        linewidth=2,
    )
    for told in figures["tar"]:
        if told["tar"] is not None:
            spread = [[told["tar"] - told["low"]], [told["high"] - told["tar"]]]
            axes.errorbar([told["far"]], [told["tar"]], yerr=_positive(spread), fmt="o", color=palette.ink,
                          markersize=4, capsize=3, linewidth=1)  # fmt: skip
    _log_percent(axes.set_xscale, axes.xaxis, lowest=min(point["far"] for point in curve))
    _round_percents(axes)
    axes.set_xlabel("different people taken for one")
    axes.set_ylabel("one person recognized as one")


def _draw_det(stack: Sequence[Axes], figures: Figures, palette: Palette) -> None:
    axes = stack[0]
    curve = [point for point in figures["curve"] if 0 < point["tar"] < 1]
    axes.plot(
        [point["far"] for point in curve],
        [1 - point["tar"] for point in curve],
        color=palette.accent,
        linewidth=2,
    )
    _log_percent(axes.set_xscale, axes.xaxis, lowest=min(point["far"] for point in curve))
    _log_percent(axes.set_yscale, axes.yaxis, lowest=min(1 - point["tar"] for point in curve))
    axes.set_xlabel("different people taken for one")
    axes.set_ylabel("one person taken for two")


def _draw_sizes(stack: Sequence[Axes], figures: Figures, palette: Palette) -> None:
    """Known people above on a straight scale, strangers below on a logarithmic one: both share the number enrolled."""
    known, strangers = stack
    sizes = [row["enrolled"] for row in figures["sizes"]]
    for kind, words, dash in (("fitted", "line for that size", "-"), ("fixed", "line in force", "--")):
        rows = [row[kind] for row in figures["sizes"]]
        if any(row is None for row in rows):
            continue
        for axes, rate, color in ((known, "tpir", palette.good), (strangers, "fpir", palette.bad)):
            points = [
                (size, row[rate]) for size, row in zip(sizes, rows, strict=True) if row[rate] is not None
            ]
            axes.plot(
                *zip(*points, strict=True),
                dash,
                marker="o",
                markersize=4,
                color=color,
                linewidth=1.8,
                label=words,
            )
    target = figures["target"]
    strangers.axhline(target, color=palette.quiet, linewidth=1, linestyle=":", label="target")
    strangers.set_yscale("symlog", linthresh=target / 2)
    most = max(
        target,
        *(row[kind]["fpir"] or 0.0 for row in figures["sizes"] for kind in ("fixed", "fitted") if row[kind]),
    )
    ticks = [0.0, *(tick for tick in (1e-4, 1e-3, 1e-2, 1e-1, 1.0) if target / 2 <= tick <= 10 * most)]
    strangers.set_yticks(ticks, [_percent(tick) for tick in ticks])
    strangers.set_ylim(-target / 10, 3 * most)
    _round_percents(known)
    for axes in stack:
        axes.set_xscale("log")
        # The last size is whatever is enrolled; the round one before it may be too near for two numbers.
        marks = [size for size in sizes if size == sizes[-1] or size * 1.35 < sizes[-1]]
        axes.set_xticks(marks, [f"{size:,}" for size in marks])
        axes.legend(loc="best", ncols=3, fontsize=9)
    known.set_ylabel("known people\nnamed")
    strangers.set_ylabel("strangers\nnamed")
    strangers.set_xlabel("people enrolled")


def _draw_reliability(stack: Sequence[Axes], figures: Figures, palette: Palette) -> None:
    axes = stack[0]
    bins = [row for row in figures["reliability"]["bins"] if row["faces"]]
    most = max(row["faces"] for row in bins)
    axes.plot([0, 1], [0, 1], ":", color=palette.quiet, linewidth=1, label="as it should be")
    axes.scatter(
        [row["said"] for row in bins],
        [row["right"] for row in bins],
        s=[14 + 90 * row["faces"] / most for row in bins],
        color=palette.accent,
        label="measured; larger for more faces",
    )
    ticks = [0.0, 0.25, 0.5, 0.75, 1.0]
    axes.set_xticks(ticks, [_percent(tick) for tick in ticks])
    axes.set_yticks(ticks, [_percent(tick) for tick in ticks])
    axes.set_xlabel("FaceVault thinks the name is right")
    axes.set_ylabel("the name is right")
    axes.legend(loc="upper left")


def _log_percent(scale: Callable[[str], None], axis: Any, *, lowest: float) -> None:
    scale("log")
    ticks = [tick for tick in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0) if tick >= lowest / 3]
    axis.set_ticks(ticks, [_percent(tick) for tick in ticks])


def _round_percents(axes: Axes) -> None:
    """From a round share below what is drawn up to 100 %."""
    lowest = max(0.0, axes.get_ylim()[0])
    step = next(step for step in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2) if step * 5 >= 1 - lowest)
    count = min(5, max(1, math.ceil((1 - lowest) / step - 1e-9)))
    ticks = [round(1 - step * place, 4) for place in range(count, -1, -1)]
    axes.set_yticks(ticks, [_percent(tick) for tick in ticks])
    axes.set_ylim(ticks[0] - 0.03 * (1 - ticks[0]), 1 + 0.05 * (1 - ticks[0]))


def _positive(spread: list[list[float]]) -> list[list[float]]:
    """Rounding may put an interval's end a hair inside the value."""
    return [[max(0.0, part) for part in side] for side in spread]


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"


PLOTS = (
    Plot(
        name="similarity",
        title="How alike two faces are",
        description="Shares of the pairs by similarity, of one person and of different people, with the automatic line.",
        draw=_draw_similarity,
        needs=lambda figures: figures["pairs"]["same"] and figures["pairs"]["different"],
    ),
    Plot(
        name="roc",
        title="True accepts at false accepts (ROC)",
        description="The share of pairs of one person that are accepted, by the share of pairs of different people that are.",
        draw=_draw_roc,
        needs=lambda figures: len(figures["curve"]) > 1,
    ),
    Plot(
        name="det",
        title="Misses at false accepts (DET)",
        description="The share of pairs of one person that are missed, by the share of pairs of different people accepted.",
        draw=_draw_det,
        needs=lambda figures: sum(0 < point["tar"] < 1 for point in figures["curve"]) > 1,
    ),
    Plot(
        name="sizes",
        title="Strangers and known people named, by how many are enrolled",
        description="Shares of strangers' and of known faces that get a name in galleries of more and more people.",
        draw=_draw_sizes,
        needs=lambda figures: len(figures["sizes"]) > 1,
        stacked=2,
    ),
    Plot(
        name="reliability",
        title="Is the shown probability true",
        description="The share of right names among faces to which FaceVault gives about the same probability.",
        draw=_draw_reliability,
        needs=lambda figures: (
            figures["reliability"] and any(row["faces"] for row in figures["reliability"]["bins"])
        ),
    ),
)
