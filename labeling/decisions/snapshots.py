"""What faces' rows were before a decision, as JSON of ids and numbers, and how to put them back exactly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import models

from labeling.models import Cluster, ClusterMember, Decision, Rejection
from recognition.models import Face, Person, Sighting, UnlabeledFace

Snapshot = dict[str, Any]
_ROWS: dict[str, type[models.Model]] = {
    "sighting": Sighting,
    "unlabeled": UnlabeledFace,
    "member": ClusterMember,
}
_AT_ONCE = 500


class CannotRestore(Exception):
    """The rows cannot be put back as they were; the message says why."""


def take_snapshots(face_pks: Sequence[int]) -> dict[int, Snapshot]:
    """Of each face its sighting, queue entry, place in a cluster, and who it was said not to be."""
    found: dict[int, Snapshot] = {pk: {**dict.fromkeys(_ROWS), "rejections": []} for pk in face_pks}
    for name, model in _ROWS.items():
        for row in model._default_manager.filter(face__in=face_pks):
            found[row.face_id][name] = _to_json(row)  # type: ignore[attr-defined]
    rejections = Rejection.objects.filter(face__in=face_pks).order_by("pk")
    for face_pk, *ids in rejections.values_list("face_id", "person_id", "decision_id"):
        found[face_pk]["rejections"].append(ids)
    return found


def restore_snapshots(snapshots: Mapping[int, Snapshot]) -> None:
    """Make the faces' rows what they were, primary keys and times included.

    Who decided then is nobody any more if that account was deleted since. Belongs into a transaction. Raises
    CannotRestore where the person of then is gone.
    """
    _check_people(snapshots.values())
    _put_clusters_back(snapshots)
    for name, model in _ROWS.items():
        model._default_manager.filter(face__in=snapshots).delete()
        rows = [_from_json(model, values) for one in snapshots.values() if (values := one.get(name))]
        if model is Sighting:
            _forget_accounts(rows)
        model._default_manager.bulk_create(rows, batch_size=_AT_ONCE)
    _put_rejections_back(snapshots)


def _check_people(snapshots: Iterable[Snapshot]) -> None:
    wanted = {one["sighting"]["person_id"] for one in snapshots if one.get("sighting")}
    there = dict(Person.objects.filter(pk__in=wanted).values_list("pk", "merged_into"))
    if wanted - there.keys():
        raise CannotRestore("The person whose name this face had before is gone.")
    if any(there.values()):
        raise CannotRestore("The person whose name this face had before was merged. Undo the merge first.")


def _put_clusters_back(snapshots: Mapping[int, Snapshot]) -> None:
    """A cluster that was made anew meanwhile comes back under its number."""
    wanted = {one["member"]["cluster_id"]: face_pk for face_pk, one in snapshots.items() if one.get("member")}
    gone = wanted.keys() - set(Cluster.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    events = dict(Face.objects.filter(pk__in=[wanted[pk] for pk in gone]).values_list("pk", "photo__event"))
    Cluster.objects.bulk_create(Cluster(pk=pk, event_id=events[wanted[pk]]) for pk in sorted(gone))


def _forget_accounts(rows: Sequence[Any]) -> None:
    asked = {row.decided_by_user_id for row in rows}
    there = set(User.objects.filter(pk__in=asked - {None}).values_list("pk", flat=True))
    for row in rows:
        if row.decided_by_user_id not in there:
            row.decided_by_user_id = None


def _put_rejections_back(snapshots: Mapping[int, Snapshot]) -> None:
    """Who the faces were said not to be; of a person who is gone nothing needs to be remembered."""
    then = {
        face_pk: {person: made_by for person, made_by in one.get("rejections", [])}  # noqa: C416 - pairs as lists
        for face_pk, one in snapshots.items()
    }
    now: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for pk, face_pk, person in Rejection.objects.filter(face__in=snapshots).values_list(
        "pk", "face_id", "person_id"
    ):
        now[face_pk][person] = pk
    surplus = [
        pk for face_pk, rows in now.items() for person, pk in rows.items() if person not in then[face_pk]
    ]
    Rejection.objects.filter(pk__in=surplus).delete()
    people = set(
        Person.objects.filter(pk__in={person for rows in then.values() for person in rows}).values_list(
            "pk", flat=True
        )
    )
    made_by = {decision for rows in then.values() for decision in rows.values()}
    decisions = set(Decision.objects.filter(pk__in=made_by).values_list("pk", flat=True))
    Rejection.objects.bulk_create(
        [
            Rejection(face_id=face_pk, person_id=person, decision_id=decision)
            for face_pk, rows in then.items()
            for person, decision in rows.items()
            if person not in now[face_pk] and person in people and decision in decisions
        ],
        batch_size=_AT_ONCE,
    )


def _to_json(row: models.Model) -> dict[str, Any]:
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()
    }


def _from_json(model: type[models.Model], values: dict[str, Any]) -> models.Model:
    """Times are read back; a field that a later version added keeps its default, one that it dropped is left out."""
    known = {field.attname: field for field in model._meta.concrete_fields if field.attname in values}
    return model(
        **{
            name: field.to_python(values[name]) if isinstance(field, models.DateTimeField) else values[name]
            for name, field in known.items()
        }
    )
