"""Pages of earlier decisions and their undo, and the type-ahead over names."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from access.roles import LABELER, MANAGER
from access.rules import allow
from facevault_site.htmx import SignedInRequest, is_partial
from labeling.decisions import decisions_seen_by
from labeling.decisions.undo import UndoRefused, may_undo, undo_decision
from labeling.forms import NameSearchForm
from labeling.models import Decision
from labeling.views.desk import read_place, show_desk
from labeling.words import ago, long_words, short_words, user_words
from recognition.models import Face, Person
from recognition.people.loading import load_people

PER_PAGE = 40
NAMES_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    decision: Decision
    words: str
    who: str
    undone_by: str
    ago: str
    may_undo: bool
    # Somebody of other events only, whom a suggestion named, has no page for this user.
    linked: bool


@allow(LABELER, MANAGER)
@require_safe
def decisions(request: SignedInRequest) -> HttpResponse:
    return _list(request)


@allow(LABELER, MANAGER)
@require_POST
def undo(request: SignedInRequest, key: UUID) -> HttpResponse:
    """Undo, then show the face as it is again; on the list of decisions, the list."""
    decision = get_object_or_404(
        Decision.objects.filter(
            face__in=Face.objects.for_role(request.user, LABELER, MANAGER)
        ).select_related("face__photo", "person"),
        key=key,
    )
    from_list = request.POST.get("back") == "decisions"
    words = short_words(decision)
    try:
        undo_decision(decision=decision, actor=request.user)
    except UndoRefused as refused:
        notice = f"{refused} {long_words(refused.later)}." if refused.later else str(refused)
        if from_list:
            return _list(request, notice=notice, status=409)
        return show_desk(request, read_place(request), decision.face, notice=notice, status=409)
    if from_list:
        messages.success(request, f"Undone: {words}.")
        return redirect(_list_address(request))
    place = read_place(request)
    if not is_partial(request):
        return redirect(place.url(decision.face))
    return show_desk(request, place, decision.face, said=f"Undone: {words}.")


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


def _list(request: SignedInRequest, *, notice: str = "", status: int = 200) -> HttpResponse:
    # A refused undo draws the list that it was pressed on.
    given = request.POST if request.method == "POST" else request.GET
    mine = given.get("who") == "mine"
    rows = decisions_seen_by(request.user).select_related(
        "actor", "person", "undone_by", "face__photo__event"
    )
    if mine:
        rows = rows.filter(actor=request.user)
    page = Paginator(rows, PER_PAGE).get_page(given.get("page"))
    context = {"page": page, "rows": _rows(page, request), "mine": mine, "notice": notice}
    return render(request, "labeling/decisions.html", context, status=status)


def _list_address(request: SignedInRequest) -> str:
    """The list as it was when the button was pressed."""
    page = request.POST.get("page", "")
    chosen = {"who": "mine"} if request.POST.get("who") == "mine" else {}
    if page.isdecimal() and page != "1":
        chosen["page"] = page
    return reverse("decisions") + (f"?{urlencode(chosen)}" if chosen else "")


def _rows(page: Page[Decision], request: SignedInRequest) -> list[Row]:
    """The page's decisions; the ones that a later decision stands on are found in one query."""
    shown = list(page.object_list)
    later = (
        Decision.objects.filter(face=OuterRef("face"), pk__gt=OuterRef("pk"), undone_at=None)
        .exclude(kind=Decision.Kind.SKIP)
        .order_by()
    )
    overtaken = set(
        Decision.objects.filter(pk__in=[row.pk for row in shown])
        .exclude(kind=Decision.Kind.SKIP)
        .filter(Exists(later))
        .values_list("pk", flat=True)
    )
    known = set(
        Person.objects.visible_to(request.user)
        .filter(pk__in={row.person_id for row in shown if row.person_id is not None})
        .values_list("pk", flat=True)
    )
    return [
        Row(
            decision=row,
            words=short_words(row),
            linked=not row.undone and row.person_id in known,
            who=user_words(row.actor),
            undone_by=user_words(row.undone_by) if row.undone else "",
            ago=ago(row.created_at),
            may_undo=not row.undone
            and row.face_id is not None
            and row.pk not in overtaken
            and may_undo(row, request.user),
        )
        for row in shown
    ]
