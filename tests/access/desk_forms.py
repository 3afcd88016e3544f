"""The forms of the desk and of the pages around it as those pages send them, and an event in which each has something to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from labeling.decisions import record_verdict, undo_decision
from labeling.models import (
    AlikePeople,
    Cluster,
    ClusterMember,
    DecidedFace,
    Decision,
    Enrolment,
    EventReview,
    Look,
    NameCheck,
    SecondOpinion,
)
from labeling.people.conflicts import forget_counts
from recognition.gallery_journal import touch_gallery
from recognition.models import (
    DisputedFace,
    Face,
    NamedRegion,
    Person,
    Reembedding,
    Sighting,
    UnlabeledFace,
)
from tests.access.world import Side
from tests.factories import EMBEDDER_ID, make_embedding, make_face, make_photo, unit_vectors

ALICE, TWIN = unit_vectors(2, seed=5)


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What the pages of the desk show of a side, beyond what the side has already."""

    twin: Person
    suggested: Face
    stranger: Face
    reviewed: Face
    unasked: Face
    skipped: Decision
    undone: Decision

    @property
    def dispute(self) -> DisputedFace:
        return DisputedFace.objects.get(face=self.reviewed)

    @property
    def settled(self) -> DisputedFace:
        """One of which nobody could tell, either."""
        return DisputedFace.objects.exclude(answer="").get(named=self.twin)

    @property
    def answered(self) -> NameCheck:
        """A name of the machine of which nobody could tell."""
        return NameCheck.objects.get(face=self.suggested)

    @property
    def dismissed(self) -> NamedRegion:
        return NamedRegion.objects.get(face=self.suggested)

    @property
    def upto(self) -> int:
        return ClusterMember.objects.latest("pk").pk


def fill_desk(side: Side, *, user: User, colleague: User) -> Desk:
    """`user` made the decisions, `colleague` gave the name that a second person is asked about."""
    photos = [make_photo(side.event) for _ in range(5)]
    twin = Person.objects.create(name=f"{side.person.name} Twin")
    twin_face = _name(make_face(photos[0]), twin, colleague)
    make_embedding(twin_face, TWIN)
    # Once more on the photo where the person is already, which is on the list of conflicts.
    _name(make_face(side.photo), side.person, user)
    reviewed = _name(make_face(photos[1]), side.person, colleague)
    suggested, stranger, skipped = (make_face(photo) for photo in photos[2:5])
    UnlabeledFace.objects.create(face=suggested)
    Look.objects.create(face=suggested, person=side.person, similarity=0.9, margin=0.3, verdict="suggest")
    UnlabeledFace.objects.create(face=stranger, reviewed=True, verdict="stranger")
    UnlabeledFace.objects.create(face=skipped)
    _decide("stranger", stranger, user)
    first, second = sorted((side.person.pk, twin.pk))
    AlikePeople.objects.create(first_id=first, second_id=second, similarity=0.9)
    change = Reembedding.objects.get_or_create(
        source="another", target=EMBEDDER_ID, state=Reembedding.State.SWITCHED
    )[0]
    DisputedFace.objects.create(
        reembedding=change, face=reviewed, named=side.person, proposed=twin, proposed_similarity=0.7
    )
    DisputedFace.objects.create(
        reembedding=change,
        face=twin_face,
        named=twin,
        proposed=side.person,
        proposed_similarity=0.7,
        answer=DisputedFace.Answer.UNSURE,
        answered_by=user,
        answered_at=timezone.now(),
    )
    EventReview.objects.create(event=side.event, percent=100)
    now = timezone.now()
    NameCheck.objects.create(
        face=suggested,
        person=side.person,
        similarity=0.9,
        embedder_id=EMBEDDER_ID,
        named_at=now,
        answer="unsure",
        answered_by=user,
        answered_at=now,
    )
    NamedRegion.objects.create(
        photo=suggested.photo,
        face=suggested,
        name=side.region.name,
        left=1,
        top=1,
        width=50,
        height=60,
        dismissed_at=now,
    )
    ClusterMember.objects.create(cluster=side.cluster, face=suggested, closeness=0.9)
    Cluster.objects.filter(pk=side.cluster.pk).update(open_count=2)
    SecondOpinion.objects.filter(pk=side.opinion.pk).update(answer="person", person=twin)
    Enrolment.objects.create(
        photo=photos[0], person=side.person, user=user, imported=side.imported, row=2, state="refused"
    )
    taken_back = record_verdict(face=skipped, kind=Decision.Kind.STRANGER, actor=user)
    undone = undo_decision(decision=taken_back, actor=user)
    forget_counts()
    return Desk(
        twin=twin,
        suggested=suggested,
        stranger=stranger,
        reviewed=reviewed,
        unasked=make_face(photos[0]),
        skipped=_decide("skip", skipped, user),
        undone=undone,
    )


def _name(face: Face, person: Person, user: User) -> Face:
    touch_gallery([face.pk])
    Sighting.objects.create(
        face=face, person=person, decided_by="human", decided_by_user=user, seen_at=timezone.now()
    )
    _decide("label", face, user, person=person)
    return face


def _decide(kind: str, face: Face, user: User, **values: Any) -> Decision:
    decision = Decision.objects.create(kind=kind, actor=user, face=face, face_count=1, **values)
    DecidedFace.objects.create(decision=decision, face=face)
    return decision


# {m...} is the side, {d...} its desk, a key is a new one each time.
PAGES = {
    "label-group": "/label/group/{m.cluster.pk}/?view=all",
    "label-person": "/label/person/{m.person.pk}/",
    "label-face": "/label/{d.suggested.face_id}/",
    "merge-person": "/people/{m.person.pk}/merge/?with={d.twin.pk}",
    "merge with whom": "/people/{m.person.pk}/merge/",
    "split-person": "/people/{m.person.pk}/split/",
    "twice-on-photo": "/people/twice/",
    "may-be-one": "/people/may-be-one/",
    "decisions": "/decisions/",
    "decision": "/decisions/{d.undone.key}/",
    "verdicts": "/label/verdicts/?verdict=stranger",
    "verdicts skipped": "/label/verdicts/?verdict=skipped",
    "give-opinion": "/label/second/{d.reviewed.face_id}/",
    "differing-opinions": "/label/differing/",
    "disputed-faces": "/label/disputed/",
    "event-roster": "/events/{m.event.pk}/roster/",
    "event-names": "/events/{m.event.pk}/names/",
    "names that differ": "/events/{m.event.pk}/names/?show=differing",
    "names without a face": "/events/{m.event.pk}/names/?show=faceless",
    "names dismissed": "/events/{m.event.pk}/names/?show=dismissed",
    "event-labelers": "/events/{m.event.pk}/labelers/",
    "face-caused": "/faces/{m.named.face_id}/caused/",
    "name-checks": "/quality/checks/",
    "name-check": "/quality/checks/{m.check.pk}/",
    "keys": "/keys/",
    "add-face": "/photos/{m.photo.pk}/faces/add/",
    "drawn-face": "/photos/{m.photo.pk}/faces/{m.box.pk}/",
}
_GROUP = {"version": "0", "upto": "{d.upto}", "key": "{key}", "event": "", "queue": "", "view": ""}
_LIST = {"action": "confirm", "key": "{key}", "face": "{d.suggested.face_id}:0"}
_SPLIT = {"key": "{key}", "face": "{m.named.face_id}:0", "person": "", "name": "Somebody Else"}
_BOX = {"left": "600", "top": "700", "width": "90", "height": "90"}
FORMS: dict[str, tuple[str, dict[str, str]]] = {
    "name a group": (
        "/label/group/{m.cluster.pk}/decide/",
        {**_GROUP, "name": "Somebody Else", "new": "1", "person": "", "none": "", "face": ""},
    ),
    "close a group": ("/label/group/{m.cluster.pk}/decide/", {**_GROUP, "verdict": "stranger"}),
    "split a group": (
        "/label/group/{m.cluster.pk}/decide/",
        {**_GROUP, "apart": "{d.suggested.face_id}", "strays": "", "eject": ""},
    ),
    "confirm a list": ("/label/person/{m.person.pk}/decide/", _LIST),
    "put a list off": (
        "/label/person/{m.person.pk}/decide/",
        {"action": "skip", "key": "{key}", "listed": "{d.suggested.face_id}:0", "event": "", "queue": ""},
    ),
    "name the rest": (
        "/label/{m.opened.face_id}/decide/",
        {"version": "0", "key": "{key}", "rest": "1", "none": ""},
    ),
    "cover": (
        "/people/{m.person.pk}/faces/",
        {"action": "cover", "key": "{key}", "face": "{m.named.face_id}:0", "back": ""},
    ),
    "split": ("/people/{m.person.pk}/split/", {**_SPLIT, "action": "new"}),
    "split to the queue": ("/people/{m.person.pk}/split/", {**_SPLIT, "action": "queue"}),
    "merge": (
        "/people/{m.person.pk}/merge/",
        {"with": "{d.twin.pk}", "key": "{key}", "together": "1", "back": ""},
    ),
    "twice": ("/people/twice/", {"photo": "{m.photo.pk}", "person": "{m.person.pk}"}),
    "disputed": ("/label/disputed/", {"dispute": "{d.dispute.pk}", "answer": "changed", "version": "0"}),
    "undo of a dispute": ("/label/disputed/", {"undo": "{d.settled.pk}"}),
    "two people": ("/people/may-be-one/", {"one": "{m.person.pk}", "another": "{d.twin.pk}"}),
    "undo": (
        "/decisions/{d.skipped.key}/undo/",
        {"sure": "1", "caused": "keep", "back": "decisions", "page": "1", "name": "", "who": "mine"},
    ),
    "redo": ("/decisions/{d.undone.key}/redo/", {"back": "decision"}),
    "take back": ("/decisions/{d.undone.key}/put-back/", {}),
    "undo on a person": ("/people/{m.person.pk}/undo/{d.skipped.key}/", {"back": "", "sure": "1"}),
    "put back": (
        "/label/verdicts/back/",
        {
            "verdict": "stranger",
            "event": "",
            "key": "{key}",
            "face": "{d.stranger.face_id}:0",
            "page": "1",
        },
    ),
    "ask about": ("/label/{d.unasked.face_id}/ask/", {"version": "0"}),
    "put back skipped": (
        "/label/verdicts/back/",
        {"verdict": "skipped", "key": "{key}", "face": "{d.skipped.key}:0"},
    ),
    "second opinion": (
        "/label/second/{d.reviewed.face_id}/",
        {"person": "", "name": "", "answer": "stranger", "event": ""},
    ),
    "settle": ("/label/differing/{m.opinion.pk}/", {"take": "1", "version": "0", "event": ""}),
    "remove a roster": ("/events/{m.event.pk}/roster/remove/", {}),
    "read names": ("/events/{m.event.pk}/names/", {"read": "1"}),
    "confirm names": (
        "/events/{m.event.pk}/names/",
        {"key": "{key}", "name": "Somebody Told", "face": "{m.opened.face_id}:0", "person": "", "new": "1"},
    ),
    "confirm one name": (
        "/events/{m.event.pk}/names/",
        {
            "key": "{key}",
            "name": "Somebody Told",
            "only": "{m.opened.face_id}:0",
            "offer_person": "{d.twin.pk}",
        },
    ),
    "put a name back": ("/events/{m.event.pk}/names/", {"back": "{d.dismissed.pk}"}),
    "dismiss a name": ("/events/{m.event.pk}/names/", {"dismiss": "{m.region.pk}"}),
    "undo of a name": ("/events/{m.event.pk}/names/", {"undo": "region-{d.dismissed.pk}"}),
    "not them": ("/label/names/{m.region.pk}/dismiss/", {"event": "", "queue": ""}),
    "assign": ("/events/{m.event.pk}/labelers/", {"user": "{d.skipped.actor_id}"}),
    "unassign": ("/events/{m.event.pk}/labelers/{m.assignment.pk}/remove/", {}),
    "review": ("/events/{m.event.pk}/review/", {"percent": "10"}),
    "what it caused": (
        "/faces/{m.named.face_id}/caused/",
        {"person": "{m.person.pk}", "key": "{key}", "version": "0", "face": "{d.reviewed.face_id}:0"},
    ),
    "answer a check": (
        "/quality/checks/{m.check.pk}/answer/",
        {"answer": "wrong", "key": "{key}", "version": "0"},
    ),
    "undo a check": ("/quality/checks/{d.answered.pk}/undo/", {}),
    "leave": ("/label/leave/", {"card": "cluster-{m.cluster.pk}"}),
    "draw": ("/photos/{m.photo.pk}/faces/add/", _BOX),
    "draw again": ("/photos/{m.photo.pk}/faces/{m.box.pk}/retry/", {}),
    "remove a box": ("/photos/{m.photo.pk}/faces/{m.box.pk}/remove/", {}),
    "keys": ("/keys/", {"first": "p", "undo": ""}),
    "switch keys": ("/keys/switch/", {"single_keys": "1"}),
}
# Own keys are of no event, and a card that one leaves is nobody's any more.
OF_NO_EVENT = frozenset({"leave", "keys", "switch keys"})
BODIES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "no roster": ("DELETE", "events/{m.event.pk}/roster/", {}),
    "ask about": ("POST", "faces/{d.unasked.face_id}/reopen/", {"version": 0}),
    "roster": ("PUT", "events/{m.event.pk}/roster/", {"external_ids": ["4711"]}),
    "merge": ("POST", "people/{m.person.pk}/merge/", {"other": "{d.twin.pk}", "together": True}),
    "name many": (
        "POST",
        "decisions/",
        {
            "faces": ["{d.suggested.face_id}"],
            "versions": [0],
            "name": "Somebody Else",
            "new": True,
            "another": False,
            "person": None,
        },
    ),
    "reject many": ("POST", "decisions/", {"faces": ["{d.suggested.face_id}"], "reject": ["{m.person.pk}"]}),
    "close many": ("POST", "decisions/", {"faces": ["{d.suggested.face_id}"], "verdict": "stranger"}),
    "undo": ("POST", "decisions/{d.skipped.key}/undo/", {"keep_caused": True}),
    "redo": ("POST", "decisions/{d.undone.key}/redo/", {}),
    "poor": ("POST", "faces/{d.suggested.face_id}/poor/", {"version": 0}),
    "take back": (
        "POST",
        "faces/{m.named.face_id}/caused/",
        {"person": "{m.person.pk}", "faces": ["{d.reviewed.face_id}"], "version": 0},
    ),
    "reopen": ("POST", "faces/{d.stranger.face_id}/reopen/", {"version": 0}),
    "draw": ("POST", "photos/{m.photo.pk}/faces/", {"left": 600, "top": 700, "width": 90, "height": 90}),
}


def filled(value: Any, side: Side, desk: Desk) -> Any:
    """The texts in it with the numbers and ids of this side; a number where the whole text is one place of a body."""
    if isinstance(value, dict):
        return {name: filled(one, side, desk) for name, one in value.items()}
    if isinstance(value, list):
        return [filled(one, side, desk) for one in value]
    return value.format(m=side, d=desk, key=uuid4()) if isinstance(value, str) else value


def filled_body(value: Any, side: Side, desk: Desk) -> Any:
    """The same as JSON sends it, where ids are numbers."""
    done = filled(value, side, desk)
    if isinstance(value, dict):
        return {name: filled_body(one, side, desk) for name, one in value.items()}
    if isinstance(value, list):
        return [filled_body(one, side, desk) for one in value]
    return int(done) if isinstance(value, str) and done.isdigit() and value.startswith("{") else done


def people_list(*rows: str) -> dict[str, Any]:
    """The form that brings in people, with a list of these rows below its header."""
    text = "\n".join(["name,aliases,external_id,portraits,surplus", *rows])
    return {"people": SimpleUploadedFile("people.csv", text.encode()), "event": "Portraits"}
