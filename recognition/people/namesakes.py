"""People of one name, told apart wherever one of them is listed: how many there are, and where each was seen."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from access.roles import User
from recognition.models import Person, Sighting

_EVENTS_SHOWN = 2


def tell_apart(people: Sequence[Person], *, user: User) -> None:
    """Give each `namesakes`, how many people of exactly this name the user sees (0 where nobody shares it), and
    `seen_at_events`, words such as "Graduation, Open Day and 3 more" for those who share one."""
    names = [person.name for person in people]
    alike = Person.objects.visible_to(user).filter(name__in=names).order_by().values_list("name", flat=True)
    # What is shown is compared as well: a name alone, known from a suggestion, is not among those the user sees.
    counts = Counter(alike) if names else Counter()
    shared = [person for person in people if counts[person.name] > 1]
    events = _read_events([person.pk for person in shared], user) if shared else {}
    for person in people:
        person.namesakes = counts[person.name] if counts[person.name] > 1 else 0  # type: ignore[attr-defined]
        person.seen_at_events = _words(events.get(person.pk, []))  # type: ignore[attr-defined]


def _read_events(person_pks: Sequence[int], user: User) -> dict[int, list[str]]:
    """Names of the events where each was seen, the newest first."""
    rows = (
        Sighting.objects.visible_to(user)
        .filter(person__in=person_pks)
        .order_by("-face__photo__event__created_at")
        .values_list("person", "face__photo__event__name", "face__photo__event__created_at")
        .distinct()
    )
    found: defaultdict[int, list[str]] = defaultdict(list)
    for person_pk, name, _ in rows:
        found[person_pk].append(name)
    return found


def _words(events: Sequence[str]) -> str:
    if not events:
        return "at no event yet"
    shown, more = events[:_EVENTS_SHOWN], len(events) - _EVENTS_SHOWN
    if more > 0:
        return f"at {', '.join(shown)} and {more} more"
    return f"at {' and '.join(shown)}"
