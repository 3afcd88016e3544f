"""The list of people: who is on it and in which order."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from access.roles import User, sees_everything
from recognition.models import Person, Sighting

ORDERS = ("name", "seen", "faces")


def list_people(
    *, user: User, query: str = "", order: str = "name", faceless: bool = False
) -> QuerySet[Person, int] | Sequence[int]:
    """The primary keys of the people whom the user sees and whom the query fits, to be cut into pages.

    Those without faces come last where faces give the order; `faceless` leaves only them, for whoever sees all events.
    A figure that gives the order is looked up for each person in the index (person, seen_at): joining all rows and
    counting them took longer than anything else on the page.
    """
    everything = sees_everything(user)
    if order == "faces" and not everything:
        return _by_faces_seen(user, query, none=faceless)
    people: QuerySet[Person] = Person.objects.visible_to(user).matching(query)
    if faceless:
        people = without_faces(people) if everything else people.none()
    seen = Sighting.objects.visible_to(user).filter(person=OuterRef("pk"))
    if order == "seen":
        last = seen.order_by("-seen_at").values("seen_at")[:1]
        people = people.order_by(Subquery(last).desc(nulls_last=True), "search_text", "pk")
    elif order == "faces":
        counted = seen.order_by().values("person").annotate(count=Count("pk")).values("count")
        count = Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))
        people = people.order_by(count.desc(), "search_text", "pk")
    else:
        people = people.order_by("search_text", "pk")
    found = people.values_list("pk", flat=True)
    # Whom somebody with some events sees is asked for once; counting and cutting would each ask again.
    return found if everything else list(found)


def without_faces(people: QuerySet[Person]) -> QuerySet[Person]:
    """Of these, the people whom no face carries at all: what is left of an event that was deleted, or was typed ahead."""
    return people.filter(~Exists(Sighting.objects.filter(person=OuterRef("pk")).order_by()))


def _by_faces_seen(user: User, query: str, *, none: bool) -> Sequence[int]:
    """For whoever sees some events: one count over the faces of these says both who is seen and how often."""
    if none:
        return []
    seen = Sighting.objects.visible_to(user).order_by().values_list("person").annotate(count=Count("pk"))
    counts: dict[int, int] = dict(seen)
    found = Person.objects.current().matching(query).values_list("pk", "search_text")
    known = sorted((-counts[pk], text, pk) for pk, text in found if pk in counts)
    return [pk for *_, pk in known]
