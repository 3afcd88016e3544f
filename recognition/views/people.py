"""People: searched as one types, and one person with every face of theirs."""

from __future__ import annotations

from uuid import uuid4

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from access.roles import LABELER, MANAGER, SEEING, reach_of, sees_everything
from access.rules import allow
from facevault_site.htmx import SignedInRequest, render_page_or_part
from recognition.models import Person, Sighting
from recognition.people.edits import may_create_people
from recognition.people.forms import PeopleListForm, PersonPageForm
from recognition.people.listing import list_people, without_faces
from recognition.people.loading import by_event, count_sightings, load_people, with_cover
from recognition.people.timeline import read_timeline

PEOPLE_PER_PAGE = 48
FACES_PER_PAGE = 96
_SHOWN = {
    "": Q(),
    "references": Q(is_reference=True),
    "verified": Q(decided_by=Sighting.DecidedBy.HUMAN),
    "machine": Q(decided_by=Sighting.DecidedBy.MACHINE),
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
        "faceless_count": without_faces(Person.objects.all()).count() if sees_everything(request.user) else 0,
        "page": page,
        "people": load_people(list(page.object_list), user=request.user),
        "nobody": not query and not faceless and page.paginator.count == 0,
        "may_create": may_create_people(request.user),
    }
    return render_page_or_part(request, "recognition/people.html", part="results", context=context)


@allow(*SEEING)
@require_safe
def person(request: SignedInRequest, person_pk: int) -> HttpResponse:
    visible = with_cover(Person.objects.visible_to(request.user).with_visits(request.user), request.user)
    person = get_object_or_404(visible, pk=person_pk)
    form = PersonPageForm(request.GET)
    form.is_valid()
    show = form.cleaned_data["show"]
    # By event, newest first; then as they were taken.
    seen = Sighting.objects.visible_to(request.user).filter(_SHOWN[show], person=person)
    sightings = seen.select_related("face__photo__event").order_by(
        "-face__photo__event__created_at", "-face__photo__event", "seen_at", "pk"
    )
    page = Paginator(sightings, FACES_PER_PAGE).get_page(request.GET.get("page"))
    groups = by_event(list(page.object_list), user=request.user)
    context = {
        "person": person,
        "page": page,
        "show": show,
        "counts": count_sightings(person, user=request.user),
        "groups": groups,
        "timeline": read_timeline(person, user=request.user),
        "decides": any(group.decides for group in groups),
        # One decision for each face of this page, however often it is posted.
        "key": uuid4(),
        "labels": bool(reach_of(request.user, LABELER, MANAGER)),
        "may_edit": Person.objects.editable_by(request.user).filter(pk=person.pk).exists()
        if reach_of(request.user, LABELER, MANAGER)
        else False,
        "may_delete": may_create_people(request.user),
    }
    return render(request, "recognition/person.html", context)
