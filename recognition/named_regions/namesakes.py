"""People by a name that a photo's own data tells: their name or one of their other names, spelled anyhow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from django.db.models import Q, QuerySet

from recognition.models import Person
from recognition.text import fold


def find_called(names: Collection[str], people: QuerySet[Person]) -> dict[str, list[int]]:
    """By folded name the primary keys of those among these people who are called so; one query for all names."""
    wanted = {folded for name in names if (folded := fold(name))}
    if not wanted:
        return {}
    anybody = Q()
    for name in wanted:
        anybody |= Q(search_text__contains=f" {name}")
    found: defaultdict[str, list[int]] = defaultdict(list)
    rows = people.filter(anybody).order_by("search_text", "pk").values_list("pk", "name", "aliases")
    for pk, name, aliases in rows:
        for folded in names_of(name, aliases) & wanted:
            found[folded].append(pk)
    return dict(found)


def names_of(name: str, aliases: Collection[str]) -> set[str]:
    """Every folded name of a person."""
    return {fold(name), *(fold(alias) for alias in aliases)}
