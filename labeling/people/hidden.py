"""People who came with a decision that was undone: hidden once nothing uses them, shown again by a redo, removed after a day."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import ForeignObjectRel, Min, Model
from django.utils import timezone

from labeling.models import AlikePeople, DecidedFace, Decision, DifferentPeople, Look, NameCheck, TwiceRight
from recognition.gallery_journal import lock_gallery_state
from recognition.models import Person

KEPT: Final = timedelta(days=1)
# Guesses about somebody, and what was said about their likeness: neither keeps a name that nobody has.
_NO_USE: Final[frozenset[type[Model]]] = frozenset(
    {AlikePeople, Decision, DifferentPeople, Look, NameCheck, TwiceRight}
)


def hide_unused_people() -> None:
    """Hide everybody whose creation was undone and whom nothing uses or describes. Belongs into the undo's transaction.

    All of them and not only the decision's: the creation may have been undone while somebody still used the name.
    """
    created = Decision.objects.filter(created_person=True, undone_at__isnull=False, person__isnull=False)
    candidates = Person.objects.current().filter(
        pk__in=created.order_by().values("person"), aliases=[], external_id=None
    )
    for person_pk in candidates.order_by().values_list("pk", flat=True):
        if not _is_used(person_pk):
            Person.objects.filter(pk=person_pk).update(hidden_at=timezone.now())


def show_again(person: Person | None) -> bool:
    """Bring back the person that came with a decision; False if somebody else came with the name since they were hidden."""
    if person is None or person.hidden_at is None:
        return True
    if Person.objects.named(person.name).filter(created_at__gt=person.hidden_at).exists():
        return False
    Person.objects.filter(pk=person.pk).update(hidden_at=None)
    return True


def remove_hidden_people() -> int:
    """Remove whoever has been hidden for longer than KEPT and still is; return how many. Their decisions stay, nameless."""
    with transaction.atomic():
        # A redo that brings one of them back right now is before this or after it.
        lock_gallery_state()
        found = Person.objects.filter(hidden_at__lt=timezone.now() - KEPT, merged=None, sightings=None)
        people = list(found.order_by().values_list("pk", flat=True))
        for start in range(0, len(people), 500):
            Person.objects.filter(pk__in=people[start : start + 500]).delete()
    return len(people)


def _is_used(person_pk: int) -> bool:
    """Whether a row refers to the person, or would again after an undo."""
    relations = [
        field
        for field in Person._meta.get_fields(include_hidden=True)
        if isinstance(field, ForeignObjectRel) and field.related_model not in _NO_USE
    ]
    if any(
        relation.related_model._base_manager.filter(**{relation.field.name: person_pk}).exists()
        for relation in relations
    ):
        return True
    if Decision.objects.filter(person=person_pk, undone_at=None).exists():
        return True
    # Nothing before the decision that they came with can have had their name.
    since = Decision.objects.filter(person=person_pk, created_person=True).aggregate(first=Min("pk"))["first"]
    later = DecidedFace.objects.filter(decision__gt=since, decision__undone_at=None)
    return later.filter(before__sighting__person_id=person_pk).exists()
