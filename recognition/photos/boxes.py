"""Faces drawn over their photo: rectangles and names in the photo's own pixels, for an SVG laid over the picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from django.db.models import QuerySet

from recognition.geometry import Box
from recognition.matching import describe_figures
from recognition.models import Face, Photo, Sighting, UnlabeledFace

Kind = Literal["verified", "machine", "named", "open", "unasked", "stranger", "not_a_face"]
KIND_TEXT: dict[Kind, str] = {
    "verified": "verified",
    "machine": "by FaceVault",
    "named": "named",
    "open": "not named yet",
    "unasked": "too small",
    "stranger": "stranger",
    "not_a_face": "not a face",
}
# The shape of a grid's cells in facevault.css; a photo is shown whole in one.
_CELL_RATIO = 3 / 2
# Advances of letters in wide bold UI fonts, in units of their size: a name that would leave the photo is moved inside.
_WIDE, _NARROW, _OUTLINE = 1.0, 0.42, 0.24
_CAPITAL, _SMALL = 0.78, 0.69
# One large picture is drawn for a desk; where it is only as wide as a phone, its names are so much larger, and fewer fit.
_ON_PHONE = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A name as it is drawn, perhaps shortened; `x` is its middle, `y` its baseline."""

    text: str
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnFace:
    """One face of a photo: where it is, who it is, and how sure that is. Lengths are pixels of the photo."""

    face: Face
    kind: Kind
    name: str
    person_pk: int | None
    # What the name rests on, for whoever wants to know more; only where one photo is drawn.
    figures: str
    decider: str
    left: float
    top: float
    width: float
    height: float
    label: Label | None
    label_on_phone: Label | None

    @property
    def kind_text(self) -> str:
        return KIND_TEXT[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnPhoto:
    photo: Photo
    faces: list[DrawnFace]
    text_size: float
    text_size_on_phone: float

    @property
    def boxes(self) -> list[DrawnFace]:
        """What is drawn: a region that is no face stays in the list of faces, but gets no box."""
        return [face for face in self.faces if face.kind != "not_a_face"]

    @property
    def names(self) -> list[str]:
        return [face.name for face in self.faces if face.name]


def draw_thumbs(photos: Sequence[Photo], *, names: bool = True) -> list[DrawnPhoto]:
    """For a grid whose cells all have the same size."""
    return _draw(photos, names=names, longest=18, text_size=_text_size_in_a_cell)


def draw_preview(photo: Photo, *, names: bool = True, lines: int = 46) -> DrawnPhoto:
    """For one large picture. Without `names` it tells nobody who is on it: only whether each face has a name.

    `lines` of text would fit along its longer side.
    """
    size = max(photo.width, photo.height) / lines
    return _draw([photo], names=names, longest=30, text_size=lambda photo: size, on_phone=_ON_PHONE)[0]


def with_decisions(faces: QuerySet[Face]) -> QuerySet[Face]:
    """Faces with what `kind_of` reads, in the same query."""
    return faces.select_related("sighting__person", "unlabeled")


def kind_of(face: Face) -> Kind:
    """What was decided about a face."""
    sighting: Sighting | None = getattr(face, "sighting", None)
    if sighting is not None:
        return "verified" if sighting.decided_by == Sighting.DecidedBy.HUMAN else "machine"
    entry: UnlabeledFace | None = getattr(face, "unlabeled", None)
    if entry is None:
        return "unasked"
    if entry.verdict == UnlabeledFace.Verdict.STRANGER:
        return "stranger"
    if entry.verdict == UnlabeledFace.Verdict.NOT_A_FACE:
        return "not_a_face"
    return "open"


def nameless_kind_of(face: Face) -> Kind:
    """The same for those who may not see names: not who named the face, nor that it was called a stranger."""
    kind = kind_of(face)
    if kind in {"verified", "machine"}:
        return "named"
    return "open" if kind == "stranger" else kind


def _text_size_in_a_cell(photo: Photo) -> float:
    """The same on the screen for every photo: those wider than a cell are drawn smaller."""
    return max(photo.height, photo.width / _CELL_RATIO) / 15


def _draw(
    photos: Sequence[Photo],
    *,
    names: bool,
    longest: int,
    text_size: Callable[[Photo], float],
    on_phone: float = 0,
) -> list[DrawnPhoto]:
    """Each photo with its faces from left to right; one query for all of them."""
    faces_of: defaultdict[int, list[Face]] = defaultdict(list)
    found = Face.objects.filter(photo__in=[photo.pk for photo in photos])
    ordered = (
        with_decisions(found)
        .select_related("sighting__decided_by_user")
        .defer(
            "landmarks",
            "sighting__references",
            "sighting__person__aliases",
            # Of a grid nobody asks on what its names rest.
            *(() if on_phone else ("sighting__thresholds",)),
        )
        .order_by("left", "pk")
    )
    for face in ordered:
        faces_of[face.photo_id].append(face)
    drawn = []
    for photo in photos:
        size = round(text_size(photo), 1)
        large_size = round(size * on_phone, 1)
        labels = _Labels(photo, faces_of[photo.pk], size=size, longest=longest)
        large = _Labels(photo, faces_of[photo.pk], size=large_size, longest=longest) if on_phone else None
        faces = [_draw_face(face, labels, large, names=names) for face in faces_of[photo.pk]]
        drawn.append(DrawnPhoto(photo=photo, faces=faces, text_size=size, text_size_on_phone=large_size))
    return drawn


def _draw_face(face: Face, labels: _Labels, large: _Labels | None, *, names: bool) -> DrawnFace:
    sighting: Sighting | None = getattr(face, "sighting", None) if names else None
    name = sighting.person.name if sighting is not None else ""
    return DrawnFace(
        face=face,
        kind=kind_of(face) if names else nameless_kind_of(face),
        name=name,
        person_pk=sighting.person_id if sighting is not None else None,
        figures=describe_figures(sighting.similarity, sighting.thresholds) if sighting and large else "",
        decider=_decider_of(sighting),
        left=round(face.left, 1),
        top=round(face.top, 1),
        width=round(face.width, 1),
        height=round(face.height, 1),
        label=labels.place(face, name),
        label_on_phone=large.place(face, name) if large else None,
    )


def _decider_of(sighting: Sighting | None) -> str:
    """The account of the person who said so; empty for the machine and for an account that is gone."""
    if sighting is None or sighting.decided_by_user is None:
        return ""
    return sighting.decided_by_user.get_username()


class _Labels:
    """Finds room for the names of one photo: right below or above the box, never over another face or name.

    A name that finds no room is not drawn: further away it would seem to belong to somebody else.
    """

    def __init__(self, photo: Photo, faces: list[Face], *, size: float, longest: int) -> None:
        self._photo = photo
        self._size = size
        self._longest = longest
        self._taken = [face.box for face in faces]

    def place(self, face: Face, name: str) -> Label | None:
        if not name:
            return None
        size = self._size
        below, above = face.top + face.height + size * 1.15, face.top - size * 0.4
        for y in (below, above):
            for text in (_shorten(name, self._longest), _shorten(name.split()[0], self._longest)):
                half = _width(text) * size / 2
                x = max(half, min(face.left + face.width / 2, self._photo.width - half))
                room = Box(x - half, y - size, x + half, y + size * 0.25)
                if room.top >= 0 and room.bottom <= self._photo.height and not self._is_taken(room):
                    self._taken.append(room)
                    return Label(text=text, x=round(x, 1), y=round(y, 1))
        return None

    def _is_taken(self, room: Box) -> bool:
        return any(
            room.left < other.right
            and other.left < room.right
            and room.top < other.bottom
            and other.top < room.bottom
            for other in self._taken
        )


def _width(text: str) -> float:
    """At most so wide is a name, in units of its size; which font draws it is the browser's affair."""
    return _OUTLINE + sum(
        _WIDE
        if letter in "mwMW@—…"
        else _NARROW
        if letter in "iljIfrt .,'-"
        else _CAPITAL
        if letter.isupper()
        else _SMALL
        for letter in text
    )


def _shorten(name: str, longest: int) -> str:
    return name if len(name) <= longest else name[: longest - 1].rstrip() + "…"
