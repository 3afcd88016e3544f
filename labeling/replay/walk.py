"""One walk through the queue, decision by decision, until nothing is left; and what the names were worth on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil

from labeling.replay.labeler import ShownCard, SimulatedLabeler
from recognition.models import Sighting

SHARES = (50, 80, 95, 100)
NextCard = Callable[[], ShownCard | None]


class WalkStuck(RuntimeError):
    """The queue gave more cards than there can be: something decided nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """`right` faces after each decision; `known` is how many the truth knows, of so many `people`."""

    known: int
    people: int
    right: list[int] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)
    wrong_machine: int = 0
    wrong_people: int = 0
    left: int = 0

    @property
    def decisions(self) -> int:
        return len(self.right)

    @property
    def share_right(self) -> float:
        """Of all faces that the truth knows, in the end."""
        return self.right[-1] / self.known if self.right and self.known else 0.0

    def decisions_to(self, percent: int) -> int | None:
        """How many it took until so many percent of the faces were named right; None where they never were."""
        wanted = ceil(self.known * percent / 100)
        return next((number for number, right in enumerate(self.right, 1) if right >= wanted), None)

    def per_person(self, percent: int) -> float | None:
        needed = self.decisions_to(percent)
        return None if needed is None else round(needed / self.people, 4)


def walk_queue(
    *,
    labeler: SimulatedLabeler,
    owners: Mapping[int, str],
    next_card: NextCard,
    tend: Callable[[], object],
    on_decision: Callable[[], object] = lambda: None,
) -> Walk:
    """Card, decision, and the worker's turn, again and again. Raises WalkStuck."""
    kinds: Counter[str] = Counter()
    right: list[int] = []
    # Each face may be taken out of a group, put off a list, named, and named again; more is no progress.
    most = 100 + 10 * max(1, len(owners))
    tend()
    while (card := next_card()) is not None:
        kinds[labeler.decide(card).kind] += 1
        tend()
        right.append(_judge(labeler, owners).right)
        on_decision()
        if len(right) > most:
            raise WalkStuck(f"{most} decisions did not empty the queue.")
    verdict = _judge(labeler, owners)
    return Walk(
        known=len(owners),
        people=len(set(owners.values())),
        right=right,
        kinds=dict(kinds),
        wrong_machine=verdict.wrong_machine,
        wrong_people=verdict.wrong_people,
        left=len(owners) - verdict.named,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    right: int
    named: int
    wrong_machine: int
    wrong_people: int


def _judge(labeler: SimulatedLabeler, owners: Mapping[int, str]) -> _Verdict:
    """All names there are now. A face outside of the truth that got a name is wrong, too."""
    right, named, wrong = 0, 0, Counter[str]()
    rows = Sighting.objects.order_by().values_list("face_id", "person_id", "decided_by")
    for face_pk, person_pk, decided_by in rows:
        true = face_pk in owners and labeler.identity_of(person_pk) == owners[face_pk]
        named += face_pk in owners
        right += true
        if not true:
            wrong[decided_by] += 1
    return _Verdict(
        right=right,
        named=named,
        wrong_machine=wrong[Sighting.DecidedBy.MACHINE],
        wrong_people=wrong[Sighting.DecidedBy.HUMAN],
    )
