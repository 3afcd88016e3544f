"""What the photos' own data says of the faces on a card, and who of the people that may be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from access.roles import User
from recognition.models import NamedRegion, Person
from recognition.named_regions.namesakes import find_called
from recognition.people.loading import load_people
from recognition.text import fold

# More names for one card are no help.
_SAID = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A name that photos tell of `count` faces; `people` are called so, as far as the user sees them.

    `region` is the one to dismiss where the card is of one face.
    """

    name: str
    count: int
    people: list[Person]
    region: NamedRegion


def read_said(face_pks: Collection[int], *, user: User) -> list[Said]:
    """The names told of these faces, the most frequent first; nothing of what somebody dismissed."""
    regions = list(NamedRegion.objects.filter(face__in=face_pks, dismissed_at=None).order_by("pk"))
    if not regions:
        return []
    counts = Counter(fold(region.name) for region in regions)
    first: dict[str, NamedRegion] = {}
    for region in regions:
        first.setdefault(fold(region.name), region)
    people = load_called([region.name for region in first.values()], user=user)
    return [
        Said(name=first[folded].name, count=count, people=people.get(folded, []), region=first[folded])
        for folded, count in counts.most_common(_SAID)
    ]


def load_called(names: Sequence[str], *, user: User) -> dict[str, list[Person]]:
    """By folded name the people of that name whom the user sees, as lists show them."""
    called = find_called(names, Person.objects.visible_to(user))
    loaded = {
        person.pk: person
        for person in load_people(list({pk: 0 for pks in called.values() for pk in pks}), user=user)
    }
    return {name: [loaded[pk] for pk in pks if pk in loaded] for name, pks in called.items()}
