"""Who the appearances of a video are, asked for all of them together: two that are there at one time are two people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from recognition.calibration.lines import describe_calibrated
from recognition.events.roster import read_roster, stamp_roster
from recognition.gallery_journal import read_gallery_state
from recognition.ingest import Matched
from recognition.matching import Match, PersonScore, assign_people
from recognition.models import Sighting, Track, Video
from recognition.quality import is_poor
from recognition.search import find_top_k_batch
from recognition.videos.appearances import Appearance


def match_appearances(video: Video, appearances: Sequence[Appearance], *, embedder_id: str) -> Matched:
    """What the gallery says of each. Nobody is named twice among those that overlap, nor beside who was named there before."""
    thresholds = describe_calibrated(embedder_id).thresholds
    if not appearances:
        stamp = stamp_roster(video.event_id)
        return Matched(read_gallery_state().version, [], stamp, embedder_id)
    batch = find_top_k_batch(np.stack([one.best.vector for one in appearances]), k=5, embedder_id=embedder_id)
    roster = read_roster(video.event_id, {score.person_id for found in batch.scores for score in found})
    poor = [is_poor(one.best.size, one.best.score, one.best.sharpness) for one in appearances]
    named = _named_before(video)

    def match(place: int, beside: Mapping[int, bool], *, closed: bool = False) -> Match:
        # Only who may be named is in anybody's way.
        rivals = [
            other
            for other, one in enumerate(appearances)
            if other != place and _best(batch.scores[other]) > 0 and one.overlaps(appearances[place])
        ]
        group = [place, *rivals] if _best(batch.scores[place]) >= thresholds.automatic else [place]
        return assign_people(
            [batch.scores[one] for one in group],
            thresholds,
            poor=[poor[one] for one in group],
            on_roster=roster.members,
            beside=beside,
            closed=[closed, *(False for _ in group[1:])],
        )[0]

    besides = [_beside(one, named) for one in appearances]
    matches = [match(place, beside) for place, beside in enumerate(besides)]
    for place in _twice(appearances, matches):
        matches[place] = match(place, besides[place], closed=True)
    return Matched(batch.version, matches, roster.stamp, embedder_id)


def _best(scores: Sequence[PersonScore]) -> float:
    return scores[0].similarity if scores else 0.0


def _twice(appearances: Sequence[Appearance], matches: Sequence[Match]) -> list[int]:
    """Those that got one name though they overlap, each beside other rivals: then neither is sure."""
    by_person: dict[int, list[int]] = {}
    for place, match in enumerate(matches):
        if match.person_id is not None:
            by_person.setdefault(match.person_id, []).append(place)
    return [
        place
        for places in by_person.values()
        for place in places
        if any(other != place and appearances[other].overlaps(appearances[place]) for other in places)
    ]


def _named_before(video: Video) -> list[tuple[int, int, int, bool]]:
    """(first, last, person, whether a person said so) of the tracks that an earlier slice wrote."""
    rows = Track.objects.filter(video=video, face__sighting__isnull=False).order_by()
    found = rows.values_list("first_ms", "last_ms", "face__sighting__person", "face__sighting__decided_by")
    return [(first, last, person, by == Sighting.DecidedBy.HUMAN) for first, last, person, by in found]


def _beside(one: Appearance, named: Sequence[tuple[int, int, int, bool]]) -> dict[int, bool]:
    return {
        person: by_human
        for first, last, person, by_human in named
        if first <= one.last_ms and one.first_ms <= last
    }
