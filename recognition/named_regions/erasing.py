"""When a person is deleted, their name goes out of what was read from photos, and reading again does not bring it back."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import QuerySet
from django.utils import timezone

from recognition.models import NamedRegion, Person
from recognition.named_regions.namesakes import find_called
from recognition.parts import in_parts
from recognition.text import fold

# No program writes a name like that; the box stays, so that the same region of the file is known again.
ERASED = "(erased)"
_AT_ONCE = 500


def erase_names(names: Collection[str]) -> int:
    """Take these names off every region, unless somebody who is left has one of them too; returns how many regions.

    After the person's own row is gone, in the same transaction.
    """
    wanted = {fold(name) for name in names} - find_called(names, Person.objects.current()).keys()
    if not wanted:
        return 0
    spelled = NamedRegion.objects.exclude(name=ERASED).order_by().values_list("name", flat=True).distinct()
    doomed = [name for name in spelled.iterator() if fold(name) in wanted]
    count = 0
    for part in in_parts(doomed, _AT_ONCE):
        count += _erase(NamedRegion.objects.filter(name__in=part))
    return count


def _erase(regions: QuerySet[NamedRegion]) -> int:
    """A place has one row without a name, however many spellings it had."""
    places = ("photo", "left", "top", "width", "height")
    rows = list(regions.values_list("pk", *places))
    erased = NamedRegion.objects.filter(name=ERASED, photo__in=regions.order_by().values("photo"))
    seen = set(erased.values_list(*places))
    kept: list[int] = []
    doubled: list[int] = []
    for pk, *place in rows:
        (doubled if tuple(place) in seen else kept).append(pk)
        seen.add(tuple(place))
    for part in in_parts(doubled, _AT_ONCE):
        NamedRegion.objects.filter(pk__in=part).delete()
    for part in in_parts(kept, _AT_ONCE):
        NamedRegion.objects.filter(pk__in=part).update(name=ERASED, face=None, dismissed_at=timezone.now())
    return len(rows)
