"""Write a person's names and number, and remove a person whom no face carries."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from access.roles import LABELER, MANAGER, User, reach_of
from recognition.events.roster import tell_renumbered
from recognition.gallery_journal import touch_gallery
from recognition.models import Person, Sighting
from recognition.named_regions.erasing import erase_names
from recognition.people.merged import family_of, find_kept
from recognition.text import fold


class NameTaken(Exception):
    """Others have that name: nothing was written. Two people may share one, so the caller asks."""

    def __init__(self, people: Sequence[Person]) -> None:
        super().__init__("Somebody has this name already.")
        self.people = list(people)


class ExternalIdTaken(Exception):
    """The external id is somebody else's, or was that of somebody who was merged into `owner`; nothing was written."""

    def __init__(self, owner: Person | None) -> None:
        super().__init__("This external id belongs to somebody else.")
        self.owner = owner


class PersonHasFaces(Exception):
    """A face carries the name; nothing was removed."""


def may_create_people(user: User) -> bool:
    """Nobody sees a person without faces but those who see all events, so it takes a role for all of them."""
    return reach_of(user, LABELER, MANAGER).everywhere


def create_person(
    *, name: str, external_id: str | None = None, aliases: Sequence[str] = (), shared: bool = False
) -> Person:
    """A person before any photo of them. `shared`: although others have the name. Raises NameTaken, ExternalIdTaken."""
    return _write(Person(), name=name, external_id=external_id, aliases=aliases, shared=shared)


def update_person(
    *, person: Person, name: str, external_id: str | None, aliases: Sequence[str], shared: bool = False
) -> Person:
    """Rename and renumber. A name that only changes its spelling asks nobody. Raises NameTaken, ExternalIdTaken."""
    shared = shared or fold(name) == fold(person.name)
    return _write(person, name=name, external_id=external_id, aliases=aliases, shared=shared)


def delete_person(*, person: Person) -> None:
    """Remove somebody whom no face carries, with everybody who was merged into them; decisions about them stay, without
    the name. Raises PersonHasFaces."""
    with transaction.atomic():
        # The lock that every decision takes first: nobody names a face after them in between.
        touch_gallery([])
        family = family_of(person)
        if Sighting.objects.filter(person__in=family).exists():
            raise PersonHasFaces
        called = Person.objects.filter(pk__in=family).values_list("name", "aliases")
        names = {text for name, aliases in called for text in (name, *aliases)}
        try:
            # Those who were merged last go first: their rows point at the others.
            for pk in reversed(family):
                Person.objects.filter(pk=pk).delete()
        except ProtectedError as error:
            raise PersonHasFaces from error
        erase_names(names)


def _write(
    person: Person, *, name: str, external_id: str | None, aliases: Sequence[str], shared: bool
) -> Person:
    namesakes = [] if shared else list(Person.objects.named(name).exclude(pk=person.pk))
    if namesakes:
        raise NameTaken(namesakes)
    before, external_id = person.external_id, external_id or None
    person.name, person.external_id, person.aliases = name, external_id, list(aliases)
    try:
        with transaction.atomic():
            person.save(update_fields=None if person._state.adding else ["name", "external_id", "aliases"])
            if before != external_id:
                tell_renumbered([before, external_id])
    except IntegrityError as error:
        owner = Person.objects.filter(external_id=person.external_id).exclude(pk=person.pk).first()
        if owner is None:
            raise
        kept = find_kept(owner.pk)
        raise ExternalIdTaken(owner if kept is None else Person.objects.get(pk=kept)) from error
    return person
