"""How often the machine's names are right, with its interval: from the random sample, and apart from it from all that people did.

The sample that counts is a share of the names, cut by the faces' random ids: where the share of the busiest period
lies, and not beyond the first name that still waits for its answer. Names that people correct by themselves are mostly
wrong ones; without that second cut their answers would come in first and right ones late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import sqrt
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import BigIntegerField, Count, F, Q
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.utils import timezone

from access.roles import LABELER, MANAGER
from labeling.checks.sampling import PERIOD, first_in_share, halvings_by_period, period_of, start_of
from labeling.models import DecidedFace, Decision, NameCheck
from recognition.models import Face, Sighting

Answer = NameCheck.Answer
# The normal quantile of a two-sided interval of 95 %.
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """Of the sample. `waiting` of it have no answer yet, `later` are answered and count once those before them are.

    `share` is right / (right + wrong), `low` and `high` its Wilson interval of 95 % (E. B. Wilson, "Probable inference,
    the law of succession, and statistical inference", JASA 22, 1927); all three none without an answer.
    """

    right: int = 0
    wrong: int = 0
    unsure: int = 0
    waiting: int = 0
    later: int = 0

    @property
    def answered(self) -> int:
        return self.right + self.wrong

    @property
    def share(self) -> float | None:
        return self.right / self.answered if self.answered else None

    @property
    def low(self) -> float | None:
        return wilson_interval(self.right, self.answered)[0] if self.answered else None

    @property
    def width(self) -> float | None:
        return self.high - self.low if self.high is not None and self.low is not None else None

    @property
    def high(self) -> float | None:
        return wilson_interval(self.right, self.answered)[1] if self.answered else None


@dataclass(frozen=True, slots=True, kw_only=True)
class FreePairs:
    """What people said of the machine's names without being asked, in the last 30 days. No random sample: people look
    where something seems wrong, and confirm what is clear."""

    confirmed: int
    corrected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodPrecision:
    """Of one period and embedder."""

    start: datetime
    end: datetime
    embedder_id: str
    precision: Precision


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`current` is about names of this period of 30 days and the one before, since `since`; the periods newest first."""

    since: datetime
    current: Precision
    periods: list[PeriodPrecision]
    free: FreePairs


@dataclass(frozen=True, slots=True)
class _Row:
    face_id: UUID
    named_at: datetime
    answer: str
    embedder_id: str
    mine: bool


_Condition = Callable[[_Row], bool]


def measure_precision(*, user: User, since: datetime | None = None, embedder_id: str = "") -> Precision:
    """Of names given since then, at events where the user labels; without `since`, of this period and the one before."""
    begin = _current_since() if since is None else since
    # Of whole periods: the share of one is known by all of its names.
    rows = _read_rows(user, start_of(period_of(begin)))
    return _measure(
        rows, lambda row: row.named_at >= begin and (not embedder_id or row.embedder_id == embedder_id)
    )


def read_report(*, user: User, periods: int = 12) -> Report:
    """One statement for the sample, one for whose events it is of, one for what people did besides."""
    now, since = period_of(timezone.now()), _current_since()
    rows = _read_rows(user, start_of(now - periods + 1))
    told = {(period_of(row.named_at), row.embedder_id) for row in rows if row.mine}
    return Report(
        since=since,
        current=_measure(rows, lambda row: row.named_at >= since),
        periods=[
            PeriodPrecision(
                start=start_of(period),
                end=start_of(period + 1),
                embedder_id=embedder_id,
                precision=_measure(rows, _of(period, embedder_id)),
            )
            for period, embedder_id in sorted(told, reverse=True)
        ],
        free=count_free_pairs(user),
    )


def wilson_interval(hits: int, total: int) -> tuple[float, float]:
    """Of a share of `total` > 0, at 95 %; unlike the textbook's it keeps its promise near 0 and 1."""
    share, z2 = hits / total, _Z * _Z
    center = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = _Z / (1 + z2 / total) * sqrt(share * (1 - share) / total + z2 / (4 * total * total))
    # At the ends rounding would leave a trace of 0 or 1.
    return (0.0 if hits == 0 else center - half), (1.0 if hits == total else center + half)


def count_free_pairs(user: User) -> FreePairs:
    rows = DecidedFace.objects.filter(
        caused=False,
        decision__undone_at=None,
        decision__created_at__gte=timezone.now() - PERIOD,
        before__sighting__decided_by=Sighting.DecidedBy.MACHINE,
        face__in=Face.objects.for_role(user, LABELER, MANAGER).order_by(),
    ).annotate(named=Cast(KT("before__sighting__person_id"), BigIntegerField()))
    same, kind = Q(named=F("decision__person")), Decision.Kind
    counts = rows.aggregate(
        confirmed=Count("pk", filter=Q(decision__kind=kind.LABEL) & same),
        corrected=Count(
            "pk",
            filter=(Q(decision__kind=kind.LABEL) & ~same)
            | (Q(decision__kind=kind.REJECT) & same)
            | Q(decision__kind__in=[kind.STRANGER, kind.NOT_A_FACE]),
        ),
    )
    return FreePairs(confirmed=counts["confirmed"], corrected=counts["corrected"])


def _current_since() -> datetime:
    return start_of(period_of(timezone.now()) - 1)


def _of(period: int, embedder_id: str) -> _Condition:
    return lambda row: (period_of(row.named_at), row.embedder_id) == (period, embedder_id)


def _read_rows(user: User, since: datetime) -> list[_Row]:
    """Everything that was drawn since, by the time of the name; what is not the user's only says how large the share is."""
    drawn = NameCheck.objects.filter(named_at__gte=since)
    own = drawn.filter(
        person__hidden_at=None, face__in=Face.objects.for_role(user, LABELER, MANAGER).order_by()
    )
    mine = set(own.values_list("pk", flat=True))
    values = drawn.order_by("named_at", "pk").values_list(
        "pk", "face__face_id", "named_at", "answer", "embedder_id"
    )
    return [
        _Row(face_id, named_at, answer, embedder_id, pk in mine)
        for pk, face_id, named_at, answer, embedder_id in values
    ]


def _measure(rows: Sequence[_Row], wanted: _Condition) -> Precision:
    among = [row for row in rows if wanted(row)]
    if not among:
        return Precision()
    periods = {period_of(row.named_at) for row in among}
    halvings = halvings_by_period((row.named_at, row.face_id) for row in rows)
    share = first_in_share(max(halvings[period] for period in periods))
    sample = [row for row in among if row.mine and row.face_id >= share]
    still_open = max((row.face_id for row in sample if not row.answer), default=None)
    counted = [row for row in sample if still_open is None or row.face_id > still_open]
    return Precision(
        right=_count(counted, Answer.RIGHT),
        wrong=_count(counted, Answer.WRONG),
        unsure=_count(counted, Answer.UNSURE),
        waiting=_count(sample, Answer.NONE),
        later=sum(bool(row.answer) for row in sample) - len(counted),
    )


def _count(rows: Iterable[_Row], answer: str) -> int:
    return sum(row.answer == answer for row in rows)
