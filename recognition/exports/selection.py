"""What an export holds: its photos, the named faces on them, and the file name of each photo in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from django.db.models import Count, Q, QuerySet, Sum

from access.roles import MANAGER, User
from recognition.exports.entry_names import EntryNames, clean_entry
from recognition.models import Event, Person, Photo, Sighting

# Rows are read in full, so many photos at a time: a cursor that stays open during a download of minutes would keep
# SQLite from shrinking its journal.
_CHUNK = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportScope:
    """What to export: an event, a person, or a person within an event.

    `with_machine` takes in the faces that FaceVault named by itself; `with_names` writes names into the copies.
    """

    event: Event | None = None
    person: Person | None = None
    with_machine: bool = False
    with_names: bool = False

    def __post_init__(self) -> None:
        if self.event is None and self.person is None:
            raise ValueError("An export is of an event, of a person, or of both.")

    @property
    def title(self) -> str:
        """Such as "Alice Berg, Graduation 2026"; the file's name is made of it."""
        return ", ".join(part.name for part in (self.person, self.event) if part is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSummary:
    photos: int
    byte_size: int
    verified: int
    machine: int

    @property
    def faces(self) -> int:
        return self.verified + self.machine


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectedPhoto:
    """One photo of an export: its path in the ZIP, and the faces in it that the export names."""

    photo: Photo
    entry: str
    sightings: list[Sighting]


def select_photos(*, user: User, scope: ExportScope) -> QuerySet[Photo]:
    """The photos in a stable order, never of an event that the user does not manage.

    An event's export holds all its photos, also those without a name; a person's those they are on.
    """
    photos = Photo.objects.for_role(user, MANAGER).order_by("event_id", "pk")
    # Nobody took a picture of a stand-in.
    photos = photos.exclude(origin=Photo.Origin.STAND_IN)
    if scope.event is not None:
        photos = photos.filter(event=scope.event)
    if scope.person is not None:
        photos = photos.filter(pk__in=select_sightings(user=user, scope=scope).values("face__photo"))
    return photos


def select_sightings(*, user: User, scope: ExportScope) -> QuerySet[Sighting]:
    """The named faces of an export: of a person's export theirs alone, whoever else is on the photos."""
    sightings = Sighting.objects.for_role(user, MANAGER).order_by()
    sightings = sightings.exclude(face__photo__origin=Photo.Origin.STAND_IN)
    if scope.event is not None:
        sightings = sightings.filter(face__photo__event=scope.event)
    if scope.person is not None:
        sightings = sightings.filter(person=scope.person)
    if not scope.with_machine:
        sightings = sightings.filter(decided_by=Sighting.DecidedBy.HUMAN)
    return sightings


def summarize(*, user: User, scope: ExportScope) -> ExportSummary:
    photos = select_photos(user=user, scope=scope).order_by()
    photo_totals = photos.aggregate(photos=Count("pk"), byte_size=Sum("byte_size", default=0))
    face_totals = select_sightings(user=user, scope=scope).aggregate(
        verified=Count("pk", filter=Q(decided_by=Sighting.DecidedBy.HUMAN)),
        machine=Count("pk", filter=Q(decided_by=Sighting.DecidedBy.MACHINE)),
    )
    return ExportSummary(**photo_totals, **face_totals)


def find_events(person: Person, *, user: User) -> QuerySet[Event]:
    """The events that the user manages where the person was seen, newest first."""
    sightings = select_sightings(user=user, scope=ExportScope(person=person, with_machine=True))
    return Event.objects.for_role(user, MANAGER).filter(pk__in=sightings.values("face__photo__event"))


def read_selection(*, user: User, scope: ExportScope) -> Iterator[SelectedPhoto]:
    """Every photo of the export with its names; what was deleted since the beginning is left out.

    No cursor is open between two photos, and no more than a chunk of rows is in memory.
    """
    pks = list(select_photos(user=user, scope=scope).values_list("pk", "event"))
    several = len({event for _, event in pks}) > 1
    names = EntryNames()
    folders: dict[int, str] = {}
    queue = iter(pks)
    while chunk := [pk for pk, _ in islice(queue, _CHUNK)]:
        photos = select_photos(user=user, scope=scope).filter(pk__in=chunk).select_related("event")
        sightings = _sightings_of(chunk, user=user, scope=scope)
        for photo in list(photos):
            folder = ""
            if several:
                if photo.event_id not in folders:
                    folders[photo.event_id] = names.take(clean_entry(photo.event.name))
                folder = folders[photo.event_id] + "/"
            yield SelectedPhoto(
                photo=photo,
                entry=names.take(clean_entry(_file_name(photo)), folder=folder),
                sightings=sightings[photo.pk],
            )


def _file_name(photo: Photo) -> str:
    """A frame is called after its video and a moment of it, which no program takes for a picture."""
    return f"{photo.name}.jpg" if photo.origin == Photo.Origin.FRAME else photo.name


def _sightings_of(
    photo_pks: list[int], *, user: User, scope: ExportScope
) -> defaultdict[int, list[Sighting]]:
    """By photo, from left to right."""
    found: defaultdict[int, list[Sighting]] = defaultdict(list)
    rows = select_sightings(user=user, scope=scope).filter(face__photo__in=photo_pks)
    for sighting in rows.select_related("person", "face").order_by("face__left", "pk"):
        found[sighting.face.photo_id].append(sighting)
    return found
