"""One face's card: the face, who it may be, and the photo that it was taken from."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.shortcuts import get_object_or_404

from labeling.desk.group_card import CANDIDATES, TEXT_LINES, none_of
from labeling.queue import QueueItem
from labeling.suggestions import Suggestion, suggest_people
from recognition.models import Face, Sighting, UnlabeledFace
from recognition.photos.boxes import DrawnFace, DrawnPhoto, Kind, draw_preview, kind_of, with_decisions


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceCard:
    """`key` makes the decision on this card one decision, however often it is posted."""

    kind = "face"
    face: Face
    item: QueueItem
    key: UUID
    state: Kind
    suggestions: list[Suggestion]
    drawn: DrawnPhoto
    ahead: list[Face] = field(default_factory=list)
    asked_by: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """What a decision without a name made of it; empty if it is open or named."""
        entry: UnlabeledFace | None = getattr(self.face, "unlabeled", None)
        named = getattr(self.face, "sighting", None) is not None
        if named or entry is None or entry.verdict == UnlabeledFace.Verdict.LABEL:
            return ""
        return str(entry.verdict)

    @property
    def is_open(self) -> bool:
        return self.state == "open" and not self.verdict

    @property
    def title(self) -> str:
        sighting: Sighting | None = getattr(self.face, "sighting", None)
        if sighting is not None:
            return sighting.person.name
        return _TITLES.get(self.verdict, "Who is this?")

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
    def rejectable(self) -> Suggestion | Sighting | None:
        """Whose person one key says that this face is not: of the name it has, else of the first suggestion."""
        sighting: Sighting | None = getattr(self.face, "sighting", None)
        if sighting is not None:
            return sighting
        return self.suggestions[0] if self.suggestions and self.is_open else None

    @property
    def hero(self) -> Face:
        return self.face

    @property
    def none_of(self) -> str:
        return none_of(self.suggestions)

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
    def left_here(self) -> int:
        """Faces of the photo that nothing was decided about, this one included."""
        return sum(
            not drawn.face.unlabeled.reviewed
            for drawn in self.drawn.faces
            if drawn.kind == "open" and hasattr(drawn.face, "unlabeled")
        )

    @property
    def this(self) -> DrawnFace | None:
        """The face's own box, drawn even if somebody said that it is no face."""
        return next((drawn for drawn in self.drawn.faces if drawn.face.pk == self.face.pk), None)


_TITLES: dict[str, str] = {
    UnlabeledFace.Verdict.STRANGER: "A stranger",
    UnlabeledFace.Verdict.NOT_A_FACE: "Not a face",
    UnlabeledFace.Verdict.POOR: "Too poor to tell",
}


def read_face_card(face_pk: int, *, user: User) -> FaceCard:
    """Searches the gallery, so call it outside transactions."""
    # It may have been deleted with its photo since the request found it.
    face = get_object_or_404(with_decisions(Face.objects.select_related("photo__event")), pk=face_pk)
    return FaceCard(
        face=face,
        item=QueueItem(kind="face", pk=face.pk, face_id=face.face_id),
        key=uuid4(),
        state=kind_of(face),
        suggestions=suggest_people(face, CANDIDATES, user=user),
        drawn=draw_preview(face.photo, lines=TEXT_LINES),
    )
