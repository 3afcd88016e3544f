"""System checks: the embedder in use and why, stored embeddings it cannot use, SQLite's version, the formats of photos."""

from __future__ import annotations

import importlib.util
import io
import sqlite3
import sys
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Warning, register
from django.db import DatabaseError, connection

# The first SQLite without the WAL-reset race that can lose committed pages.
SAFE_SQLITE = (3, 51, 3)


@register
def check_embedder(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The active embedder, told by `manage.py check` alone: every other command would repeat it."""
    from recognition.embedders import EmbedderUnknown, choose_embedder, describe_embedder
    from recognition.models import ActiveEmbedder, Embedding

    if "check" not in sys.argv[1:2]:
        return []
    try:
        active = ActiveEmbedder.objects.filter(pk=1).first()
        foreign = (
            Embedding.objects.made_here().exclude(embedder_id__in=_used(active.embedder_id)).count()
            if active is not None
            else 0
        )
    except DatabaseError as error:
        return [
            Info(f"No embedder is known yet: {error}", hint="Run manage.py migrate.", id="recognition.I002")
        ]
    if active is None:
        choice = choose_embedder()
        return [
            Info(
                f"The first start will choose the embedder {choice.embedder_id}: {choice.reason}",
                id="recognition.I002",
            )
        ]
    found: list[CheckMessage] = [
        Info(f"The embedder is {active.embedder_id}: {active.reason}", id="recognition.I001")
    ]
    try:
        describe_embedder(active.embedder_id)
    except EmbedderUnknown as error:
        found.append(
            Error(
                f"The database's embedder cannot be used: {error}",
                hint="Set FACEVAULT_WEIGHTS and FACEVAULT_WEIGHTS_SHA256 to the weights it was made with.",
                id="recognition.E001",
            )
        )
    if foreign:
        found.append(
            Warning(
                f"{foreign} embeddings were made by another embedder; they take no part in any search.",
                hint="`manage.py reembed --forget` removes them.",
                id="recognition.W001",
            )
        )
    return found


def _used(active: str) -> set[str]:
    """The active embedder, and the other one of a change that is under way or can be taken back."""
    from recognition.models import Reembedding

    open_or_newest = Reembedding.objects.exclude(state=Reembedding.State.CANCELLED).filter(forgotten_at=None)
    newest = open_or_newest.order_by("-pk").values_list("source", "target").first()
    return {active, *(newest or ())}


@register
def check_sqlite(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if connection.vendor != "sqlite" or sqlite3.sqlite_version_info >= SAFE_SQLITE:
        return []
    return [
        Error(
            f"SQLite {sqlite3.sqlite_version} can lose committed writes under load.",
            hint="Install the requirements again: pysqlite3 brings a newer one.",
            id="recognition.E002",
        )
    ]


@register
def check_pillow(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Really write and read each format: a broken build must fail at start, not at the first upload."""
    from PIL import Image

    found: list[CheckMessage] = []
    for name in ("JPEG", "PNG", "WEBP"):
        buffer = io.BytesIO()
        try:
            Image.new("RGB", (16, 16), "teal").save(buffer, name)
            Image.open(buffer, formats=[name]).load()
        except (OSError, KeyError) as error:
            found.append(
                Error(
                    f"Pillow cannot handle {name}: {error}",
                    hint="Install the requirements again.",
                    id="recognition.E003",
                )
            )
    return found


@register
def check_heic(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """HEIC that is switched on must work: at the first upload it would be too late to say what is missing."""
    if not settings.FACEVAULT_HEIC:
        return []
    try:
        import pillow_heif

        decoders = pillow_heif.libheif_info()["decoders"]
    except ImportError as error:
        problem = f"pillow-heif cannot be used ({error})"
    else:
        if decoders:
            return []
        problem = "pillow-heif was built without a decoder"
    return [
        Error(
            f"FACEVAULT_HEIC is on, but {problem}.",
            hint="Run pip install -r requirements-heic.txt, or set FACEVAULT_HEIC=no.",
            id="recognition.E004",
        )
    ]


@register
def check_looks(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Search by look that is switched on: what it needs is there, and `manage.py check` says how it compares."""
    from recognition.looks._mediapipe import PoseUnavailable
    from recognition.looks.plan import read_plan

    if not settings.FACEVAULT_LOOK_SEARCH:
        return []
    found: list[CheckMessage] = []
    if settings.FACEVAULT_POSE_WEIGHT + settings.FACEVAULT_COLOR_WEIGHT <= 0:
        found.append(
            Error(
                "FACEVAULT_POSE_WEIGHT and FACEVAULT_COLOR_WEIGHT are both 0: nothing would count.",
                hint="Set one of them above 0.",
                id="recognition.E006",
            )
        )
    try:
        plan = read_plan()
    except PoseUnavailable as error:
        return [*found, Error(str(error), id="recognition.E005")]
    if plan.has_pose and importlib.util.find_spec("mediapipe") is None:
        hint = "Run pip install -r requirements-pose.txt, or leave FACEVAULT_POSE_MODEL empty to search by color alone."
        found.append(
            Error("FACEVAULT_POSE_MODEL is set, but MediaPipe is missing.", hint=hint, id="recognition.E005")
        )
    if "check" in sys.argv[1:2]:
        words = "by pose and color" if plan.has_pose else "by color alone: FACEVAULT_POSE_MODEL is empty"
        found.append(Info(f"Search by look is on, {words} ({plan.descriptor_id}).", id="recognition.I003"))
    return found
