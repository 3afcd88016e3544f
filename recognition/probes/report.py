"""What a search says: for every face the people who it may be and the photos they are in, as far as its user may see."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from access.roles import SEEING, User
from recognition.active_embedder import NoActiveEmbedder, WrongEmbedder
from recognition.calibration.lines import describe_calibrated
from recognition.embedders import EmbedderUnknown, Thresholds
from recognition.matching import (
    PersonScore,
    Verdict,
    Word,
    assign_people,
    describe_figures,
    doubt_of,
    line_of,
    reasons_for,
    words_of,
)
from recognition.models import Export, Face, LookProbe, Person, Photo, Probe, ProbeFace, Sighting
from recognition.people.loading import load_people
from recognition.quality import is_poor
from recognition.search import events_to_search, find_top_k_batch
from recognition.vectors import decode_vector

PEOPLE_PER_FACE = 5
PHOTOS_PER_PERSON = 12
REFERENCES_SHOWN = 3
# After so long without a sign of work the page asks whether the worker runs.
_QUIET = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookalike:
    """A person who a face may be, with what the user may see of them. Never somebody below the line of suggestions.

    `doubt` is what alone keeps the word from being strong, `figures` are the numbers behind it.
    """

    person: Person
    similarity: float
    word: Word
    doubt: str
    figures: str
    reference_count: int
    references: list[Face]
    photo_count: int
    photos: list[Photo]

    @property
    def band(self) -> str:
        """The word as a class of the stylesheet."""
        return self.word.split()[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbedFace:
    """A face of the picture. `verdict` says whether it is the first of `people`, may be one of them, or nobody known.

    `mark_x` and `mark_y` are where its number is drawn, in pixels of the picture.
    """

    face: ProbeFace
    verdict: Verdict
    people: list[Lookalike]
    mark_x: float
    mark_y: float

    @property
    def others(self) -> list[Lookalike]:
        return self.people[1:]

    @property
    def best(self) -> Lookalike | None:
        return self.people[0] if self.people else None

    @property
    def rival(self) -> Lookalike | None:
        """Who is so close behind the first that either may be meant."""
        return self.people[1] if len(self.people) > 1 and self.people[1].word == "close call" else None

    @property
    def is_sure(self) -> bool:
        return self.verdict is Verdict.AUTOMATIC


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport:
    """`outdated`: its faces are of another embedder than the gallery is now, so that nothing can be compared."""

    probe: Probe
    faces: list[ProbedFace] = field(default_factory=list)
    outdated: bool = False

    @property
    def known(self) -> int:
        """How many of the faces look like somebody."""
        return sum(1 for face in self.faces if face.people)

    @property
    def label_size(self) -> float:
        """Of the numbers drawn on the picture, in its own pixels."""
        return _label_size(self.probe)

    @property
    def mark_radius(self) -> float:
        return _mark_radius(self.probe)


def read_probe(probe: Probe, user: User) -> ProbeReport:
    """The report of a search that is done, by the gallery of this moment. Searches, so call it outside transactions.

    Only references of events that the user sees are compared: who is elsewhere neither shows nor hides anybody.
    """
    faces = list(probe.faces.order_by("number"))
    if not faces:
        return ProbeReport(probe=probe)
    embedder_id = faces[0].embedder_id
    try:
        info = describe_calibrated(embedder_id)
        vectors = np.stack([decode_vector(bytes(face.vector), info.dimension) for face in faces])
        found = find_top_k_batch(
            vectors, PEOPLE_PER_FACE, embedder_id=embedder_id, events=events_to_search(user)
        ).scores
    except (EmbedderUnknown, WrongEmbedder, NoActiveEmbedder):
        return ProbeReport(probe=probe, outdated=True)
    seen = _Seen(
        user, [score for scores in found for score in scores if score.similarity >= info.thresholds.suggest]
    )
    matches = assign_people(found, info.thresholds, poor=[_is_poor(face) for face in faces])
    radius = _mark_radius(probe)
    return ProbeReport(
        probe=probe,
        faces=[
            ProbedFace(
                face=face,
                verdict=match.verdict,
                people=seen.lookalikes(scores, info.thresholds, poor=_is_poor(face)),
                mark_x=round(min(max(face.left, radius), probe.width - radius), 1),
                mark_y=round(min(max(face.top, radius), probe.height - radius), 1),
            )
            for face, scores, match in zip(faces, found, matches, strict=True)
        ],
    )


def is_stalled(probe: Probe | LookProbe) -> bool:
    """Whether a search waits for longer than it should and no worker has anything in hand."""
    now = timezone.now()
    if probe.state not in {Probe.State.QUEUED, Probe.State.PROCESSING} or probe.created_at > now - _QUIET:
        return False
    if probe.lease_until is not None and probe.lease_until > now - _QUIET:
        return False  # somebody has it in hand, or tries it again in a moment
    return not any(
        rows.filter(state="processing", lease_until__gt=now).exists()
        for rows in (Photo.objects, Probe.objects, LookProbe.objects, Export.objects)
    )


class _Seen:
    """The people of all faces with what the user may see of them; a fixed number of queries for any number of them."""

    def __init__(self, user: User, scores: Collection[PersonScore]) -> None:
        pks = sorted({score.person_id for score in scores})
        visible = set(Person.objects.visible_to(user).filter(pk__in=pks).values_list("pk", flat=True))
        shown = [pk for pk in pks if pk in visible]
        self._people = {person.pk: person for person in load_people(shown, user=user)}
        self._photos = _photos_of(shown, user)
        references = {pk for score in scores for pk in score.references}
        self._crops = Face.objects.for_role(user, *SEEING).in_bulk(sorted(references))

    def lookalikes(
        self, scores: Sequence[PersonScore], thresholds: Thresholds, *, poor: bool
    ) -> list[Lookalike]:
        reasons = reasons_for(poor=poor, on_roster=None)
        words: list[Word] = [words_of(scores, rank, thresholds, strict=poor) for rank in range(len(scores))]
        line = {"line": line_of(thresholds, strict=poor), "reasons": reasons}
        return [
            Lookalike(
                person=self._people[score.person_id],
                similarity=score.similarity,
                word=words[rank],
                doubt=doubt_of(score.similarity, words[rank], thresholds, reasons),
                figures=describe_figures(score.similarity, line),
                reference_count=score.reference_count,
                references=[self._crops[pk] for pk in score.references if pk in self._crops][
                    :REFERENCES_SHOWN
                ],
                photo_count=getattr(self._people[score.person_id], "visit_count", 0),
                photos=self._photos[score.person_id],
            )
            for rank, score in enumerate(scores)
            if score.similarity >= thresholds.suggest and score.person_id in self._people
        ]


def _is_poor(face: ProbeFace) -> bool:
    """By its size and the detector's word: how sharp it is was not kept."""
    return is_poor(min(face.width, face.height), face.detector_score, math.inf)


def _label_size(probe: Probe) -> float:
    return round(max(probe.width, probe.height) / 44, 1)


def _mark_radius(probe: Probe) -> float:
    return round(0.85 * _label_size(probe), 1)


def _photos_of(person_pks: Collection[int], user: User) -> defaultdict[int, list[Photo]]:
    """The newest photos of each of these people, each once."""
    newest = (
        Sighting.objects.visible_to(user)
        .filter(person__in=person_pks)
        .annotate(
            place=Window(RowNumber(), partition_by="person", order_by=[F("seen_at").desc(), F("pk").desc()])
        )
        # Twice as many: of a person who is twice in a photo by mistake, one is left out.
        .filter(place__lte=2 * PHOTOS_PER_PERSON)
        .select_related("face__photo")
        .order_by("person", "place")
    )
    found: defaultdict[int, list[Photo]] = defaultdict(list)
    for sighting in newest:
        photos = found[sighting.person_id]
        if len(photos) < PHOTOS_PER_PERSON and sighting.face.photo not in photos:
            photos.append(sighting.face.photo)
    return found
