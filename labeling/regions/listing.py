"""The named regions of an event in four lists: to confirm, without a face, named otherwise here, and dismissed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from access.roles import LABELER, MANAGER, User
from labeling.regions.saying import load_called
from recognition.models import Event, NamedRegion, Person, Photo
from recognition.named_regions.erasing import ERASED
from recognition.named_regions.namesakes import names_of
from recognition.text import fold

SHOWS = ("", "faceless", "differing", "dismissed")
NAMES_PER_PAGE = 12
PHOTOS_PER_PAGE = 24
DISMISSED_PER_PAGE = 60
# Faces of one name that are decided about at once; after that the next ones come.
FACES_SHOWN = 24
_PAIR_FACES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionCounts:
    """`total` counts also what agrees with the names that the faces have here, which is in no list."""

    total: int
    open: int
    faceless: int
    differing: int
    dismissed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NameGroup:
    """Open faces of one name. `spellings` are the ways the photos write it; `key` makes one decision of two clicks."""

    name: str
    spellings: list[str]
    count: int
    regions: list[NamedRegion] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    key: UUID = field(default_factory=uuid4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Faces that the photos call `name` and FaceVault calls somebody else."""

    name: str
    person_pk: int
    person_name: str
    count: int
    regions: list[NamedRegion] = field(default_factory=list)


def regions_seen_by(user: User) -> QuerySet[NamedRegion]:
    """Of photos of events where the user labels: whose names they are is nobody else's business."""
    photos = Photo.objects.for_role(user, LABELER, MANAGER).order_by().values("pk")
    return NamedRegion.objects.filter(photo__in=photos).exclude(name=ERASED)


def has_regions(event: Event) -> bool:
    return NamedRegion.objects.filter(photo__event=event).exclude(name=ERASED).exists()


class EventRegions:
    """One event's regions; what several lists need is asked for once."""

    def __init__(self, event: Event) -> None:
        self._all = NamedRegion.objects.filter(photo__event=event).exclude(name=ERASED)
        self._groups = _group_names(self._open())
        self._differences = _find_differences(self._kept())

    def counts(self) -> RegionCounts:
        found = self._all.order_by().aggregate(
            total=Count("pk"),
            faceless=Count("pk", filter=Q(face=None, dismissed_at=None)),
            dismissed=Count("pk", filter=Q(dismissed_at__isnull=False)),
        )
        return RegionCounts(
            open=sum(group.count for group in self._groups),
            differing=sum(one.count for one in self._differences),
            **found,
        )

    def read_open(self, number: str | None, *, user: User) -> tuple[Page[NameGroup], list[NameGroup]]:
        """The page, and its names with their faces and the people of that name."""
        page = Paginator(self._groups, NAMES_PER_PAGE).get_page(number)
        groups = list(page.object_list)
        names = [spelling for group in groups for spelling in group.spellings]
        by_name: defaultdict[str, list[NamedRegion]] = defaultdict(list)
        for region in _first_of_each(self._open().filter(name__in=names), ["name"], FACES_SHOWN):
            by_name[region.name].append(region)
        people = load_called([group.name for group in groups], user=user)
        for group in groups:
            faces: dict[int | None, NamedRegion] = {}
            for spelling in group.spellings:
                for region in by_name[spelling]:
                    faces.setdefault(region.face_id, region)
            group.regions.extend(list(faces.values())[:FACES_SHOWN])
            group.people.extend(people.get(fold(group.name), []))
        return page, groups

    def read_faceless(self, number: str | None) -> tuple[Page[int], list[Photo]]:
        """The page, and its photos with `told`, the regions that no face was found for."""
        rows = self._all.filter(face=None, dismissed_at=None)
        pks = rows.order_by("photo").values_list("photo", flat=True).distinct()
        page = Paginator(pks, PHOTOS_PER_PAGE).get_page(number)
        photos = Photo.objects.in_bulk(list(page.object_list))
        told: defaultdict[int, list[NamedRegion]] = defaultdict(list)
        for region in rows.filter(photo__in=list(photos)).order_by("left", "pk"):
            told[region.photo_id].append(region)
        for pk, photo in photos.items():
            photo.told = told[pk]  # type: ignore[attr-defined]
        return page, [photos[pk] for pk in page.object_list if pk in photos]

    def read_differing(self, number: str | None) -> tuple[Page[Difference], list[Difference]]:
        page = Paginator(self._differences, NAMES_PER_PAGE).get_page(number)
        differences = list(page.object_list)
        wanted = Q(pk__in=[])
        for one in differences:
            wanted |= Q(name=one.name, face__sighting__person=one.person_pk)
        by_pair: defaultdict[tuple[str, int], list[NamedRegion]] = defaultdict(list)
        rows = self._kept().filter(wanted).select_related("face__sighting")
        for region in _first_of_each(rows, ["name", "face__sighting__person"], _PAIR_FACES):
            assert region.face is not None
            by_pair[region.name, region.face.sighting.person_id].append(region)
        for one in differences:
            one.regions.extend(by_pair[one.name, one.person_pk])
        return page, differences

    def read_dismissed(self, number: str | None) -> tuple[Page[NamedRegion], list[NamedRegion]]:
        rows = self._all.filter(dismissed_at__isnull=False).select_related("face", "photo")
        page = Paginator(rows.order_by("-dismissed_at", "pk"), DISMISSED_PER_PAGE).get_page(number)
        return page, list(page.object_list)

    def _open(self) -> QuerySet[NamedRegion]:
        """With a face about which nothing is decided."""
        return self._all.filter(
            Q(face__unlabeled__isnull=True) | Q(face__unlabeled__reviewed=False),
            face__isnull=False,
            face__sighting__isnull=True,
            dismissed_at=None,
        )

    def _kept(self) -> QuerySet[NamedRegion]:
        """With a face that has a name here."""
        return self._all.filter(face__sighting__isnull=False, dismissed_at=None)


def _group_names(rows: QuerySet[NamedRegion]) -> list[NameGroup]:
    """The largest first; however a photo spells a name, it is one."""
    spelled: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for name, count in rows.order_by().values_list("name").annotate(Count("face", distinct=True)):
        spelled[fold(name)].append((count, name))
    groups = [
        NameGroup(
            name=max(ways)[1], spellings=[name for _, name in ways], count=sum(count for count, _ in ways)
        )
        for ways in spelled.values()
    ]
    return sorted(groups, key=lambda group: (-group.count, fold(group.name)))


def _find_differences(rows: QuerySet[NamedRegion]) -> list[Difference]:
    person = "face__sighting__person"
    pairs = (
        rows.order_by()
        .values_list("name", person, f"{person}__name", f"{person}__aliases")
        .annotate(Count("pk"))
    )
    found = [
        Difference(name=name, person_pk=pk, person_name=person_name, count=count)
        for name, pk, person_name, aliases, count in pairs
        if fold(name) not in names_of(person_name, aliases)
    ]
    return sorted(found, key=lambda one: (-one.count, fold(one.name), one.person_pk))


def _first_of_each(rows: QuerySet[NamedRegion], columns: Sequence[str], most: int) -> QuerySet[NamedRegion]:
    """A few of each, in one query however many there are."""
    place = Window(RowNumber(), partition_by=[F(column) for column in columns], order_by=["photo", "pk"])
    return rows.annotate(place=place).filter(place__lte=most).select_related("face", "photo")
