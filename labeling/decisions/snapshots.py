"""What faces' rows were before a decision, as JSON of ids and numbers, and how to put them back exactly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone

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


def differs(then: Snapshot, now: Snapshot, *, grouped: bool) -> bool:
    """Whether people decided about the face between the two; what the machine or the queue did in between is no decision.

    With `grouped` its cluster counts too.
    """
    return _decided(then) != _decided(now) or (grouped and _cluster_of(then) != _cluster_of(now))


def restore_snapshots(snapshots: Mapping[int, Snapshot], *, grouped: bool) -> None:
    """Make the faces' rows what they were, primary keys and times included; their place in a cluster only if `grouped`.

    Who decided then is nobody any more if that account was deleted since. Belongs into a transaction. Raises
    CannotRestore where the person of then is gone.
    """
    _check_people(snapshots.values())
    if grouped:
        _put_clusters_back(snapshots)
    for name, model in _ROWS.items():
        if model is ClusterMember and not grouped:
            continue
        model._default_manager.filter(face__in=snapshots).delete()
        rows = [_from_json(model, values) for one in snapshots.values() if (values := one.get(name))]
        if model is Sighting:
            _forget_accounts(rows)
        model._default_manager.bulk_create(rows, batch_size=_AT_ONCE)
    _put_rejections_back(snapshots)
    if grouped:
        _part_photos(snapshots)


def _decided(snapshot: Snapshot) -> tuple[object, ...]:
    sighting, entry = snapshot.get("sighting"), snapshot.get("unlabeled")
    name, verdict = None, ""
    if sighting is None:
        verdict = entry["verdict"] if entry is not None and entry["reviewed"] else ""
    elif sighting["decided_by"] == Sighting.DecidedBy.HUMAN:
        name = (sighting["person_id"], sighting["is_reference"])
    return name, verdict, sorted(person for person, _ in snapshot.get("rejections", []))


def _cluster_of(snapshot: Snapshot) -> int | None:
    member = snapshot.get("member")
    return member["cluster_id"] if member else None


def _part_photos(snapshots: Mapping[int, Snapshot]) -> None:
    """Two faces of one photo are never in one cluster: whoever joined in the meantime makes room for who comes back."""
    back = ClusterMember.objects.filter(face__in=snapshots).values_list("cluster", "face__photo")
    places = set(back)
    joined = ClusterMember.objects.filter(
        cluster__in={cluster for cluster, _ in places}, face__photo__in={photo for _, photo in places}
    ).exclude(face__in=snapshots)
    surplus = [
        pk for pk, *place in joined.values_list("pk", "cluster", "face__photo") if tuple(place) in places
    ]
    ClusterMember.objects.filter(pk__in=surplus).delete()


def _check_people(snapshots: Iterable[Snapshot]) -> None:
    wanted = {one["sighting"]["person_id"] for one in snapshots if one.get("sighting")}
    there = dict(Person.objects.filter(pk__in=wanted).values_list("pk", "merged_into"))
    if wanted - there.keys():
        raise CannotRestore("The person whose name would come back is gone.")
    if any(there.values()):
        raise CannotRestore("The person whose name would come back was merged. Undo the merge first.")


def _put_clusters_back(snapshots: Mapping[int, Snapshot]) -> None:
    """A cluster that is gone comes back under its number, as one that somebody has seen: they decided about it."""
    wanted = {one["member"]["cluster_id"]: face_pk for face_pk, one in snapshots.items() if one.get("member")}
    gone = wanted.keys() - set(Cluster.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    events = dict(Face.objects.filter(pk__in=[wanted[pk] for pk in gone]).values_list("pk", "photo__event"))
    Cluster.objects.bulk_create(
        Cluster(pk=pk, event_id=events[wanted[pk]], seen_at=timezone.now()) for pk in sorted(gone)
    )


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
