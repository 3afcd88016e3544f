"""People: searched as one types, and one person with every face of theirs."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.core.paginator import Page, Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.roles import LABELER, MANAGER, SEEING, reach_of, sees_everything
from access.rules import allow
from facevault_site.htmx import SignedInRequest, render_page_or_part
from recognition.models import Person, Sighting
from recognition.people.audit import mark_closeness, rank_farthest
from recognition.people.edits import may_create_people
from recognition.people.forms import PeopleListForm, PersonPageForm
from recognition.people.listing import list_people, without_faces
from recognition.people.loading import by_event, count_sightings, load_people, mark_decidable, with_cover
from recognition.people.namesakes import tell_apart
from recognition.people.timeline import read_timeline
from recognition.views.merged import redirect_to_kept

PEOPLE_PER_PAGE = 48
FACES_PER_PAGE = 96
_SHOWN = {
    "": Q(),
    "references": Q(is_reference=True),
    "verified": Q(decided_by=Sighting.DecidedBy.HUMAN),
    "machine": Q(decided_by=Sighting.DecidedBy.MACHINE),
    "farthest": Q(),
}


@allow(*SEEING)
@require_safe
def people(request: SignedInRequest) -> HttpResponse:
    form = PeopleListForm(request.GET)
    form.is_valid()
    query, order = form.cleaned_data.get("q", ""), form.cleaned_data["sort"]
    faceless = form.cleaned_data["faces"] == "none"
    found = list_people(user=request.user, query=query, order=order, faceless=faceless)
    page = Paginator(found, PEOPLE_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "query": query,
        "order": order,
        "faceless": faceless,
        "faceless_count": without_faces(Person.objects.current()).count()
        if sees_everything(request.user)
        else 0,
        "page": page,
        "people": load_people(list(page.object_list), user=request.user),
        "nobody": not query and not faceless and page.paginator.count == 0,
        "may_create": may_create_people(request.user),
        "may_import": reach_of(request.user, MANAGER).everywhere,
        "may_export": bool(reach_of(request.user, MANAGER)),
    }
    return render_page_or_part(request, "recognition/people.html", part="results", context=context)


@allow(*SEEING)
@require_safe
def person(request: SignedInRequest, person_pk: int) -> HttpResponse:
    visible = with_cover(Person.objects.visible_to(request.user).with_visits(request.user), request.user)
    person = visible.filter(pk=person_pk).first()
    if person is None:
        return redirect_to_kept(request, person_pk)
    tell_apart([person], user=request.user)
    form = PersonPageForm(request.GET)
    form.is_valid()
    show = form.cleaned_data["show"]
    # By event, newest first; then as they were taken.
    seen = Sighting.objects.visible_to(request.user).filter(_SHOWN[show], person=person)
    sightings = seen.select_related("face__photo__event")
    if show == "farthest":
        ranked, closeness = rank_farthest(seen)
        page: Page[Any] = Paginator(ranked, FACES_PER_PAGE).get_page(request.GET.get("page"))
        found = sightings.in_bulk(list(page.object_list))
        shown = [found[pk] for pk in page.object_list if pk in found]
        mark_closeness(shown, closeness)
    else:
        ordered = sightings.order_by(
            "-face__photo__event__created_at", "-face__photo__event", "seen_at", "pk"
        )
        page = Paginator(ordered, FACES_PER_PAGE).get_page(request.GET.get("page"))
        shown = list(page.object_list)
    decides = mark_decidable(shown, user=request.user)
    context = {
        "person": person,
        "page": page,
        "show": show,
        "counts": count_sightings(person, user=request.user),
        "farthest": shown if show == "farthest" else [],
        "groups": [] if show == "farthest" else by_event(shown, user=request.user),
        "timeline": read_timeline(person, user=request.user),
        "decides": decides,
        # One decision for each face of this page, however often it is posted.
        "key": uuid4(),
        "labels": bool(reach_of(request.user, LABELER, MANAGER)),
        "may_edit": Person.objects.editable_by(request.user).filter(pk=person.pk).exists()
        if reach_of(request.user, LABELER, MANAGER)
        else False,
        "may_delete": may_create_people(request.user),
    }
    return render(request, "recognition/person.html", context)
