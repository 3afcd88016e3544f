"""What a face's rows were before a decision, as JSON of ids and numbers, and how to put them back exactly."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import models

from labeling.models import Rejection
from recognition.models import Person, Sighting, UnlabeledFace

Snapshot = dict[str, Any]


class CannotRestore(Exception):
    """The rows cannot be put back as they were; the message says why."""


def take_snapshot(face_pk: int) -> Snapshot:
    return {
        "sighting": _to_json(Sighting.objects.filter(face=face_pk).first()),
        "unlabeled": _to_json(UnlabeledFace.objects.filter(face=face_pk).first()),
        "rejections": [
            list(ids) for ids in Rejection.objects.filter(face=face_pk).values_list("person", "decision")
        ],
    }


def restore_snapshot(face_pk: int, snapshot: Snapshot) -> None:
    """Make the face's sighting and queue entry what they were, primary keys and times included.

    Who decided then is nobody any more if that account was deleted since. Belongs into a transaction. Raises CannotRestore where the person of then is gone.
    """
    sighting = snapshot.get("sighting")
    if sighting is not None and not Person.objects.filter(pk=sighting["person_id"]).exists():
        raise CannotRestore("The person whose name this face had before is gone.")
    if sighting is not None and not User.objects.filter(pk=sighting["decided_by_user_id"]).exists():
        sighting = {**sighting, "decided_by_user_id": None}
    _put_back(Sighting, face_pk, sighting)
    _put_back(UnlabeledFace, face_pk, snapshot.get("unlabeled"))
    _put_back_rejections(face_pk, snapshot.get("rejections", []))


def _put_back_rejections(face_pk: int, then: list[list[int]]) -> None:
    """Who the face was said not to be; of a person who is gone nothing needs to be remembered."""
    rejections = Rejection.objects.filter(face=face_pk)
    rejections.exclude(person__in=[person for person, _ in then]).delete()
    still = set(rejections.values_list("person", flat=True))
    people = set(Person.objects.filter(pk__in=[person for person, _ in then]).values_list("pk", flat=True))
    Rejection.objects.bulk_create(
        Rejection(face_id=face_pk, person_id=person, decision_id=decision)
        for person, decision in then
        if person in people - still
    )


def _put_back(
    model: type[Sighting] | type[UnlabeledFace], face_pk: int, values: dict[str, Any] | None
) -> None:
    rows = model._default_manager.filter(face=face_pk)
    if values is None:
        rows.delete()
        return
    rows.exclude(pk=values["id"]).delete()
    # raw: the times are those of then, not of now.
    model(**_from_json(model, values)).save_base(raw=True)


def _to_json(row: models.Model | None) -> dict[str, Any] | None:
    if row is None:
        return None
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()
    }


def _from_json(model: type[models.Model], values: dict[str, Any]) -> dict[str, Any]:
    """Times are read back; a field that a later version added keeps its default, one that it dropped is left out."""
    known = {field.attname: field for field in model._meta.concrete_fields if field.attname in values}
    return {
        name: field.to_python(values[name]) if isinstance(field, models.DateTimeField) else values[name]
        for name, field in known.items()
    }
