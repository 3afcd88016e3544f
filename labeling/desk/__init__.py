"""What the desk shows: one face with its suggestions and its photo, the queue around it, and the decisions before."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef
from django.shortcuts import get_object_or_404
from django.urls import reverse

from access.roles import LABELER, MANAGER
from labeling.models import Decision
from labeling.queue import QueueCounts, count_queue, next_faces
from labeling.suggestions import Suggestion, suggest_people
from labeling.words import ago, short_words
from recognition.models import Event, Face, Person, Sighting, UnlabeledFace
from recognition.photos.boxes import DrawnFace, DrawnPhoto, Kind, draw_preview, kind_of, with_decisions

CANDIDATES = 5
PAST = 10
_LOADED_AHEAD = 3
# The picture is small here, so its names are larger than on the photo's own page.
_TEXT_LINES = 32
# Events that still have open faces; more than anybody labels at a time.
_EVENTS_OFFERED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which queue a labeler works on; part of every address of the desk."""

    event: Event | None = None
    skipped: bool = False

    @property
    def query(self) -> str:
        values = {"event": self.event.pk if self.event else "", "skipped": "1" if self.skipped else ""}
        given = urlencode({name: value for name, value in values.items() if value})
        return f"?{given}" if given else ""

    def url(self, face: Face | None = None) -> str:
        """The address of a face's card, or of whatever comes next."""
        return (reverse("label-face", args=[face.face_id]) if face else reverse("label")) + self.query


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One face to decide about. `key` makes the decision on this card one decision, however often it is posted."""

    face: Face
    key: UUID
    state: Kind
    suggestions: list[Suggestion]
    drawn: DrawnPhoto
    ahead: list[Face]

    @property
    def is_open(self) -> bool:
        return self.state == "open"

    @property
    def accepted(self) -> Suggestion | None:
        """Whom Enter takes. Nobody on a close call: a wrong name costs more than an unknown one.

        Nobody on a decided face either: an Enter too many must not overrule a colleague.
        """
        first = self.suggestions[0] if self.suggestions and self.is_open else None
        return first if first is not None and first.acceptable else None

    @property
    def advice(self) -> str:
        """Why Enter takes nobody, and what to do instead; empty where it takes somebody."""
        if self.accepted:
            return ""
        if not self.is_open:
            return "This face is decided. Choose anew to correct it, or go on to the next."
        if not self.suggestions:
            return "Nobody to compare with yet. Type a name, or skip."
        first = self.suggestions[0]
        if first.beside and first.word != "unlikely":
            return (
                f"{first.person.name} is named in this photo already. One of the two faces is somebody else."
            )
        if first.word == "close call":
            return "A close call. Compare the faces, then press a number, or skip."
        return "Nobody known looks like this. Type a name, or skip."

    @property
    def rejectable(self) -> Person | None:
        """Whom one key says that this face is not: the name it has, else the first suggestion."""
        sighting: Sighting | None = getattr(self.face, "sighting", None)
        if sighting is not None:
            return sighting.person
        return self.suggestions[0].person if self.suggestions and self.is_open else None

    @property
    def others(self) -> list[DrawnFace]:
        return [drawn for drawn in self.drawn.boxes if drawn.face.pk != self.face.pk]

    @property
    def named_beside(self) -> list[DrawnFace]:
        return [drawn for drawn in self.others if drawn.name]

    @property
    def unnamed_beside(self) -> int:
        return len(self.others) - len(self.named_beside)

    @property
    def this(self) -> DrawnFace | None:
        """The face's own box, drawn even if somebody said that it is no face."""
        return next((drawn for drawn in self.drawn.faces if drawn.face.pk == self.face.pk), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDecision:
    decision: Decision
    words: str
    ago: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    place: Place
    counts: QueueCounts
    card: Card | None
    past: list[PastDecision]
    events: list[Event]

    @property
    def here(self) -> str:
        """The address of this card."""
        return self.place.url(self.card.face if self.card else None)


def read_desk(*, user: User, place: Place, face: Face | None) -> Desk:
    """Everything that the page draws, from fresh rows. Searches the gallery, so call it outside transactions."""
    return Desk(
        place=place,
        counts=count_queue(user=user, event=place.event),
        card=_read_card(user, place, face) if face else None,
        past=_read_past(user),
        events=_events_to_choose(user, place),
    )


def _read_card(user: User, place: Place, face: Face) -> Card:
    # It may have been deleted with its photo since the request found it.
    face = get_object_or_404(with_decisions(Face.objects.select_related("photo__event")), pk=face.pk)
    ahead = next_faces(user=user, event=place.event, skipped=place.skipped, after=face, count=_LOADED_AHEAD)
    return Card(
        face=face,
        key=uuid4(),
        state=kind_of(face),
        suggestions=suggest_people(face, CANDIDATES, user=user),
        drawn=draw_preview(face.photo, lines=_TEXT_LINES),
        ahead=ahead,
    )


def _read_past(user: User) -> list[PastDecision]:
    """This user's last decisions that still hold, the newest first."""
    labeled = Face.objects.for_role(user, LABELER, MANAGER)
    mine = Decision.objects.filter(actor=user, undone_at=None, face__in=labeled)
    return [
        PastDecision(decision=decision, words=short_words(decision), ago=ago(decision.created_at))
        for decision in mine.select_related("person", "face")[:PAST]
    ]


def _events_to_choose(user: User, place: Place) -> list[Event]:
    """Events with open faces, and the one chosen."""
    waiting = UnlabeledFace.objects.filter(face__photo__event=OuterRef("pk")).open().order_by()
    mine = Event.objects.for_role(user, LABELER, MANAGER)
    found = list(mine.filter(Exists(waiting))[:_EVENTS_OFFERED])
    if place.event is not None and place.event not in found:
        found.insert(0, place.event)
    return found
