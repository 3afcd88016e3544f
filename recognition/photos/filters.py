"""Which photos of an event are shown: all, by what is left to do with them, or those of one person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Count, Exists, OuterRef

from recognition.events.progress import PhotoCounts
from recognition.models import Event, Face, Photo, Sighting, UnlabeledFace
from recognition.querysets import PhotoQuerySet

ALL = "all"
# What is shown, in the words of the page, and the sentence where there is nothing of it.
SHOWS = {
    ALL: ("All", ""),
    "unnamed": ("Unnamed faces", "Every face found in these photos is decided."),
    "no-faces": ("No faces", "FaceVault found somebody in every photo that it looked at."),
    "waiting": ("Waiting", "No photo waits: all of them were looked through."),
    "failed": ("Failed", "No photo failed."),
}
# Which faces have names is not for those who only see the photos that they brought.
_WITH_NAMES = {"unnamed"}
PEOPLE_OFFERED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoFilter:
    """Either `show`, a key of SHOWS, or the photos of one person."""

    show: str = ALL
    person: int | None = None

    @property
    def query(self) -> str:
        """For addresses: empty where nothing is left out."""
        if self.person is not None:
            return urlencode({"person": self.person})
        return "" if self.show == ALL else urlencode({"show": self.show})

    @property
    def label(self) -> str:
        return SHOWS[self.show][0].lower()

    @property
    def nothing(self) -> str:
        """What to say where no photo is left."""
        if self.person is not None:
            return "This person is on no photo of this event now."
        return SHOWS[self.show][1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One filter as the page offers it."""

    label: str
    count: int
    filter: PhotoFilter
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonChoice:
    """Somebody on the event's photos, and on how many."""

    pk: int
    name: str
    photos: int


def read_filter(parameters: Mapping[str, str], *, names: bool) -> PhotoFilter:
    """From an address; rubbish shows everything."""
    person = parameters.get("person", "")
    if names and person.isascii() and person.isdigit() and len(person) < 16:
        return PhotoFilter(person=int(person))
    show = parameters.get("show", ALL)
    allowed = SHOWS if names else SHOWS.keys() - _WITH_NAMES
    return PhotoFilter(show=show if show in allowed else ALL)


def filter_photos(photos: PhotoQuerySet, chosen: PhotoFilter) -> PhotoQuerySet:
    """Of the photos of one event those that are asked for."""
    if chosen.person is not None:
        theirs = Sighting.objects.filter(person=chosen.person).order_by()
        return photos.filter(pk__in=theirs.values("face__photo"))
    if chosen.show == "unnamed":
        entries = UnlabeledFace.objects.open().filter(face__photo=OuterRef("pk")).order_by()
        return photos.filter(Exists(entries))
    if chosen.show == "no-faces":
        return photos.filter(~_HAS_FACES, state=Photo.State.DONE)
    if chosen.show == "waiting":
        return photos.filter(state__in=[Photo.State.QUEUED, Photo.State.PROCESSING])
    if chosen.show == "failed":
        return photos.filter(state=Photo.State.FAILED)
    return photos


def offer_filters(
    photos: PhotoQuerySet, counts: PhotoCounts, chosen: PhotoFilter, *, names: bool
) -> list[Choice]:
    """Each filter with how many photos it leaves; one that leaves none is offered only while it is chosen."""
    found = {ALL: counts.total, "waiting": counts.waiting, "failed": counts.failed}
    for show in SHOWS:
        if show not in found and (names or show not in _WITH_NAMES):
            found[show] = filter_photos(photos, PhotoFilter(show=show)).order_by().count()
    return [
        Choice(
            label=SHOWS[show][0],
            count=found[show],
            filter=PhotoFilter(show=show),
            chosen=chosen.person is None and chosen.show == show,
        )
        for show in SHOWS
        if show in found and (found[show] or show in {ALL, chosen.show})
    ]


def people_on(event: Event) -> list[PersonChoice]:
    """Who is on the event's photos, by name; of very many those who are on most."""
    rows = (
        Sighting.objects.filter(face__photo__event=event)
        .order_by()
        .values_list("person", "person__name")
        .annotate(photos=Count("face__photo", distinct=True))
        .order_by("-photos", "person")[:PEOPLE_OFFERED]
    )
    found = [PersonChoice(pk=pk, name=name, photos=photos) for pk, name, photos in rows]
    return sorted(found, key=lambda person: (person.name.casefold(), person.pk))


def name_on(event: Event, person_pk: int) -> str:
    """The name of somebody who is on the event's photos; empty for anybody else."""
    theirs = Sighting.objects.filter(person=person_pk, face__photo__event=event).order_by()
    return theirs.values_list("person__name", flat=True).first() or ""


_HAS_FACES = Exists(Face.objects.filter(photo=OuterRef("pk")).order_by())
