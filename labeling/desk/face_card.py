"""One face's card: the face, who it may be, and the photo that it was taken from."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.shortcuts import get_object_or_404

from labeling.desk.candidates import CANDIDATES, TEXT_LINES, Candidates
from labeling.queue import QueueItem
from labeling.regions.saying import Said, read_said
from labeling.suggestions import Suggestion, suggest_people
from recognition.models import Face, Sighting, UnlabeledFace
from recognition.photos.boxes import DrawnPhoto, Kind, draw_preview, kind_of, with_decisions


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceCard(Candidates):
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
    told: list[Said] = field(default_factory=list)

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
        return self.state in {"open", "unasked"} and not self.verdict

    @property
    def is_unasked(self) -> bool:
        """Too small to be asked about: it is here because somebody opened it, and may be put into the queue."""
        return self.state == "unasked"

    @property
    def title(self) -> str:
        sighting: Sighting | None = getattr(self.face, "sighting", None)
        if sighting is not None:
            return sighting.person.name
        return _TITLES.get(self.verdict, "Who is this?")

    @property
    def barred(self) -> str:
        """An Enter too many must not overrule a colleague."""
        return (
            "" if self.is_open else "This face is decided. Choose anew to correct it, or go on to the next."
        )

    @property
    def beside_words(self) -> str:
        return "is named in this photo already. One of the two faces is somebody else."

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
    def left_here(self) -> int:
        """Faces of the photo that nothing was decided about, this one included."""
        return sum(
            not drawn.face.unlabeled.reviewed
            for drawn in self.drawn.faces
            if drawn.kind == "open" and hasattr(drawn.face, "unlabeled")
        )


_TITLES: dict[str, str] = {
    UnlabeledFace.Verdict.STRANGER: "A stranger",
    UnlabeledFace.Verdict.NOT_A_FACE: "Not a face",
    UnlabeledFace.Verdict.POOR: "Too poor to tell",
}


def read_face_card(face_pk: int, *, user: User) -> FaceCard:
    """Searches the gallery, so call it outside transactions."""
    # It may have been deleted with its photo since the request found it.
    face = get_object_or_404(with_decisions(Face.objects.select_related("photo__event")), pk=face_pk)
    sighting: Sighting | None = getattr(face, "sighting", None)
    named = sighting.person_id if sighting is not None else None
    return FaceCard(
        face=face,
        item=QueueItem(kind="face", pk=face.pk, face_id=face.face_id),
        key=uuid4(),
        state=kind_of(face),
        suggestions=suggest_people(face, CANDIDATES, user=user),
        drawn=draw_preview(face.photo, lines=TEXT_LINES),
        # What agrees with the name that the face has asks nothing.
        told=[
            said
            for said in read_said([face.pk], user=user)
            if named not in {person.pk for person in said.people}
        ],
    )
