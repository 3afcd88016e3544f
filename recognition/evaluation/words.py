"""A report's verdict in words: whole faces out of a round number, before any percentage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Beyond the last of these the curve says more than anybody has counted.
_ROUND = (1_000, 10_000)


def strangers_words(figures: Mapping[str, Any]) -> str:
    """How many strangers get a name: by the fitted curve, which sees further than the faces that were counted."""
    share = expected_share(figures)
    if share is None:
        return "There is nobody yet whose name a stranger could get."
    for many in _ROUND:
        if share * many >= 0.5:
            named = round(share * many)
            return f"Of {many:,} strangers' faces about {named:,} get{'s'[: named == 1]} a name."
    return f"Of {_ROUND[-1]:,} strangers' faces fewer than one gets a name."


def expected_share(figures: Mapping[str, Any]) -> float | None:
    """FPIR at the line in force; None where nobody is enrolled."""
    decision = figures["decision"]
    if figures["expected_fpir"] is not None:
        return float(figures["expected_fpir"])
    return decision["strangers_named"] / decision["strangers"] if decision["strangers"] else None


def known_words(decision: Mapping[str, int]) -> str:
    """What becomes of 100 known faces, and whether some get somebody else's name."""
    if not decision["known"]:
        return "Nobody has a second face by which the first one could be recognized."
    named, suggested, missed = out_of_hundred(decision)
    sentence = (
        f"Of 100 known faces {named} {_are(named)} named by FaceVault, {suggested} {_are(suggested)} suggested, "
        f"{missed} {_are(missed)} missed."
    )
    if not decision["wrong"]:
        return f"{sentence} None got somebody else's name."
    thousand = max(1, round(1000 * decision["wrong"] / decision["known"]))
    return f"{sentence} About {thousand:,} in 1,000 get{'s'[: thousand == 1]} somebody else's name."


def out_of_hundred(decision: Mapping[str, int]) -> tuple[int, int, int]:
    """Named, suggested and missed, as whole numbers whose sum is 100; named is right or wrong. The largest rests round up."""
    parts = (decision["right"] + decision["wrong"], decision["suggested"], decision["missed"])
    exact = [100 * part / decision["known"] for part in parts]
    whole = [int(share) for share in exact]
    by_rest = sorted(range(3), key=lambda place: (whole[place] - exact[place], place))
    for place in by_rest[: 100 - sum(whole)]:
        whole[place] += 1
    return whole[0], whole[1], whole[2]


def shift_words(shift: Mapping[str, Any], *, line: float) -> str:
    """What another line would change: "At 0.62: 412 more named by FaceVault, about 3 of them wrong."."""
    at, more, wrong = f"At {shift['line']:.2f}", shift["more"], shift["wrong"]
    if shift["line"] == round(line, 2):
        return f"{at}, where the line is now: nothing changes."
    if not more:
        return f"{at}: no name more or less."
    direction = "more" if more > 0 else "fewer"
    return f"{at}: {abs(more):,} {direction} named by FaceVault, {_wrong_words(abs(more), wrong)}."


def _wrong_words(named: int, wrong: float) -> str:
    if named == 1:
        return "probably wrong" if wrong >= 0.5 else "probably right"
    if wrong < 0.5:
        return "probably none of them wrong" if wrong else "none of them wrong"
    return f"about {max(1, round(wrong)):,} of them wrong"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"
