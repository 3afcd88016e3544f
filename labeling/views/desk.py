"""The desk: one card at a time, a decision, the next card. Pages without JavaScript, fragments with htmx."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import replace_url

from access.roles import LABELER, MANAGER
from access.rules import allow
from facevault_site.htmx import SignedInRequest, is_partial
from labeling.decisions import DecisionConflict
from labeling.desk import Place, read_ahead, read_desk
from labeling.desk.ahead import Ahead, choose_next
from labeling.desk.place import read_card_name
from labeling.desk.said import conflict_words, result_words
from labeling.forms import WHOM, DecideForm, PlaceForm, ViewForm
from labeling.models import Decision
from labeling.naming import NOT_OFFERED, NameUnclear, Question, decide_from
from labeling.queue import QueueItem
from labeling.team.leases import take_lease
from recognition.models import Face


@allow(LABELER, MANAGER)
@require_safe
def label(request: SignedInRequest) -> HttpResponse:
    """Whatever comes next. The page goes on to the card's own address, so that a reload keeps one's place.

    With `after`, a card's name, the one that follows it: nothing is decided about the card that is left.
    """
    place = read_place(request)
    left = read_card_name(request.GET.get("after", ""))
    ahead = choose_next(user=request.user, place=place, after=left, onward=left is not None)
    if ahead.item is not None and not is_partial(request):
        return redirect(place.url(ahead.item))
    return show_desk(request, place, ahead.item, ahead=ahead)


@allow(LABELER, MANAGER)
@require_safe
def ahead(request: SignedInRequest) -> HttpResponse:
    """The card behind the one `after`, to be painted while a decision is on its way. It takes no card and marks none as seen."""
    place = read_place(request)
    if not is_partial(request):
        return redirect(place.url())
    desk = read_ahead(user=request.user, place=place, after=read_card_name(request.GET.get("after", "")))
    if desk is None or desk.card is None:
        return HttpResponse(status=204)
    context = {"desk": desk, "card": desk.card, "card_urls": _card_urls(place, desk.card.item, 1)}
    return render(request, "labeling/_ahead.html", context)


@allow(LABELER, MANAGER)
@require_safe
def card(request: SignedInRequest, face_id: UUID) -> HttpResponse:
    face = get_object_or_404(Face.objects.for_role(request.user, LABELER, MANAGER), face_id=face_id)
    return show_desk(request, read_place(request), face)


@allow(LABELER, MANAGER)
@require_POST
def decide(request: SignedInRequest, face_id: UUID) -> HttpResponse:
    labeled = Face.objects.for_role(request.user, LABELER, MANAGER).select_related("photo")
    face = get_object_or_404(labeled, face_id=face_id)
    place = read_place(request)
    form = DecideForm(request.POST)
    # Somebody who is not there is answered as late as somebody whom the labeler does not see.
    if not form.is_valid() and form.errors.keys() - WHOM:
        return show_desk(request, place, face, question=NOT_OFFERED, status=422)
    try:
        decision = decide_from(form, face=face, actor=request.user)
    except DecisionConflict as conflict:
        return show_desk(request, place, face, notice=conflict_words(conflict), status=409)
    except NameUnclear as unclear:
        return show_desk(request, place, face, question=unclear.question, status=422)
    item = item_of(face)
    # Whoever said only who a face is not decides about it now, with one suggestion less.
    stay = decision.kind == Decision.Kind.REJECT
    return go_on(request, place, item, stay=stay, said=result_words(decision))


def go_on(
    request: SignedInRequest,
    place: Place,
    item: QueueItem,
    *,
    said: str,
    stay: bool = False,
    view: str = "",
) -> HttpResponse:
    """After a decision: the same card again, or the next one."""
    ahead = None if stay else choose_next(user=request.user, place=place, after=item)
    following = ahead.item if ahead is not None else item
    if not is_partial(request):
        return HttpResponseRedirect(place.url(following, view=view))
    return show_desk(request, place, following, said=said, view=view, ahead=ahead)


def show_desk(
    request: SignedInRequest,
    place: Place,
    target: QueueItem | Face | None,
    *,
    status: int = 200,
    notice: str = "",
    said: str = "",
    question: Question | None = None,
    view: str = "",
    chosen: list[UUID] | None = None,
    ahead: Ahead | None = None,
) -> HttpResponse:
    """The page, or its fragments. `said` goes to the status line that screen readers announce.

    `chosen` are the faces of the card that were chosen when a question came back.
    """
    item = item_of(target) if isinstance(target, Face) else target
    page = 1
    if request.method != "POST" and item is not None and item.kind == "cluster":
        form = ViewForm(request.GET)
        form.is_valid()
        view, page = form.cleaned_data.get("view", ""), form.cleaned_data.get("page") or 1
    desk = read_desk(
        user=request.user,
        place=place,
        item=item,
        view=view,
        page=page,
        following=ahead.following if ahead else None,
        scope=ahead.scope if ahead else None,
    )
    # A card that was chosen for this user is theirs already.
    elsewhere = take_lease(user=request.user, card=item.card) if item is not None and ahead is None else None
    context = {
        "desk": desk,
        "card": desk.card,
        "notice": notice,
        "said": desk.announce(said, onward=ahead is not None),
        "question": question,
        "elsewhere": elsewhere,
        "chosen": frozenset(chosen or ()),
        "card_urls": _card_urls(place, item, page),
    }
    template = "labeling/_answer.html" if is_partial(request) else "labeling/desk.html"
    response = render(request, template, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    more = {"view": view, "page": page if page > 1 else ""}
    return replace_url(response, place.url(item, **more)) if is_partial(request) else response


def _card_urls(place: Place, item: QueueItem | None, page: int) -> dict[str, str]:
    """The ways to look at a group."""
    if item is None or item.kind != "cluster":
        return {}
    return {
        "all": place.url(item, view="all"),
        "split": place.url(item, view="split"),
        "previous": place.url(item, view="all", page=page - 1),
        "next": place.url(item, view="all", page=page + 1),
    }


def item_of(face: Face) -> QueueItem:
    return QueueItem(kind="face", pk=face.pk, face_id=face.face_id)


def read_place(request: SignedInRequest) -> Place:
    """What cannot be read, such as an event that is gone, means the queue of all events."""
    form = PlaceForm(request.POST if request.method == "POST" else request.GET, user=request.user)
    form.is_valid()
    return Place(event=form.cleaned_data.get("event"), queue=form.cleaned_data.get("queue") or "")
