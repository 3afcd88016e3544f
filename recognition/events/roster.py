"""The roster of an event: who was invited. Others are named there by the machine only on stronger evidence."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Max

from recognition.gallery_journal import lock_gallery_state
from recognition.models import Event, Person, RosterEntry
from recognition.people.merged import family_of, find_kept
from recognition.signals import roster_changed

_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterStamp:
    """Which roster an event had: a list that is written anew has entries of higher numbers."""

    count: int
    latest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Of some people those who are on the roster; `members` is none where the event has no roster."""

    stamp: RosterStamp
    members: frozenset[int] | None


def stamp_roster(event_pk: int) -> RosterStamp:
    entries = RosterEntry.objects.filter(event=event_pk)
    row = entries.aggregate(count=Count("pk"), latest=Max("pk"))
    return RosterStamp(count=row["count"], latest=row["latest"] or 0)


def read_roster(event_pk: int, person_pks: Collection[int]) -> Roster:
    """Who of these people is on the roster of the event, by the external id they have or somebody who was merged into them had."""
    stamp = stamp_roster(event_pk)
    if not stamp.count:
        return Roster(stamp=stamp, members=None)
    return Roster(stamp=stamp, members=_members(event_pk, set(person_pks)))


def find_off_roster(person: Person, event_pks: Collection[int]) -> frozenset[int]:
    """Of these events those that have a roster without this person."""
    entries = RosterEntry.objects.filter(event__in=event_pks).order_by()
    listed = set(entries.values_list("event", flat=True).distinct())
    if not listed:
        return frozenset()
    family = Person.objects.filter(pk__in=family_of(person)).order_by()
    ids = {one for one in family.values_list("external_id", flat=True) if one}
    on = entries.filter(external_id__in=ids).values_list("event", flat=True)
    return frozenset(listed - set(on))


def replace_roster(*, event: Event, external_ids: Sequence[str]) -> None:
    """Make these the roster, whatever it was before."""
    with transaction.atomic():
        # A worker that names a face waits until the roster is written, or reads this one.
        lock_gallery_state()
        RosterEntry.objects.filter(event=event).delete()
        RosterEntry.objects.bulk_create(
            [RosterEntry(event=event, external_id=one) for one in external_ids], batch_size=_AT_ONCE
        )
        roster_changed.send(Event, event_pks=[event.pk])


def remove_roster(*, event: Event) -> bool:
    """From here on everybody has the usual line at the event. False if it had no roster."""
    with transaction.atomic():
        lock_gallery_state()
        removed, _ = RosterEntry.objects.filter(event=event).delete()
        if removed:
            roster_changed.send(Event, event_pks=[event.pk])
    return bool(removed)


def tell_renumbered(external_ids: Collection[str | None]) -> None:
    """Somebody lost or got one of these external ids, and with it their place on rosters. Belongs into the transaction."""
    wanted = [one for one in external_ids if one]
    entries = RosterEntry.objects.filter(external_id__in=wanted).order_by()
    events = sorted(set(entries.values_list("event", flat=True)))
    if events:
        roster_changed.send(Event, event_pks=events)


def _members(event_pk: int, person_pks: set[int]) -> frozenset[int]:
    ids = RosterEntry.objects.filter(event=event_pk).values("external_id")
    found: set[int] = set()
    wanted = sorted(person_pks)
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        own = Person.objects.current().filter(pk__in=some, external_id__in=ids).order_by()
        found.update(own.values_list("pk", flat=True))
    # Few keep an id of their own after they were merged into somebody.
    merged = Person.objects.filter(merged_into__isnull=False, external_id__in=ids).order_by()
    found.update(kept for pk in merged.values_list("pk", flat=True) if (kept := find_kept(pk)) in person_pks)
    return frozenset(found)
