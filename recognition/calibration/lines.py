"""The lines in force: the newest calibration's, or those that the embedder came with."""

from __future__ import annotations

from dataclasses import replace

from recognition.embedders import EmbedderInfo, Thresholds, describe_embedder
from recognition.models import Calibration


def newest_calibration(embedder_id: str) -> Calibration | None:
    return Calibration.objects.filter(embedder_id=embedder_id).order_by("-pk").first()


def lines_in_force(embedder_id: str) -> Thresholds | None:
    """The calibrated lines of an embedder; none before its first calibration."""
    row = (
        Calibration.objects.filter(embedder_id=embedder_id)
        .order_by("-pk")
        .values_list("automatic", "margin", "suggest", "strict")
        .first()
    )
    if row is None:
        return None
    automatic, margin, suggest, strict = row
    return Thresholds(automatic=automatic, margin=margin, suggest=suggest, strict=strict)


def describe_calibrated(embedder_id: str) -> EmbedderInfo:
    """An embedder with this installation's lines; raise EmbedderUnknown."""
    return replace(describe_embedder(embedder_id), calibrated=lines_in_force(embedder_id))
