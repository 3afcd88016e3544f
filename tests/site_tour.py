"""A tour through every page of a running site: what is filled in so that each has something to show, and the addresses."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.running_site import Site

# Fragments, files, and what programs read.
_NOT_SHOWN = {
    "event-progress",
    "event-videos",
    "label-ahead",
    "name-search",
    "people-import-report",
    "quality-progress",
    "names-progress",
    "what-if",
    "healthz",
    "readyz",
}
# States of pages that no address alone shows.
_MORE = {
    "login": "/login/?next=/people/",
    "events-archived": "/events/?archived=1",
    "people-found": "/people/?q=a",
    "people-nobody": "/people/?q=zzzz",
    "missing": "/nowhere/",
}


@dataclass(frozen=True, slots=True)
class Stop:
    """One page of the tour; `status` is what it answers."""

    name: str
    path: str
    status: int = 200


def fill_site(site: Site, picture: Path) -> dict[str, Any]:
    """Add what a demo vault lacks: a failed photo, tokens, roles, an export and a search by `picture`, made by the worker.

    Returns values for the parameters of addresses, by their names. The administrator is `admin`.
    """
    found = site.manage("shell", code=_FILL.replace("PICTURE", repr(str(picture))))
    site.manage("run_worker", "--batch")
    site.manage("shell", code=_FAIL)
    values: dict[str, Any] = json.loads(found.split("VALUES ")[1].splitlines()[0])
    return values


def plan_tour(values: dict[str, Any]) -> list[Stop]:
    """Every page that answers a GET, by the resolver itself: a page that is added is on the tour."""
    from tests.access.addresses import PAGES

    filler = _Filler(values)
    pages = [
        Stop(address.name, address.path(filler))
        for address in PAGES
        if address.name not in _NOT_SHOWN | _MORE.keys()
        and (not address.name.startswith("api-") or address.name == "api-docs")
    ]
    return pages + [Stop(name, path, 404 if name == "missing" else 200) for name, path in _MORE.items()]


class _Filler:
    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def fill(self, parameter: str) -> Any:
        return self._values[parameter]


_FILL = """
import json
from datetime import timedelta
from pathlib import Path
from django.contrib.auth.models import User
from django.db.models import Count
from django.utils import timezone
from access.grants import grant_role
from access.tokens import create_token
from labeling.decisions import label_face, record_verdict
from labeling.models import Assignment, Cluster, EventReview, NameCheck, PeopleImport, SecondOpinion
from recognition.evaluation.reports import request_report
from recognition.exports import ExportScope, request_export
from recognition.models import Event, Face, ManualBox, NamedRegion, Person, RegionReading, Sighting, Track, UnlabeledFace, Video
from recognition.looks.probing import add_look_probe
from recognition.probes import add_probe

admin = User.objects.get(username="admin")
colleague, _ = User.objects.get_or_create(username="nora", defaults={"first_name": "Nora", "last_name": "Lind"})
event = Event.objects.annotate(size=Count("photos")).order_by("-size", "pk").first()
person = Person.objects.annotate(size=Count("sightings")).order_by("-size", "pk").first()
first, second, shown, named = [entry.face for entry in UnlabeledFace.objects.open().select_related("face__photo")[:4]]
decision = label_face(face=first, actor=admin, person=person)
record_verdict(face=second, kind="stranger", actor=admin)
# A name of a colleague that the administrator is asked about, and one on which two people differ.
label_face(face=named, actor=colleague, person=person)
EventReview.objects.update_or_create(event=named.photo.event, defaults={"percent": 100})
# Names of the machine that are checked: the first of them are answered already.
drawn = [NameCheck(face=one.face, person=one.person, similarity=one.similarity, embedder_id=one.embedder_id, named_at=timezone.now())
    for one in Sighting.objects.filter(decided_by="machine").select_related("face", "person").order_by("-face__face_id")[:40]]
for place, check in enumerate(drawn[:28]):
    check.answer, check.answered_by, check.answered_at = "wrong" if place == 9 else "right", admin, timezone.now()
NameCheck.objects.bulk_create(drawn)
Event.objects.create(name="Open day 2019", archived_at=timezone.now())
Person.objects.create(name="Nobody Yet", aliases=["Noby"], external_id="S-1001")
told = list(Face.objects.filter(photo__event=event, unlabeled__reviewed=False, sighting=None)[:9])
told += list(Face.objects.filter(photo__event=event, sighting__isnull=False)[:3])
NamedRegion.objects.bulk_create(NamedRegion(photo_id=one.photo_id, face=None if place == 8 else one, left=one.left, top=one.top,
    width=one.width, height=one.height, name=person.name if place < 5 else f"Told {place // 3}") for place, one in enumerate(told))
RegionReading.objects.create(event=event, user=admin, state="done", photos_total=40, photos_done=40, regions_found=12, processed_at=timezone.now())
recording = {"byte_size": 734_003_200, "width": 1920, "height": 1080, "duration_ms": 1_260_000, "interval_ms": 200, "frames_total": 6301}
video = Video.objects.create(event=event, sha256="a" * 64, name="Ceremony, main hall.mp4", state="done", frames_done=6301,
    started_at=timezone.now() - timedelta(days=2), uploaded_by=admin, **recording)
for place, one in enumerate(Face.objects.filter(photo__event=event).order_by("-unlabeled__reviewed", "pk")[:14]):
    Track.objects.create(video=video, face=one, first_ms=place * 83_000, last_ms=place * 83_000 + 9_000 * (place % 5), frames=1 + 45 * (place % 5))
Video.objects.create(event=event, sha256="b" * 64, name="Speech of the president.mov", state="failed", failure_code="damaged",
    failure_reason="The video is damaged and cannot be played. Copy it from the camera again.", uploaded_by=admin, **recording)
soon = timezone.now() + timedelta(days=30)
token = create_token(user=admin, name="Nightly upload", scopes=["read", "upload"], expires_at=soon).token
with Path(PICTURE).open("rb") as file:
    probe = add_probe(file=file, user=admin)
    file.seek(0)
    look = add_look_probe(file=file, user=admin)
values = {
    "event_pk": event.pk,
    "photo_pk": first.photo_id,
    "person_pk": person.pk,
    "report_id": str(request_report(user=admin).report_id),
    "plot": "roc-light",
    "face_id": str(shown.face_id),
    "key": str(decision.key),
    "grant_pk": grant_role(user=colleague, event_pk=event.pk, role="labeler", actor=admin).pk,
    "prefix": token.prefix,
    "export_id": str(request_export(user=admin, scope=ExportScope(event=event, person=None, with_machine=True, with_names=True)).export_id),
    "probe_id": str(probe.probe_id),
    "look_id": str(look.probe_id),
    "number": 1,
    "import_id": str(PeopleImport.objects.create(user=admin, event=event, finished_at=timezone.now(), unread=["e-mail"], rows=[
        {"row": 2, "outcome": "added", "person": person.pk, "message": ""},
        {"row": 3, "outcome": "refused", "person": None, "message": "There is no name in this row."},
        {"row": 4, "outcome": "updated", "person": person.pk, "message": "", "problems": [{"file": "S-1001.jpg", "message": "No such portrait was found."}]},
    ]).import_id),
    "box_pk": ManualBox.objects.create(photo=first.photo, left=1, top=1, width=60, height=60, drawn_by=admin).pk,
    "cluster_pk": Cluster.objects.filter(open_count__gte=2).first().pk,
    "assignment_pk": Assignment.objects.get_or_create(event=event, user=colleague)[0].pk,
    "check_pk": drawn[-1].pk,
    "video_id": str(video.video_id),
    "opinion_pk": SecondOpinion.objects.create(face=first, decision=decision, actor=colleague, answer="stranger", agrees=False).pk,
}
print("VALUES", json.dumps(values))
"""
# Rows that no worker is to touch come last. Drawn faces look like nobody to a net: two get the vectors of known people.
_FAIL = """
from django.contrib.auth.models import User
from django.db.models import Count
from recognition.models import Embedding, Event, Photo, ProbeFace
known = Embedding.objects.with_vectors().filter(face__sighting__is_reference=True).order_by("-pk")
for face, embedding in zip(ProbeFace.objects.order_by("number")[:2], known[:2]):
    ProbeFace.objects.filter(pk=face.pk).update(vector=embedding.vector, embedder_id=embedding.embedder_id)
admin = User.objects.get(username="admin")
event = Event.objects.annotate(size=Count("photos")).order_by("-size", "pk").first()
common = {"format": "JPEG", "byte_size": 900_000, "width": 1600, "height": 1200, "uploaded_by": admin}
for number, (code, reason) in enumerate([
    ("photo_damaged", "The file ends too early. Copy it from the camera again and upload it."),
    ("photo_damaged", "The file ends too early. Copy it from the camera again and upload it."),
    ("original_missing", "The file of this photo is gone from the server. Upload the same photo to this event again."),
]):
    Photo.objects.create(event=event, sha256=f"{number:064}", name=f"IMG_{number + 4711}.jpg", state="failed", attempts=1, failure_code=code, failure_reason=reason, **common)
"""
