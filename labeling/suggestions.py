"""Who a face may be: the nearest people of the gallery, with the words and the crops that a page shows of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count

from access.roles import SEEING, User, sees_everything
from labeling.evidence import WEIGHED, Evidence, combine_evidence, weigh_face
from labeling.models import Rejection
from recognition.assignment import is_ahead
from recognition.embedders import Thresholds
from recognition.events.roster import read_roster
from recognition.matching import (
    PersonScore,
    Reason,
    Word,
    describe_line,
    doubt_of,
    is_on_roster,
    line_of,
    reasons_for,
    words_of,
)
from recognition.models import Face, Person, Sighting

REFERENCES_SHOWN = 3
# A lead that two decimals do not show.
_LEVEL = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A person proposed for a face, or for a group of faces.

    `beside` is another face of the photo that has their name already; of a group `beside_count` faces have one, and
    `free_count` have none. `on_roster` is none where the event has no roster; `doubt` is what
    besides the roster keeps it from being strong.
    """

    person: Person
    similarity: float
    word: Word
    lead: str
    reference_count: int
    references: list[Face]
    beside: Sighting | None
    # Nothing of the person is at an event that the user sees: they get the name of a lookalike, and neither crop nor count.
    name_alone: bool
    # The numbers behind the word, for whoever wants to know more.
    figures: str
    on_roster: bool | None = None
    doubt: str = ""
    beside_count: int = 0
    free_count: int = 0

    @property
    def band(self) -> str:
        """The word as a class of the stylesheet."""
        return self.word.split()[0]

    @property
    def acceptable(self) -> bool:
        """Whether one key may accept it without another look."""
        return self.beside is None and self.word in {"strong", "possible"}


def suggest_people(face: Face, k: int = 5, *, user: User) -> list[Suggestion]:
    """The k nearest people, best first, with what the user may see of them. Searches, so call it outside transactions.

    Somebody whom the user sees nowhere is named only if the face looks like them: else every face told the names of k
    people of other events.
    """
    evidence = weigh_face(face, depth_for(k, user))
    return _present(
        evidence,
        k,
        user=user,
        faces=[face.pk],
        event_pk=face.photo.event_id,
        poor=face.poor,
        beside=named_beside(face),
    )


def suggest_for_group(
    evidence: Mapping[int, Evidence],
    k: int = 5,
    *,
    user: User,
    faces: Sequence[tuple[int, int]],
    event_pk: int,
    poor: bool = False,
) -> list[Suggestion]:
    """The k people nearest to a group, by the evidence of some of its faces; `faces` are all of it, as (face, photo).
    `poor`: none of those faces is any better.

    Nobody is suggested who was rejected for one of them, or who is named in one of their photos and not like them.
    """
    members = [face for face, _ in faces]
    rejected = set(Rejection.objects.filter(face__in=members).order_by().values_list("person", flat=True))
    combined = combine_evidence(list(evidence.values()), without=rejected)
    near = [score.person_id for score in combined.scores]
    photos = Counter(photo for _, photo in faces)
    named = Sighting.objects.filter(person__in=near, face__photo__in=photos).exclude(face__in=members)
    beside: dict[int, Sighting] = {}
    counts: Counter[int] = Counter()
    for sighting in named.select_related("face").order_by("-pk"):
        beside[sighting.person_id] = sighting
        counts[sighting.person_id] += photos[sighting.face.photo_id]
    return _present(
        combined,
        k,
        user=user,
        faces=members,
        event_pk=event_pk,
        poor=poor,
        beside=beside,
        counts=counts,
    )


def named_beside(face: Face) -> dict[int, Sighting]:
    """The names on the photo's other faces, by person: nobody is in a photo twice."""
    others = Sighting.objects.filter(face__photo=face.photo_id).exclude(face=face.pk)
    return {sighting.person_id: sighting for sighting in others.select_related("face").order_by("-pk")}


def depth_for(k: int, user: User) -> int:
    """How many people to ask for, so that k are left that the user may be told of."""
    return max(k, 2) if sees_everything(user) else max(k, WEIGHED)


def _present(
    evidence: Evidence,
    k: int,
    *,
    user: User,
    faces: Collection[int],
    event_pk: int,
    poor: bool,
    beside: Mapping[int, Sighting],
    counts: Mapping[int, int] | None = None,
) -> list[Suggestion]:
    thresholds = evidence.thresholds
    if thresholds is None or not evidence.scores:
        return []
    nearest = [score.person_id for score in evidence.scores]
    known = set(Person.objects.visible_to(user).filter(pk__in=nearest).values_list("pk", flat=True))
    ranks = [
        rank
        for rank, score in enumerate(evidence.scores)
        if (score.person_id in known or evidence.resembles(score))
        and (counts is None or score.person_id not in beside or evidence.resembles(score))
    ][:k]
    scores = [evidence.scores[rank] for rank in ranks]
    people = Person.objects.in_bulk([score.person_id for score in scores])
    crops = Face.objects.for_role(user, *SEEING).in_bulk([pk for score in scores for pk in score.references])
    references = _count_references(faces, scores, user)
    roster = read_roster(event_pk, people.keys()).members
    reasons: dict[int, tuple[Reason, ...]] = {
        pk: reasons_for(poor=poor, on_roster=is_on_roster(pk, roster)) for pk in people
    }
    words: dict[int, Word] = {
        rank: words_of(
            evidence.scores, rank, thresholds, strict=bool(reasons.get(evidence.scores[rank].person_id))
        )
        for rank in ranks
    }
    return [
        Suggestion(
            person=people[score.person_id],
            similarity=score.similarity,
            word=words[rank],
            # Of somebody whom the user sees nowhere a roster of guessed ids must not tell the external id.
            figures=_figures(
                evidence, rank, thresholds, reasons[score.person_id] if score.person_id in known else ()
            ),
            on_roster=is_on_roster(score.person_id, roster) if score.person_id in known else None,
            doubt=doubt_of(score.similarity, words[rank], thresholds, ["poor"] if poor else []),
            lead=_lead(evidence, rank, people, thresholds),
            reference_count=references.get(score.person_id, 0),
            references=[crops[pk] for pk in score.references if pk in crops][:REFERENCES_SHOWN],
            beside=beside.get(score.person_id),
            beside_count=counts.get(score.person_id, 0) if counts else 0,
            free_count=len(faces) - (counts.get(score.person_id, 0) if counts else 0),
            name_alone=score.person_id not in known,
        )
        for rank, score in zip(ranks, scores, strict=True)
        if score.person_id in people
    ]


def _count_references(faces: Collection[int], scores: Sequence[PersonScore], user: User) -> dict[int, int]:
    """How many references each has, but for the faces themselves; of those that the user sees."""
    if sees_everything(user):
        return {score.person_id: score.reference_count for score in scores}
    seen = Sighting.objects.visible_to(user).filter(
        is_reference=True, person__in=[score.person_id for score in scores]
    )
    counted = seen.exclude(face__in=faces).order_by().values_list("person").annotate(count=Count("pk"))
    return dict(counted)


def _lead(evidence: Evidence, rank: int, people: dict[int, Person], thresholds: Thresholds) -> str:
    """ "Clearly ahead", or by how little the next one is behind. Told of the first two, if they are worth it."""
    margin = evidence.margin(rank)
    if margin is None or rank > 1 or evidence.scores[rank].similarity < thresholds.suggest:
        return ""
    other = _name_at(evidence.scores, 1 - rank, people)
    if rank == 0:
        if is_ahead(margin, thresholds.margin):
            return "clearly ahead"
        if margin < _LEVEL:
            return f"level with {other}" if other else ""
        return f"next is {other}, {margin:.2f} behind" if other else ""
    if not other or is_ahead(-margin, thresholds.margin):
        return ""
    return f"{-margin:.2f} behind {other}" if margin < -_LEVEL else f"level with {other}"


def _figures(evidence: Evidence, rank: int, thresholds: Thresholds, reasons: tuple[Reason, ...]) -> str:
    """ "0.81, 0.45 ahead, line 0.76 because not on the roster"."""
    margin = evidence.margin(rank)
    lead = f", {margin:.2f} ahead" if margin is not None and margin > 0 else ""
    line = describe_line({"line": line_of(thresholds, strict=bool(reasons)), "reasons": reasons})
    return f"{evidence.scores[rank].similarity:.2f}{lead}, {line}"


def _name_at(scores: Sequence[PersonScore], rank: int, people: dict[int, Person]) -> str:
    person = people.get(scores[rank].person_id)
    return person.name if person else ""
