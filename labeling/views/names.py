"""The type-ahead over names."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from access.roles import LABELER, MANAGER
from access.rules import allow
from facevault_site.htmx import SignedInRequest, is_partial
from labeling.forms import NameSearchForm
from labeling.models import Decision
from recognition.models import Person
from recognition.people.loading import load_people

NAMES_SHOWN = 8


@allow(LABELER, MANAGER)
@require_safe
def name_search(request: SignedInRequest) -> HttpResponse:
    """People whose name fits what is typed so far; with nothing typed, the ones this user named last. Creates nobody.

    Without htmx there is a whole page for that.
    """
    form = NameSearchForm(request.GET)
    form.is_valid()
    typed = form.cleaned_data["name"]
    query = typed.strip()
    if not is_partial(request):
        return redirect(f"{reverse('people')}?{urlencode({'q': query})}")
    visible = Person.objects.visible_to(request.user)
    if query:
        pks = list(visible.matching(query).values_list("pk", flat=True)[: NAMES_SHOWN + 1])
    else:
        recent = Decision.objects.filter(actor=request.user, person__in=visible, undone_at=None)
        pks = list(dict.fromkeys(recent.values_list("person", flat=True)[:60]))[:NAMES_SHOWN]
    context = {
        "typed": typed,
        "query": query,
        "people": load_people(pks[:NAMES_SHOWN], user=request.user),
        "more": len(pks) > NAMES_SHOWN,
    }
    return render(request, "labeling/_names.html", context)
