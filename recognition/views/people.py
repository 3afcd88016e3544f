"""People: searched as one types, and one person with every face of theirs."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from access.roles import SEEING
from access.rules import allow
from facevault_site.htmx import SignedInRequest, render_page_or_part
from recognition.forms import PeopleSearchForm
from recognition.models import Person, Sighting
from recognition.people import by_event, count_sightings, load_people, with_cover

PEOPLE_PER_PAGE = 48
FACES_PER_PAGE = 96


@allow(*SEEING)
@require_safe
def people(request: SignedInRequest) -> HttpResponse:
    form = PeopleSearchForm(request.GET)
    query = form.cleaned_data["q"] if form.is_valid() else ""
    visible = Person.objects.visible_to(request.user)
    page = Paginator(
        visible.matching(query).order_by("search_text", "pk").values_list("pk", flat=True), PEOPLE_PER_PAGE
    ).get_page(request.GET.get("page"))
    context = {
        "query": query,
        "page": page,
        "people": load_people(list(page.object_list), user=request.user),
        "nobody": not query and page.paginator.count == 0,
    }
    return render_page_or_part(request, "recognition/people.html", part="results", context=context)


@allow(*SEEING)
@require_safe
def person(request: SignedInRequest, person_pk: int) -> HttpResponse:
    visible = with_cover(Person.objects.visible_to(request.user).with_visits(request.user), request.user)
    person = get_object_or_404(visible, pk=person_pk)
    # By event, newest first; then as they were taken.
    seen = Sighting.objects.visible_to(request.user).filter(person=person)
    sightings = seen.select_related("face__photo__event").order_by(
        "-face__photo__event__created_at", "-face__photo__event", "seen_at", "pk"
    )
    page = Paginator(sightings, FACES_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "person": person,
        "page": page,
        "counts": count_sightings(person, user=request.user),
        "groups": by_event(list(page.object_list)),
    }
    return render(request, "recognition/person.html", context)
