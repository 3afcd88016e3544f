"""A change of the embedder in words and figures: the same for the command, the page and the API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from recognition.models import ActiveEmbedder, DisputedFace, Face, Photo, Reembedding
from recognition.reembedding.agreement import is_worse
from recognition.reembedding.hold import is_held
from recognition.reembedding.plan import find_newest

FAILURES_SHOWN = 100


def describe_change() -> dict[str, Any]:
    """The embedder in use, and the change under way or the last one; `change` is None before the first."""
    active = ActiveEmbedder.objects.first()
    row = find_newest()
    return {
        "embedder_id": active.embedder_id if active else None,
        "change": _describe(row) if row is not None else None,
    }


def _describe(row: Reembedding) -> dict[str, Any]:
    return {
        "source": row.source,
        "target": row.target,
        "state": row.state,
        "working": is_held(row),
        "wanted": row.wanted,
        "trouble": row.trouble,
        "faces_total": row.faces_total,
        "faces_done": row.faces_done,
        "seconds": round(row.seconds, 1),
        "minutes_left": minutes_left(row),
        "started_at": row.started_at.isoformat(),
        "switched_at": row.switched_at.isoformat() if row.switched_at else None,
        "may_go_back": row.state == Reembedding.State.SWITCHED and row.forgotten_at is None,
        "worse": is_worse(row.agreement),
        "failures": list_failures(row),
        "disputed_open": DisputedFace.objects.filter(
            reembedding=row, answer=DisputedFace.Answer.NONE
        ).count(),
        "agreement": row.agreement or None,
    }


def minutes_left(row: Reembedding) -> int | None:
    """Until every face is embedded, by the pace so far; none where nothing is to come or known."""
    left = row.faces_total - row.faces_done
    if row.state != Reembedding.State.RUNNING or left <= 0 or not row.seconds or not row.faces_done:
        return None
    return round(left * row.seconds / row.faces_done / 60 + 0.5)


def list_failures(row: Reembedding) -> list[dict[str, Any]]:
    """Photos that could not be read, with their faces: those keep their names and cannot answer."""
    reasons = {int(pk): reason for pk, reason in row.failures.items()}
    shown = sorted(reasons)[:FAILURES_SHOWN]
    names = dict(Photo.objects.filter(pk__in=shown).values_list("pk", "name"))
    faces: dict[int, list[str]] = {pk: [] for pk in shown}
    for photo, face in Face.objects.filter(photo__in=shown).order_by("pk").values_list("photo", "face_id"):
        faces[photo].append(str(face))
    return [
        {"photo": pk, "name": names[pk], "reason": reasons[pk], "faces": faces[pk]}
        for pk in shown
        if pk in names
    ]


def tell_lines(facts: dict[str, Any]) -> Iterator[str]:
    """The same for a terminal."""
    yield f"Embedder in use: {facts['embedder_id'] or 'none yet'}"
    change = facts["change"]
    if change is None:
        yield "It was never changed. To change it: manage.py reembed --to NAME"
        return
    yield f"Change: {change['source']} to {change['target']}, {Reembedding.State(change['state']).label}"
    yield f"Faces embedded: {change['faces_done']:,} of {change['faces_total']:,}"
    if change["minutes_left"] is not None:
        yield f"Minutes to go, about: {change['minutes_left']:,}"
    for failure in change["failures"]:
        yield f"Photo {failure['photo']} ({failure['name']}, {len(failure['faces'])} faces): {failure['reason']}"
    report = change["agreement"]
    if not report:
        return
    labeled, machine, waiting = report["labeled"], report["machine"], report["open"]
    yield (
        f"Labeled faces, each by all others: {labeled['right_before']:,} of {labeled['compared']:,} right before, "
        f"{labeled['right_after']:,} after; the nearest person changed for {labeled['changed']:,}"
    )
    yield f"Named by FaceVault: {machine['agrees']:,} of {machine['compared']:,} would be called the same"
    yield (
        f"Open faces: of {waiting['compared']:,} looked at, {waiting['named_before']:,} would be named before, "
        f"{waiting['named_after']:,} after"
    )
    yield f"Disputed names, for people to look at: {change['disputed_open']:,} of {report['disputed']:,}"
    for side in ("before", "after"):
        one = report[side]
        lines = one["lines"]
        yield (
            f"{one['embedder_id']}: {one['dimension']} dimensions, {one['bytes'] / 1e6:,.1f} MB; automatic "
            f"{lines['automatic']:.3f}, lead {lines['margin']:.3f}, suggested from {lines['suggest']:.3f} "
            f"({'calibrated' if one['calibrated'] else 'as it came'})"
        )
