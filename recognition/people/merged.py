"""People who were merged into others: who they are now."""

from __future__ import annotations

from recognition.models import Person


def find_kept(person_pk: int) -> int | None:
    """The number of the person whom they were merged into, at the end of the chain; none if they were not merged."""
    kept: int | None = None
    into = Person.objects.filter(pk=person_pk).values_list("merged_into", flat=True).first()
    while into is not None:
        kept, into = into, Person.objects.filter(pk=into).values_list("merged_into", flat=True).first()
    return kept


def read_kept() -> dict[int, int]:
    """Of everybody who was merged, by number: who they are now."""
    rows = Person.objects.filter(merged_into__isnull=False).order_by()
    into: dict[int, int] = {pk: kept for pk, kept in rows.values_list("pk", "merged_into") if kept}
    return {pk: _end_of(pk, into) for pk in into}


def family_of(person: Person) -> list[int]:
    """The person's own number, and those of everybody who was merged into them."""
    found, latest = [person.pk], [person.pk]
    while latest:
        latest = list(Person.objects.filter(merged_into__in=latest).order_by().values_list("pk", flat=True))
        found += latest
    return found


def _end_of(pk: int, into: dict[int, int]) -> int:
    while pk in into:
        pk = into[pk]
    return pk
