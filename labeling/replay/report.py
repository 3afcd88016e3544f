"""What the walks come to: a table to read, and numbers for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labeling.replay.walk import SHARES, Walk

BEST, SIZE, SINGLES = "best", "size", "one_by_one"
NAMES = {
    BEST: "the desk's queue",
    SIZE: "largest groups first",
    SINGLES: "one by one",
}
_BY_HAND = "one by one, by hand"


def as_numbers(walks: Mapping[str, Walk], *, listed: int) -> dict[str, Any]:
    """`listed` portraits are in the truth; `faces` of them the detector found."""
    best = walks[BEST]
    numbers: dict[str, Any] = {
        "people": best.people,
        "listed": listed,
        "faces": best.known,
        "right": round(best.share_right, 4),
        "wrong": best.wrong_machine + best.wrong_people,
        "wrong_machine": best.wrong_machine,
        "wrong_people": best.wrong_people,
        "unnamed": best.left,
        "decisions": best.decisions,
        "kinds": best.kinds,
    }
    for share in SHARES:
        numbers[f"decisions_{share}"] = best.decisions_to(share)
    for name, walk in walks.items():
        for share in SHARES:
            key = "decisions_per_person" if name == BEST else name
            numbers[f"{key}_{share}"] = walk.per_person(share)
        if name != BEST:
            numbers[f"{name}_right"] = round(walk.share_right, 4)
    for share in SHARES:
        numbers[f"by_hand_{share}"] = _by_hand(best).per_person(share)
    return numbers


def as_table(walks: Mapping[str, Walk], *, listed: int) -> str:
    best = walks[BEST]
    lines = [
        f"{best.known:,} of {listed:,} faces found, {best.people:,} people. Decisions until so many of them are named right:",
        "",
        f"{'order':<24}"
        + "".join(f"{f'{share} %':>8}" for share in SHARES)
        + f"{'95 % / person':>15}{'right':>9}{'wrong':>7}",
    ]
    for name, walk in walks.items():
        steps = [walk.decisions_to(share) for share in SHARES]
        wrong = walk.wrong_machine + walk.wrong_people
        lines.append(_row(NAMES[name], steps, walk.people) + f"{walk.share_right:>9.2%}{wrong:>7}")
    lines.append(_row(_BY_HAND, [_by_hand(best).decisions_to(share) for share in SHARES], best.people))
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(best.kinds.items()))
    lines.append("")
    lines.append(
        f"In {NAMES[BEST]}: {kinds or 'no decision'}. Wrong names: {best.wrong_machine} by FaceVault, "
        f"{best.wrong_people} by the name of a group; {best.left} faces without a name."
    )
    return "\n".join(lines)


def _by_hand(best: Walk) -> Walk:
    """Nobody but people name anybody: a decision for each face."""
    return Walk(known=best.known, people=best.people, right=list(range(1, best.known + 1)))


def _row(name: str, steps: list[int | None], people: int) -> str:
    to_95 = steps[SHARES.index(95)]
    per_person = "-" if to_95 is None else f"{to_95 / people:.2f}"
    return (
        f"{name:<24}" + "".join(f"{'-' if step is None else step:>8}" for step in steps) + f"{per_person:>15}"
    )
