"""The old addresses of a merged person lead to whom they were merged into."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from facevault_site.htmx import SignedInRequest
from recognition.models import Person
from recognition.people.merged import find_kept


def redirect_to_kept(request: SignedInRequest, person_pk: int) -> HttpResponse:
    """The same page of the kept person. Temporary: the merge may be undone.

    Raises Http404 for somebody who was not merged, or into somebody whom the user does not see; and for a form, which
    was about somebody else.
    """
    kept = find_kept(person_pk) if request.method in {"GET", "HEAD"} else None
    if kept is None or not Person.objects.visible_to(request.user).filter(pk=kept).exists():
        raise Http404
    match = request.resolver_match
    assert match is not None
    assert match.url_name is not None
    query = request.META.get("QUERY_STRING", "")
    address = reverse(match.url_name, kwargs={**match.kwargs, "person_pk": kept})
    return redirect(f"{address}?{query}" if query else address)
