"""Run an import: portraits in by the door of every upload, then the people and their enrolments, a batch at a time.

Run again it changes nothing, and after a kill it goes on: the same bytes are the same photo, the same external id the
same person, the same pair of both one enrolment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from labeling.enrolment.enrolling import request_enrolling
from labeling.models import Enrolment, PeopleImport
from recognition.crash_points import crash_point
from recognition.events.edits import create_event
from recognition.gallery_journal import lock_gallery_state
from recognition.models import Event, Photo
from recognition.people.csv_rows import PeopleList, PersonRow
from recognition.people.importing import PlannedRow, plan_people, write_people
from recognition.people.portraits import PortraitFile, PortraitMap
from recognition.text import clean_name
from recognition.uploads.adding import add_photo

_BATCH = 100
# As long as somebody may come back to see what became of their list.
KEEP = timedelta(days=30)


@dataclass(slots=True)
class _Portraits:
    """What was found for one row."""

    photos: list[int]
    problems: list[dict[str, str]]


def import_list(
    *,
    people: PeopleList,
    portraits: Iterable[PortraitFile],
    event: Event,
    user: User,
    dry_run: bool = False,
    tell: Callable[[str], None] = lambda path: None,
) -> PeopleImport:
    """Import a list; the answer says of each row what became of it, and is not saved where it is a `dry_run`.

    Nobody's portrait is added for a row that is refused. `tell` hears of each file. Not inside a transaction.
    """
    planned = plan_people(people.rows)
    wanted = [plan.row for plan in planned if plan.outcome != "refused"]
    found = _add_portraits(wanted, portraits, event=event, user=user, dry_run=dry_run, tell=tell)
    done = PeopleImport(user=user, event=event, unread=people.unread)
    if not dry_run:
        done.save()
        planned = _write_people(planned, found, done)
    bad = [_tell(bad.number, "refused", None, bad.message, None) for bad in people.bad]
    good = [
        _tell(
            plan.row.number,
            plan.outcome,
            plan.person.pk if plan.person else None,
            plan.message,
            found.get(plan.row.number),
        )
        for plan in planned
    ]
    done.rows = sorted([*bad, *good], key=lambda row: row["row"])
    done.finished_at = timezone.now()
    if not dry_run:
        done.save(update_fields=["rows", "finished_at"])
    return done


def find_event(name: str, *, user: User | None) -> Event:
    """The event of portraits by its name, made if there is none. Raises ValidationError for a name that cannot be."""
    found = Event.objects.filter(name__iexact=name, deleted_at=None).first()
    return found or create_event(name=name, held_on=None, place="", user=user)


def remove_old_imports() -> None:
    """What became of a list is nobody's business after a month; people and portraits stay."""
    PeopleImport.objects.filter(created_at__lt=timezone.now() - KEEP).delete()


def _add_portraits(
    rows: Sequence[PersonRow],
    portraits: Iterable[PortraitFile],
    *,
    event: Event,
    user: User,
    dry_run: bool,
    tell: Callable[[str], None],
) -> dict[int, _Portraits]:
    whose = PortraitMap(rows)
    found: defaultdict[int, _Portraits] = defaultdict(lambda: _Portraits([], []))
    for portrait in portraits:
        owners = whose.owners_of(portrait.path)
        if not owners:
            continue
        tell(portrait.path)
        message, pk = portrait.message, None
        if portrait.file is not None and not dry_run:
            result = add_photo(event=event, file=portrait.file, name=portrait.path, user=user)
            pk = result.photo.pk if result.photo else None
            message = "" if pk else result.message
            crash_point("portrait_added")
        for number in owners:
            if pk is not None and pk not in found[number].photos:
                found[number].photos.append(pk)
            elif message:
                found[number].problems.append(_problem(portrait.path, message))
    for number, names in whose.missing().items():
        found[number].problems += [_problem(name, "No such portrait was found.") for name in names]
    return found


def _write_people(
    planned: Sequence[PlannedRow], found: dict[int, _Portraits], done: PeopleImport
) -> list[PlannedRow]:
    written: list[PlannedRow] = []
    for start in range(0, len(planned), _BATCH):
        batch = planned[start : start + _BATCH]
        with transaction.atomic():
            # Nobody of them is merged, and no portrait is deleted in between.
            lock_gallery_state()
            numbers = found.keys() & {plan.row.number for plan in batch}
            wanted = {photo for number in numbers for photo in found[number].photos}
            there = set(Photo.objects.filter(pk__in=wanted).values_list("pk", flat=True))
            rows = write_people(batch)
            for row in rows:
                if row.person is not None and row.row.number in found:
                    _enroll(row, [pk for pk in found[row.row.number].photos if pk in there], done)
            written += rows
            request_enrolling()
            crash_point("before_people_commit")
    return written


def _enroll(row: PlannedRow, photos: Sequence[int], done: PeopleImport) -> None:
    for photo in photos:
        enrolment, new = Enrolment.objects.get_or_create(
            photo_id=photo,
            person=row.person,
            defaults={"user": done.user, "imported": done, "row": row.row.number},
        )
        if not new:
            enrolment.imported, enrolment.row = done, row.row.number
            if enrolment.state == Enrolment.State.REFUSED:
                # What stood against it may be gone.
                enrolment.state, enrolment.reason, enrolment.user = Enrolment.State.WAITING, "", done.user
            enrolment.save(update_fields=["imported", "row", "state", "reason", "user"])


def _tell(
    number: int, outcome: str, person: int | None, message: str, portraits: _Portraits | None
) -> dict[str, Any]:
    told: dict[str, Any] = {"row": number, "outcome": outcome, "person": person, "message": message}
    if portraits and portraits.problems:
        told["problems"] = portraits.problems
    return told


def _problem(path: str, message: str) -> dict[str, str]:
    return {"file": clean_name(path)[-255:], "message": message}
