"""Two events with everything in them, one that a user has a role in and one that is not theirs, for the access table."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
from django.contrib.auth.models import User
from django.utils import timezone

from access.models import ApiToken, EventGrant
from access.tokens import create_token
from labeling.models import (
    Assignment,
    Cluster,
    ClusterMember,
    DecidedFace,
    Decision,
    NameCheck,
    PeopleImport,
    SecondOpinion,
)
from recognition.images import encode_jpeg
from recognition.models import (
    Event,
    Export,
    Face,
    LookProbe,
    ManualBox,
    NamedRegion,
    Person,
    Photo,
    Probe,
    ProbeFace,
    QualityReport,
    RegionReading,
    RosterEntry,
    Sighting,
    Track,
    UnlabeledFace,
    Video,
)
from recognition.probes.files import probe_crop_path, probe_preview_path
from recognition.storage import (
    crop_path,
    export_path,
    original_path,
    preview_path,
    thumb_path,
    write_crop,
    write_file,
)
from recognition.vectors import encode_vector
from tests.factories import EMBEDDER_ID, make_face, make_photo, unit_vectors
from tests.recognition.evaluation.sample import make_report
from tests.recognition.looks.sample import make_look, make_look_probe

_PICTURE = np.full((48, 64, 3), 127, dtype=np.uint8)
_JPEG = encode_jpeg(_PICTURE, quality=80)


@dataclass
class Side:
    """One event and what belongs to it.

    `words` are in no answer to somebody who may not see the event, `personal_words` in none to anybody but their owner.
    """

    event: Event
    photo: Photo
    failed: Photo
    named: Face
    opened: Face
    person: Person
    decision: Decision
    grant: EventGrant
    token: ApiToken
    export: Export
    probe: Probe
    look_probe: LookProbe
    box: ManualBox
    imported: PeopleImport
    assignment: Assignment
    opinion: SecondOpinion
    words: list[str] = field(default_factory=list)
    personal_words: list[str] = field(default_factory=list)

    @property
    def cluster(self) -> Cluster:
        return Cluster.objects.get(event=self.event)

    @property
    def check(self) -> NameCheck:
        return NameCheck.objects.get(face=self.opened)

    @property
    def video_id(self) -> UUID:
        # Its own; a test may have brought more, or renamed it.
        return Video.objects.filter(event=self.event).earliest("pk").video_id

    @property
    def region(self) -> NamedRegion:
        return NamedRegion.objects.get(face=self.opened)

    def write_files(self) -> None:
        """Put every file back that a request removed; the database forgets such a request by itself."""
        paths = [probe_preview_path(probe.probe_id) for probe in (self.probe, self.look_probe)]
        paths += [probe_crop_path(self.probe.probe_id, 1), crop_path(self.named), crop_path(self.opened)]
        for photo in (self.photo, self.failed):
            paths += [original_path(photo.sha256, "JPEG"), preview_path(photo), thumb_path(photo)]
        # Asked for with every cell of the table, and hardly ever any is gone.
        for path in paths:
            if not path.exists():
                write_file(path, _JPEG)
        if not (export := export_path(self.export.export_id)).exists():
            archive = io.BytesIO()
            with zipfile.ZipFile(archive, "w") as file:
                file.comment = f"FaceVault events {self.event.pk}".encode()
            write_file(export, archive.getvalue())

    def fill(self, parameter: str) -> Any:
        """A value for a parameter of an address; a new parameter is a decision here, never an accident."""
        values: dict[str, Callable[[], Any]] = {
            "event_pk": lambda: self.event.pk,
            "photo_pk": lambda: self.photo.pk,
            "person_pk": lambda: self.person.pk,
            "face_id": lambda: self.opened.face_id,
            "key": lambda: self.decision.key,
            "grant_pk": lambda: self.grant.pk,
            "prefix": lambda: self.token.prefix,
            "export_id": lambda: self.export.export_id,
            "probe_id": lambda: self.probe.probe_id,
            "look_id": lambda: self.look_probe.probe_id,
            "number": lambda: 1,
            "box_pk": lambda: self.box.pk,
            "import_id": lambda: self.imported.import_id,
            "cluster_pk": lambda: self.cluster.pk,
            "assignment_pk": lambda: self.assignment.pk,
            "opinion_pk": lambda: self.opinion.pk,
            "report_id": lambda: QualityReport.objects.values_list("report_id", flat=True)[0],
            "plot": lambda: "roc-light",
            "check_pk": lambda: self.check.pk,
            "video_id": lambda: self.video_id,
            "region_pk": lambda: self.region.pk,
        }
        return values[parameter]()


def make_side(name: str, *, owner: User, uploader: User) -> Side:
    """`owner` has the exports, probes, decisions and tokens of this side, `uploader` brought its photos."""
    event = Event.objects.create(name=f"{name} Graduation", place=f"{name} Hall")
    person = Person.objects.create(name=f"{name} Alice", aliases=[f"{name} Ally"], external_id=f"{name}-4711")
    photo, failed = (
        _photo(event, f"{name}-photo.jpg", uploader),
        _photo(event, f"{name}-broken.jpg", uploader),
    )
    Photo.objects.filter(pk=failed.pk).update(
        state="failed", failure_code="unreadable", failure_reason=f"{name} is unreadable."
    )
    named, opened = _face(photo, name), _face(photo, f"{name} open")
    sighting = Sighting.objects.create(
        face=named, person=person, decided_by="human", is_reference=True, seen_at=timezone.now()
    )
    UnlabeledFace.objects.create(face=opened)
    cluster = Cluster.objects.create(event=event, open_count=1)
    ClusterMember.objects.create(cluster=cluster, face=opened, closeness=1.0)
    decision = Decision.objects.create(kind="label", actor=owner, face=named, person=person)
    DecidedFace.objects.create(decision=decision, face=named)
    assert sighting.person_id == person.pk
    RosterEntry.objects.create(event=event, external_id=f"{name}-4711")
    RosterEntry.objects.create(event=event, external_id=f"{name}-4712")
    grant = EventGrant.objects.create(
        user=User.objects.create(username=f"{name}-colleague"), event=event, role="viewer"
    )
    soon = timezone.now() + timedelta(hours=1)
    token = create_token(user=owner, name=f"{name} script", scopes=["read"], expires_at=soon).token
    export = Export.objects.create(user=owner, event=event, expires_at=soon, state="done")
    probe = Probe.objects.create(user=owner, byte_size=10, width=64, height=48, expires_at=soon, state="done")
    look_probe = make_look_probe(user=owner, expires_at=soon)
    make_look(photo)
    make_look(photo, face=opened)
    ProbeFace.objects.create(
        probe=probe,
        number=1,
        left=1,
        top=1,
        width=9,
        height=9,
        detector_score=0.9,
        embedder_id=EMBEDDER_ID,
        vector=encode_vector(unit_vectors(1)[0]),
    )
    box = ManualBox.objects.create(
        photo=photo,
        left=600,
        top=400,
        width=90,
        height=90,
        drawn_by=uploader,
        state="failed",
        failure_code="broken",
    )
    NamedRegion.objects.create(
        photo=photo, face=opened, name=f"{name} Told", left=opened.left, top=opened.top, width=50, height=60
    )
    RegionReading.objects.create(event=event, user=owner, state="done")
    video = Video.objects.create(
        event=event,
        sha256=hashlib.sha256(f"{name} video".encode()).hexdigest(),
        name=f"{name}-speech.mp4",
        byte_size=10,
        width=64,
        height=48,
        duration_ms=4000,
        interval_ms=200,
        uploaded_by=uploader,
        state="failed",
        failure_code="damaged",
        failure_reason=f"{name} speech is damaged.",
    )
    for face in (named, opened):
        Track.objects.create(video=video, face=face, first_ms=0, last_ms=1000, frames=6)
    colleague = grant.user
    assignment = Assignment.objects.create(event=event, user=colleague)
    opinion = SecondOpinion.objects.create(
        face=named, decision=decision, actor=colleague, answer="stranger", agrees=False
    )
    NameCheck.objects.create(
        face=opened, person=person, similarity=0.9, embedder_id=EMBEDDER_ID, named_at=timezone.now()
    )
    make_report(events=[event], pairs=[(person, person)], faces=[(named, person, person)])
    imported = PeopleImport.objects.create(
        user=owner, event=event, rows=[{"row": 2, "outcome": "added", "person": person.pk, "message": ""}]
    )
    words = [
        event.name,
        event.place,
        person.name,
        *person.aliases,
        str(person.external_id),
        f"{name}-4712",
        photo.name,
        failed.name,
        video.name,
        str(video.video_id),
    ]
    words += [f"{name} Told", str(named.face_id), str(opened.face_id), photo.sha256, f"{name}-colleague"]
    personal = [
        token.prefix,
        str(export.export_id),
        str(probe.probe_id),
        str(look_probe.probe_id),
        str(imported.import_id),
    ]
    return Side(
        event,
        photo,
        failed,
        named,
        opened,
        person,
        decision,
        grant,
        token,
        export,
        probe,
        look_probe,
        box,
        imported,
        assignment,
        opinion,
        words,
        personal,
    )


def _photo(event: Event, name: str, uploader: User) -> Photo:
    photo = make_photo(event)
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    Photo.objects.filter(pk=photo.pk).update(name=name, sha256=sha256, uploaded_by=uploader)
    photo.refresh_from_db()
    return photo


def _face(photo: Photo, name: str) -> Face:
    face = make_face(photo)
    picture = _PICTURE.copy()
    picture[0] = hashlib.sha256(name.encode()).digest()[0]
    Face.objects.filter(pk=face.pk).update(crop=write_crop(encode_jpeg(picture, quality=80)))
    face.refresh_from_db()
    return face
