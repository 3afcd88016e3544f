"""People as a list that the import reads back: CSV, and with it their best portraits, as a ZIP or into a folder."""

from __future__ import annotations

import csv
import io
import os
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from django.db.models import Case, Count, F, Q, QuerySet, Value, When, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from access.roles import MANAGER, User, reach_of
from recognition.exports.entry_names import EntryNames, clean_entry
from recognition.exports.zip_stream import ZipPieces, dated_entry
from recognition.models import Event, Face, Person, Sighting
from recognition.people.csv_rows import join_aliases, mark_cell
from recognition.storage import crop_path, scratch_folder

HEADER = ("name", "external_id", "aliases", "portraits")
LIST = "people.csv"
FOLDER = "portraits"
MOST_PORTRAITS = 10
# Spreadsheets read accents only behind a byte order mark.
_BEGINNING = b"\xef\xbb\xbf"
# People are read in full, so many at a time: no cursor is open during a download of minutes.
_CHUNK = 200
_IN_MEMORY = 1024 * 1024
_PIECE = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleScope:
    """Whom to export: everybody whom the user manages, or of these who was seen at the event. Without a user, everybody."""

    user: User | None
    event: Event | None = None
    portraits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    person: Person
    faces: list[Face] = field(default_factory=list)


def select_people(scope: PeopleScope) -> QuerySet[Person]:
    """Nobody who is hidden or was merged, and nobody who was seen at no event that the user manages."""
    people = Person.objects.current().order_by("pk")
    seen = _sightings(scope)
    everybody = scope.user is None or reach_of(scope.user, MANAGER).everywhere
    if everybody and scope.event is None:
        return people
    return people.filter(pk__in=seen.order_by().values("person"))


def count_people(scope: PeopleScope) -> int:
    return select_people(scope).count()


def count_unclear(scope: PeopleScope) -> int:
    """How many share their name with another one of the list and have no external id: an import takes the first alone."""
    people = select_people(scope).order_by()
    shared = people.values("name").annotate(count=Count("pk")).filter(count__gt=1).values("name")
    return people.filter(Q(external_id=None), name__in=shared).count()


def stream_people_csv(scope: PeopleScope) -> Iterator[bytes]:
    """The list alone; it names no portraits, since none come with it."""
    yield _BEGINNING + _write([HEADER])
    for chunk in _chunks(scope, portraits=0):
        yield _write([_row(listed.person, "") for listed in chunk])


def stream_people_zip(scope: PeopleScope) -> Iterator[bytes]:
    """Portraits as they are read, then the list of what really went in; one picture is in memory at a time."""
    out = ZipPieces()
    archive = zipfile.ZipFile(out, "w", zipfile.ZIP_STORED)
    try:
        with tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(scratch_folder())) as rows:
            rows.write(_BEGINNING + _write([HEADER]))
            names = EntryNames()
            for chunk in _chunks(scope, portraits=scope.portraits):
                for listed in chunk:
                    folder = _folder_of(listed, names)
                    written = 0
                    for data in _read_crops(listed):
                        written += 1
                        entry = dated_entry(f"{folder}/{written}.jpg", timezone.now())
                        archive.writestr(entry, data)
                        yield from out.take()
                    rows.write(_write([_row(listed.person, folder if written else "")]))
            rows.seek(0)
            with archive.open(dated_entry(LIST, timezone.now()), "w") as entry_file:
                while piece := rows.read(_PIECE):
                    entry_file.write(piece)
                    yield from out.take()
    finally:
        # Also when the download is broken off: an archive that nobody closed complains at its own end.
        archive.close()
    yield from out.take()


def write_people_folder(
    scope: PeopleScope, folder: Path, *, tell: Callable[[int], None] = lambda people: None
) -> int:
    """The same as files that their owner alone may read; returns how many portraits.

    The list comes last: where it is, everything is, and of an earlier run nobody who is not in this list.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    people, names = 0, EntryNames()
    portraits: set[Path] = set()
    part = folder / f".{LIST}.part"
    with open(part, "wb", opener=_open_private) as rows:
        rows.write(_BEGINNING + _write([HEADER]))
        for chunk in _chunks(scope, portraits=scope.portraits):
            for listed in chunk:
                place = _folder_of(listed, names)
                written = 0
                for data in _read_crops(listed):
                    written += 1
                    portraits.add(_write_file(folder / place / f"{written}.jpg", data))
                people += 1
                rows.write(_write([_row(listed.person, place if written else "")]))
            tell(people)
        rows.flush()
        os.fsync(rows.fileno())
    _remove_earlier(folder / FOLDER, portraits)
    part.replace(folder / LIST)
    return len(portraits)


def _chunks(scope: PeopleScope, *, portraits: int) -> Iterator[list[_Listed]]:
    pks = iter(list(select_people(scope).values_list("pk", flat=True)))
    while chunk := list(islice(pks, _CHUNK)):
        # Whoever was deleted or merged since the beginning is left out.
        people = list(Person.objects.current().filter(pk__in=chunk).order_by("pk"))
        faces = _best_faces(people, scope, portraits) if portraits else {}
        yield [_Listed(person=person, faces=faces.get(person.pk, [])) for person in people]


def _best_faces(people: Sequence[Person], scope: PeopleScope, most: int) -> dict[int, list[Face]]:
    """Of each the chosen cover, then the largest, of the references: nobody is to be known by a face that no person verified."""
    cover = Case(When(face=F("person__cover_face"), then=Value(1)), default=Value(0))
    place = Window(
        RowNumber(),
        partition_by=[F("person")],
        order_by=[cover.desc(), F("face__size").desc(), F("pk").asc()],
    )
    rows = (
        _sightings(scope)
        .filter(person__in=people, is_reference=True, decided_by=Sighting.DecidedBy.HUMAN)
        .order_by()
        .annotate(place=place)
        .filter(place__lte=most)
        .select_related("face")
    )
    found: defaultdict[int, list[Face]] = defaultdict(list)
    for sighting in sorted(rows, key=lambda row: (row.person_id, row.place)):
        found[sighting.person_id].append(sighting.face)
    return found


def _sightings(scope: PeopleScope) -> QuerySet[Sighting]:
    rows = Sighting.objects.filter(face__photo__event__deleted_at=None)
    if scope.user is not None:
        rows = Sighting.objects.for_role(scope.user, MANAGER)
    return rows if scope.event is None else rows.filter(face__photo__event=scope.event)


def _read_crops(listed: _Listed) -> Iterator[bytes]:
    for face in listed.faces:
        try:
            with closing(crop_path(face).open("rb")) as file:
                yield file.read()
        except FileNotFoundError:
            continue  # deleted since the list was read


def _folder_of(listed: _Listed, names: EntryNames) -> str:
    """A list separates portraits by semicolons."""
    if not listed.faces:
        return ""
    return names.take(clean_entry(listed.person.name.replace(";", "_")), folder=f"{FOLDER}/")


def _row(person: Person, folder: str) -> tuple[str, str, str, str]:
    return (mark_cell(person.name), mark_cell(person.external_id or ""), join_aliases(person.aliases), folder)


def _write(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _write_file(path: Path, data: bytes) -> Path:
    # The names of these folders are people's.
    path.parent.parent.mkdir(mode=0o700, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with open(part, "wb", opener=_open_private) as file:
        file.write(data)
    part.replace(path)
    return path


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _remove_earlier(folder: Path, kept: set[Path]) -> None:
    """Portraits of an earlier run: whoever is not in this list may have been deleted since, or is none of this event."""
    for path in set(folder.glob("*/*.jpg")) - kept:
        if path.stem.isdecimal():
            path.unlink()
    for place in folder.glob("*/"):
        with suppress(OSError):  # it holds something
            place.rmdir()
