"""What this installation holds, in numbers: for `manage.py stats`, pages and monitoring."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db.models import Count, Q

from recognition.calibration.lines import describe_calibrated, newest_calibration
from recognition.gallery_index import get_gallery_index
from recognition.looks.describing import count_looks
from recognition.looks.plan import is_look_search_on
from recognition.models import ActiveEmbedder, Embedding, Event, Face, Person, Photo, Sighting, UnlabeledFace


def stats() -> dict[str, Any]:
    """Counts of rows and the state of this process's index, ready for JSON; never a name.

    Loads the index if this process has not done so (not inside a transaction), and does not pull: `fresh` says whether
    something was committed since the last pull. Before an embedder is chosen `embedder` and `index` are None.
    """
    by_state = dict(Photo.objects.order_by().values_list("state").annotate(Count("pk")))
    by_decider = dict(Sighting.objects.order_by().values_list("decided_by").annotate(Count("pk")))
    queue = UnlabeledFace.objects.aggregate(total=Count("pk"), open=Count("pk", filter=Q(reviewed=False)))
    active = ActiveEmbedder.objects.first()
    return {
        "events": Event.objects.count(),
        "photos": {state: by_state.get(state, 0) for state in Photo.State.values}
        | {"total": sum(by_state.values())},
        "faces": Face.objects.count(),
        "people": Person.objects.current().count(),
        "sightings": {who: by_decider.get(who, 0) for who in Sighting.DecidedBy.values}
        | {
            "total": sum(by_decider.values()),
            "references": Sighting.objects.filter(is_reference=True).count(),
        },
        "unlabeled": queue,
        "embeddings": dict(Embedding.objects.order_by().values_list("embedder_id").annotate(Count("pk"))),
        "embedder": {"embedder_id": active.embedder_id, "reason": active.reason} if active else None,
        "lines": _lines(active.embedder_id) if active else None,
        "index": index_stats() if active else None,
        "looks": look_stats(),
    }


def _lines(embedder_id: str) -> dict[str, Any]:
    """From which score FaceVault names, and by how many people that was fitted; None where it is as the embedder came."""
    calibration = newest_calibration(embedder_id)
    return {
        **asdict(describe_calibrated(embedder_id).thresholds),
        "fitted_to_people": calibration.enrolled if calibration else None,
    }


def look_stats() -> dict[str, Any] | None:
    """How many photos were looked at; None where search by look is off."""
    return count_looks() if is_look_search_on() else None


def index_stats() -> dict[str, Any]:
    """Of this process's index, which is loaded if it was not; there must be an active embedder."""
    facts = asdict(get_gallery_index().status())
    return {
        **{
            name: facts[name]
            for name in ("kind", "count", "dimension", "nlist", "nprobe", "version", "fresh")
        },
        "epoch": str(facts["epoch"]),
        "loaded_seconds": round(facts["loaded_seconds"], 3),
        "skipped": sorted(facts["skipped"]),
    }
