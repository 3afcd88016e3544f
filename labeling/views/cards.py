"""Cards of many faces: a group's, and the list of whoever may be one person."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST, require_safe

from access.roles import LABELER, MANAGER
from access.rules import allow
from facevault_site.htmx import SignedInRequest
from labeling.decisions import (
    DecisionConflict,
    NothingToDecide,
    PersonGone,
    find_repeated_about,
    label_faces,
    record_verdicts,
    reject_faces,
    split_cluster,
)
from labeling.desk.person_card import has_list, may_list
from labeling.desk.said import conflict_words, result_words
from labeling.forms import WHOM, GroupForm, ListForm, ViewForm
from labeling.models import Cluster, Decision
from labeling.naming import NOT_OFFERED, NameUnclear, Question, decide_target
from labeling.queue import QueueItem
from labeling.queue.scope import Scope
from labeling.targets import Target, aim_at_group, aim_at_listed, latest_about
from labeling.views.desk import go_on, read_place, show_desk
from recognition.models import Person

_STAYS = (Decision.Kind.REJECT, Decision.Kind.SPLIT)


@allow(LABELER, MANAGER)
@require_safe
def group(request: SignedInRequest, cluster_pk: int) -> HttpResponse:
    cluster = _find_cluster(request, cluster_pk)
    return show_desk(request, read_place(request), _item_of(cluster))


@allow(LABELER, MANAGER)
@require_POST
def decide_group(request: SignedInRequest, cluster_pk: int) -> HttpResponse:
    """About the group as the card knew it, or about the faces of it that were chosen; or take faces out of it."""
    cluster = _find_cluster(request, cluster_pk)
    place, item, view = read_place(request), _item_of(cluster), _read_view(request)
    form = GroupForm(request.POST)
    # Somebody who is not there is answered as late as somebody whom the labeler does not see.
    if not form.is_valid() and form.errors.keys() - WHOM:
        return show_desk(request, place, item, question=NOT_OFFERED, status=422, view=view)
    data = form.cleaned_data
    asked = 0
    try:
        decision = _find_repeated(data["key"], cluster, request)
        if decision is None:
            target = aim_at_group(cluster, data)
            asked = len(target.faces)
            if form.errors:
                raise NameUnclear(NOT_OFFERED)
            decision = _decide_group(data, target, request)
    except DecisionConflict as conflict:
        notice = conflict_words(conflict, many=True)
        return show_desk(request, place, item, notice=notice, status=409)
    except NameUnclear as unclear:
        return show_desk(
            request,
            place,
            item,
            question=unclear.question,
            status=422,
            view=view,
            chosen=data["face"],
        )
    # Whoever chose some of the faces, or said who they are not, goes on with the group.
    stay = decision.kind in _STAYS or bool(data["face"])
    stay = stay and Cluster.objects.filter(pk=cluster.pk, open_count__gt=0).exists()
    said = result_words(decision, asked=asked)
    return go_on(request, place, item, stay=stay, said=said, view=view if stay else "")


@allow(LABELER, MANAGER)
@require_safe
def suggestions(request: SignedInRequest, person_pk: int) -> HttpResponse:
    person = _find_person(request, person_pk)
    return show_desk(request, read_place(request), QueueItem(kind="person", pk=person.pk))


@allow(LABELER, MANAGER)
@require_POST
def decide_suggestions(request: SignedInRequest, person_pk: int) -> HttpResponse:
    """Confirm the chosen faces, or say that they are somebody else; a verdict on them; or put the list off."""
    person = _find_person(request, person_pk)
    place, item = read_place(request), QueueItem(kind="person", pk=person.pk)
    form = ListForm(request.POST)
    if not form.is_valid():
        return show_desk(request, place, item, question=NOT_OFFERED, status=422)
    data = form.cleaned_data
    putting_off = data["action"] in Decision.POSTPONING
    # With nothing chosen, a no means every face of the card; a name never does.
    everything = data["listed"] if putting_off or data["action"] == "reject" else {}
    seen = everything if putting_off else data["face"] or everything
    if not seen:
        nothing = Question(code="nothing_chosen", error=f"Choose the faces that are {person.name} first.")
        return show_desk(request, place, item, question=nothing, status=422)
    target = aim_at_listed(person, seen, request.user)
    if len(target.faces) < len(seen):
        raise Http404
    try:
        decision = _decide_listed(data, person, target, request)
    except (DecisionConflict, NothingToDecide, PersonGone) as refused:
        notice = conflict_words(
            refused if isinstance(refused, DecisionConflict) else DecisionConflict(None), many=True
        )
        return show_desk(request, place, item, notice=notice, status=409)
    stay = not putting_off and has_list(person, user=request.user, event=place.event)
    said = result_words(decision, asked=len(target.faces))
    return go_on(request, place, item, stay=stay, said=said)


def _decide_group(data: dict[str, Any], target: Target, request: SignedInRequest) -> Decision:
    assert target.cluster is not None
    apart = data["apart"] or data["strays"]
    if not (apart or data["eject"]):
        return decide_target(data, target=target, actor=request.user)
    if not (apart or data["face"]):
        raise NameUnclear(Question(code="nothing_chosen", error="Choose the faces to take out first."))
    try:
        return split_cluster(
            cluster=target.cluster,
            faces=target.faces,
            actor=request.user,
            versions=target.versions,
            key=data["key"],
            together=not data["strays"],
        )
    except NothingToDecide:
        raise DecisionConflict(latest_about(target.cluster)) from None


def _decide_listed(
    data: dict[str, Any],
    person: Person,
    target: Target,
    request: SignedInRequest,
) -> Decision:
    key, actor = data["key"], request.user
    repeated = find_repeated_about(key, [face.pk for face in target.faces], actor)
    if repeated is not None:
        return repeated
    faces, versions = target.faces, target.versions
    if data["action"] == "confirm":
        return label_faces(faces=faces, person=person, actor=actor, versions=versions, key=key)
    if data["action"] == "reject":
        return reject_faces(faces=faces, people=[person], actor=actor, versions=versions, key=key)
    return record_verdicts(
        faces=faces, kind=data["action"], actor=actor, versions=versions, key=key, person=person
    )


def _find_repeated(key: UUID, cluster: Cluster, request: SignedInRequest) -> Decision | None:
    """Asked before the group is read: the first of two clicks has left nothing of it to decide about."""
    made = Decision.objects.filter(key=key, actor=request.user, cluster=cluster)
    return made.select_related("actor", "person").first()


def _read_view(request: SignedInRequest) -> str:
    form = ViewForm(request.POST)
    form.is_valid()
    return str(form.cleaned_data.get("view", ""))


def _item_of(cluster: Cluster) -> QueueItem:
    return QueueItem(kind="cluster", pk=cluster.pk, count=cluster.open_count)


def _find_cluster(request: SignedInRequest, cluster_pk: int) -> Cluster:
    mine = Scope(request.user).within("event")
    return get_object_or_404(Cluster.objects.filter(mine), pk=cluster_pk)


def _find_person(request: SignedInRequest, person_pk: int) -> Person:
    person = get_object_or_404(Person.objects.current(), pk=person_pk)
    if not may_list(person.pk, request.user):
        raise Http404
    return person
