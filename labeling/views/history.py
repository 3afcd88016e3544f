"""Pages of earlier decisions: the list, and one in full; their undo and redo."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from access.roles import LABELER, MANAGER
from access.rules import allow
from facevault_site.htmx import SignedInRequest, is_partial
from labeling.decisions import (
    DecisionConflict,
    NothingToDecide,
    UndoRefused,
    decisions_seen_by,
    record_verdicts,
    redo_decision,
    undo_decision,
)
from labeling.history import HistoryForm, find_decisions, read_decision, read_rows
from labeling.history.one import count_taken_back, read_left_behind, shows_first
from labeling.models import Cluster, Decision
from labeling.queue import QueueItem
from labeling.views._said import refusal_words
from labeling.views.desk import item_of, read_place, show_desk
from labeling.words import short_words
from recognition.models import Event

PER_PAGE = 40


@allow(LABELER, MANAGER)
@require_safe
def decisions(request: SignedInRequest) -> HttpResponse:
    return _list(request)


@allow(LABELER, MANAGER)
@require_safe
def decision(request: SignedInRequest, key: UUID) -> HttpResponse:
    """One decision with all its faces, and what an undo would take back with it."""
    return _show(request, _find(request, key))


@allow(LABELER, MANAGER)
@require_POST
def undo(request: SignedInRequest, key: UUID) -> HttpResponse:
    """Undo, then show the card as it is again; from the list of decisions or from its own page, that one.

    Where FaceVault named many faces because of it, its page shows them first.
    """
    found = _find(request, key)
    if request.POST.get("sure") != "1" and shows_first(found, user=request.user):
        address = reverse("decision", args=[found.key])
        return HttpResponseClientRedirect(address) if is_partial(request) else redirect(address)
    words = short_words(found)
    try:
        undone = undo_decision(
            decision=found, actor=request.user, with_caused=request.POST.get("caused") != "keep"
        )
    except UndoRefused as refused:
        return _refused(request, found, refused)
    taken_back = count_taken_back(undone, user=request.user)
    said = f"Undone: {words}."
    if taken_back:
        names = "1 name" if taken_back == 1 else f"{taken_back} names"
        verb = "is" if taken_back == 1 else "are"
        said += f" {names} that FaceVault gave because of it {verb} back in the queue."
    return _go_back(request, undone, said)


@allow(LABELER, MANAGER)
@require_POST
def redo(request: SignedInRequest, key: UUID) -> HttpResponse:
    """Do an undone decision again, then show where it was asked for."""
    found = _find(request, key)
    try:
        redone = redo_decision(decision=found, actor=request.user)
    except UndoRefused as refused:
        return _refused(request, found, refused)
    return _go_back(request, redone, f"Done again: {short_words(redone)}.")


@allow(LABELER, MANAGER)
@require_POST
def take_back(request: SignedInRequest, key: UUID) -> HttpResponse:
    """Put back into the queue what FaceVault had named because of references that this decision took away."""
    found = _find(request, key)
    faces = [sighting.face for sighting in read_left_behind(found, user=request.user)]
    try:
        made = record_verdicts(faces=faces, kind=Decision.Kind.REOPEN, actor=request.user, key=uuid4())
    except (NothingToDecide, DecisionConflict):
        messages.warning(request, "Nothing is left to put back. Look again.")
        return redirect("decision", key=found.key)
    messages.success(request, f"{made.face_count} put back into the queue.")
    return redirect("decision", key=made.key)


def _find(request: SignedInRequest, key: UUID) -> Decision:
    seen = decisions_seen_by(request.user).select_related("actor", "person", "undone_by", "cluster", "face")
    return get_object_or_404(seen, key=key)


def _refused(request: SignedInRequest, found: Decision, refused: UndoRefused) -> HttpResponse:
    notice = refusal_words(refused)
    back = request.POST.get("back")
    if back == "decisions":
        return _list(request, notice=notice, status=409)
    target = _card_of(request, found)
    if back == "decision" or target is None:
        return _show(request, found, notice=notice, status=409)
    return show_desk(request, read_place(request), target, notice=notice, status=409)


def _go_back(request: SignedInRequest, found: Decision, said: str) -> HttpResponse:
    back, target = request.POST.get("back"), _card_of(request, found)
    if back == "decisions" or (back == "decision" and not found.face_count) or target is None:
        messages.success(request, said)
        return redirect(_list_address(request))
    if back == "decision":
        messages.success(request, said)
        return redirect("decision", key=found.key)
    place = read_place(request)
    if not is_partial(request):
        return redirect(place.url(target))
    return show_desk(request, place, target, said=said)


def _card_of(request: SignedInRequest, found: Decision) -> QueueItem | None:
    """The card that the decision was made on: of its group, of its person's list, or of its face."""
    mine = Event.objects.for_role(request.user, LABELER, MANAGER)
    if found.cluster_id is not None and Cluster.objects.filter(pk=found.cluster_id, event__in=mine).exists():
        return QueueItem(kind="cluster", pk=found.cluster_id)
    if found.face is None:
        return None
    if found.face_count > 1 and found.person_id is not None and found.kind in Decision.POSTPONING:
        return QueueItem(kind="person", pk=found.person_id)
    return item_of(found.face)


def _show(request: SignedInRequest, found: Decision, *, notice: str = "", status: int = 200) -> HttpResponse:
    told = read_decision(found, user=request.user, page=request.GET.get("page"))
    context = {"told": told, "row": told.row, "page": told.page, "notice": notice}
    return render(request, "labeling/decision.html", context, status=status)


def _list(request: SignedInRequest, *, notice: str = "", status: int = 200) -> HttpResponse:
    # A refused undo draws the list that it was pressed on.
    given = request.POST if request.method == "POST" else request.GET
    form = HistoryForm(given, user=request.user)
    chosen = form.chosen
    found = find_decisions(user=request.user, chosen=chosen)
    page = Paginator(found.select_related("actor", "person", "undone_by"), PER_PAGE).get_page(
        given.get("page")
    )
    context = {
        "page": page,
        "rows": read_rows(list(page.object_list), user=request.user),
        "form": form,
        "chosen": chosen,
        "query": form.query,
        "notice": notice,
    }
    return render(request, "labeling/decisions.html", context, status=status)


def _list_address(request: SignedInRequest) -> str:
    """The list as it was when the button was pressed."""
    chosen = HistoryForm(request.POST, user=request.user).query
    page = request.POST.get("page", "")
    if page.isdecimal() and page != "1":
        chosen["page"] = page
    return reverse("decisions") + (f"?{urlencode(chosen)}" if chosen else "")
