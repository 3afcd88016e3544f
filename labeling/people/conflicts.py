"""What the names say that cannot be: one person twice on a photo; and two people who may be one. Lists and counts."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from access.roles import LABELER, MANAGER, User, reach_of
from labeling.models import TwiceRight
from labeling.people.alike import pairs_seen_by
from recognition.gallery_journal import read_gallery_state
from recognition.models import Person, Photo, Sighting

# Counting goes over all names, and every decision may change it: in between the desk shows what it was.
_KEPT_SECONDS = 30.0
_MOST_KEPT = 500
_lock = threading.Lock()
_counted: dict[tuple[object, ...], tuple[tuple[UUID, int], float, int]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflicts:
    twice: int
    may_be_one: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Twice:
    """A person on a photo, and the faces there that have their name."""

    photo: Photo
    person: Person
    sightings: list[Sighting]


def count_conflicts(user: User) -> Conflicts:
    """For the desk: cheap, and at most half a minute old."""
    return Conflicts(twice=_count_twice(user), may_be_one=pairs_seen_by(user).count())


def forget_counts() -> None:
    """Count anew at the next time: after an answer to one of them."""
    with _lock:
        _counted.clear()


def twice_seen_by(user: User) -> QuerySet[Sighting, tuple[int, int]]:
    """(photo, person) wherever a person is on a photo more than once, the user may put it right, and nobody said that it is."""
    settled = TwiceRight.objects.filter(photo=OuterRef("face__photo"), person=OuterRef("person"))
    return (
        Sighting.objects.for_role(user, LABELER, MANAGER)
        .order_by()
        .values_list("face__photo", "person")
        .annotate(count=Count("pk"))
        .filter(Q(count__gt=1), ~Exists(settled))
        .order_by("-face__photo", "person")
        .values_list("face__photo", "person")
    )


def load_twice(pairs: Sequence[tuple[int, int]], *, user: User) -> list[Twice]:
    """These photos with the faces of the person on each, in the order given."""
    photos = Photo.objects.visible_to(user).select_related("event").in_bulk([photo for photo, _ in pairs])
    rows = (
        Sighting.objects.for_role(user, LABELER, MANAGER)
        .filter(face__photo__in=photos, person__in=[person for _, person in pairs])
        .select_related("face", "person")
        .order_by("face__left")
    )
    found: dict[tuple[int, int], list[Sighting]] = {}
    for sighting in rows:
        found.setdefault((sighting.face.photo_id, sighting.person_id), []).append(sighting)
    return [
        Twice(photo=photos[pair[0]], person=found[pair][0].person, sightings=found[pair])
        for pair in pairs
        if len(found.get(pair, [])) > 1
    ]


def settle_twice(*, photo: Photo, person: Person, actor: User) -> bool:
    """Both faces are the person's: a mirror, a picture on the wall. Whether the photo shows them more than once."""
    if Sighting.objects.filter(face__photo=photo, person=person).count() < 2:
        return False
    TwiceRight.objects.get_or_create(photo=photo, person=person, defaults={"actor_id": actor.pk})
    forget_counts()
    return True


def open_twice(*, photo: Photo, person: Person) -> None:
    """The answer that it is right is taken back: it is listed again."""
    TwiceRight.objects.filter(photo=photo, person=person).delete()
    forget_counts()


def _count_twice(user: User) -> int:
    reach = reach_of(user, LABELER, MANAGER)
    who: tuple[object, ...] = (reach.everywhere, reach.events)
    state = read_gallery_state()
    stamp, now = (state.epoch, state.version), time.monotonic()
    with _lock:
        known = _counted.get(who)
    # Another epoch is another database.
    if known and known[0][0] == state.epoch and (known[0] == stamp or now - known[1] < _KEPT_SECONDS):
        return known[2]
    count = twice_seen_by(user).count()
    with _lock:
        if len(_counted) >= _MOST_KEPT:
            _counted.clear()
        _counted[who] = (stamp, now, count)
    return count
