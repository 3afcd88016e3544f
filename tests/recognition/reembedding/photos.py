"""Uploaded and processed photos of drawn faces, and what people have said of them: the rows that a change must keep."""

from __future__ import annotations

import io
from typing import Any

from django.apps import apps
from django.contrib.auth.models import User

from labeling.decisions import label_face, record_verdict, reject_person
from recognition.ingest import process_next_photo
from recognition.models import Event, Face, Person, Photo
from recognition.uploads.adding import add_photo
from tests.factories import make_event
from tests.fakes import draw_photo

# What a change of the embedder writes, and what the worker derives anew from it.
_CHANGES = {
    "embedding", "activeembedder", "reembedding", "disputedface", "calibration", "gallerystate", "gallerychange",
    "look", "queuestate", "cluster", "clustermember", "alikepeople", "alikestate", "dbtaskresult", "session",
}  # fmt: skip


def upload(*colors: str, event: Event | None = None, salt: int = 0) -> Photo:
    result = add_photo(
        event=event or make_event(),
        file=io.BytesIO(draw_photo(*colors, salt=salt)),
        name=f"{'-'.join(colors)}-{salt}.png",
        user=None,
    )
    assert result.photo is not None
    return result.photo


def process(*colors: str, event: Event | None = None, salt: int = 0) -> Photo:
    photo = upload(*colors, event=event, salt=salt)
    while (done := process_next_photo()) is not None:
        assert done is not None
    photo.refresh_from_db()
    assert photo.state == "done", photo.failure_reason
    return photo


def faces_of(photo: Photo) -> list[Face]:
    """From left to right, as they were drawn."""
    return list(photo.faces.order_by("left").select_related("photo"))


def fill(user: User) -> dict[str, Person]:
    """Red and blue are named by hand on one photo and by the machine on the next; others were judged otherwise."""
    event = make_event("Graduation 2026")
    red, blue, green = faces_of(process("red", "blue", "green", event=event))
    people = {}
    for color, face in (("red", red), ("blue", blue)):
        people[color] = Person.objects.create(name=f"{color} person")
        label_face(face=face, actor=user, person=people[color])
    record_verdict(face=green, kind="stranger", actor=user)
    process("red", "blue", "yellow", event=event, salt=1)
    yellow = faces_of(process("yellow", "purple", event=event, salt=2))[0]
    reject_person(face=yellow, person=people["red"], actor=user)
    return people


def read_rows() -> dict[str, list[Any]]:
    """Every row of every table that a change must leave as it is."""
    found = {}
    for model in apps.get_models():
        if model._meta.model_name not in _CHANGES and model._meta.app_label in {
            "recognition", "labeling", "access", "auth",
        }:  # fmt: skip
            names = [field.attname for field in model._meta.concrete_fields]
            found[model._meta.label] = list(model._default_manager.order_by("pk").values_list(*names))
    return found
