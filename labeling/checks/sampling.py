"""Which of the machine's names are checked: drawn when they are given, by the face's random id and by nothing else.

A period of 30 days gives between 200 and 400 names to check, however many it has (all of them where there are fewer):
how narrow the interval is depends on the number of answers, not on their share, and 400 of them are less than an hour's
work. The share begins at all names and is halved whenever the sample grows beyond 400, so nobody has to know in
advance how many will come. A row whose id is above the share of today was drawn when it was larger; it is asked no more
and counts no more, and so each name of the period had the same chance.

Second opinions take the ids from the other end, so a face is hardly ever asked about twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from labeling.models import NameCheck
from recognition.models import Sighting

PERIOD: Final = timedelta(days=30)
MOST: Final = 400
_BITS = 128


def draw_name(sighting: Sighting) -> None:
    """Draw the name that the machine has just given, or not. Belongs into the transaction that gave it.

    Only so are names in the sample that somebody corrects a second later.
    """
    face_id, named_at = sighting.face.face_id, sighting.created_at
    if leading_ones(face_id) < read_halvings(period_of(named_at)):
        return
    NameCheck.objects.bulk_create(
        [
            NameCheck(
                face_id=sighting.face_id,
                person_id=sighting.person_id,
                similarity=sighting.similarity or 0.0,
                margin=sighting.margin,
                embedder_id=sighting.embedder_id,
                named_at=named_at,
            )
        ],
        ignore_conflicts=True,
    )


def period_of(moment: datetime) -> int:
    """Its number; the periods follow each other without a gap."""
    return int(moment.timestamp() // PERIOD.total_seconds())


def start_of(period: int) -> datetime:
    return datetime.fromtimestamp(period * PERIOD.total_seconds(), tz=UTC)


def read_halvings(period: int) -> int:
    """How often the period's share was halved: each time that more than MOST names would be in the sample."""
    names = NameCheck.objects.filter(named_at__gte=start_of(period), named_at__lt=start_of(period + 1))
    first_left_out = names.order_by("-face__face_id").values_list("face__face_id", flat=True)[MOST : MOST + 1]
    return max((leading_ones(face_id) + 1 for face_id in first_left_out), default=0)


def halvings_by_period(drawn: Iterable[tuple[datetime, UUID]]) -> dict[int, int]:
    """The same for all periods of these names, which must be all that were drawn in them."""
    ids: defaultdict[int, list[UUID]] = defaultdict(list)
    for named_at, face_id in drawn:
        ids[period_of(named_at)].append(face_id)
    return {
        period: leading_ones(sorted(some, reverse=True)[MOST]) + 1 if len(some) > MOST else 0
        for period, some in ids.items()
    }


def first_in_share(halvings: int) -> UUID:
    """From this id on faces are in a share that was halved so often: ids are evenly spread."""
    return UUID(int=(1 << _BITS) - (1 << (_BITS - halvings)))


def leading_ones(face_id: UUID) -> int:
    """In so many halvings the id stays."""
    return _BITS - ((1 << _BITS) - 1 - face_id.int).bit_length()
