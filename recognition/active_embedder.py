"""Which embedder is the active one: chosen at first start, changed by a re-embedding alone; faces are written by no other."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.db import transaction

from recognition.calibration.lines import describe_calibrated
from recognition.embedders import EmbedderInfo, EmbedderUnknown
from recognition.gallery_journal import lock_gallery_state
from recognition.models import ActiveEmbedder, Embedding

if TYPE_CHECKING:
    from recognition.embedders import EmbedderChoice

_ROW = 1
_REASON_LENGTH = ActiveEmbedder._meta.get_field("reason").max_length
logger = logging.getLogger(__name__)


class NoActiveEmbedder(RuntimeError):
    """No embedder was chosen yet, so there is nothing to compare faces with."""

    def __init__(self) -> None:
        super().__init__(
            "No embedder is active yet: nothing was embedded so far. Start the worker (`manage.py run_worker`); "
            "at its first start it chooses one."
        )


class WrongEmbedder(RuntimeError):
    """A vector of one embedder met the gallery of another."""

    def __init__(self, given: str, active: str) -> None:
        super().__init__(
            f"This vector is of embedder {given!r}, the active one is {active!r}: they are never compared. Restart the "
            "process that made it, so that it takes the active embedder: `make run`, or `manage.py run_worker`."
        )


class EmbedderInUse(RuntimeError):
    """Faces are embedded already: their vectors would be worth nothing under another embedder."""

    def __init__(self, embedder_id: str, faces: int) -> None:
        super().__init__(
            f"{faces} faces are embedded by {embedder_id!r} and cannot be compared with another embedder's. To change it, "
            "run `manage.py reembed --to NAME`: it embeds every face anew beside the running site, and then switches."
        )


def get_active_embedder_id() -> str:
    """The active embedder's id; raise NoActiveEmbedder before the first start chose one."""
    embedder_id = ActiveEmbedder.objects.filter(pk=_ROW).values_list("embedder_id", flat=True).first()
    if embedder_id is None:
        raise NoActiveEmbedder
    return embedder_id


def find_active_info() -> EmbedderInfo | None:
    """The active embedder's dimension and lines in force; none before the first start, or where this version does not know it."""
    try:
        return describe_calibrated(get_active_embedder_id())
    except (NoActiveEmbedder, EmbedderUnknown):
        return None


def ensure_active_embedder(choose: Callable[[], EmbedderChoice]) -> ActiveEmbedder:
    """The row of the active embedder; made of what `choose` returns if there is none, never changed.

    `choose` may be slow, so call this outside transactions. Of several processes that start at once one wins, and the
    others take what it chose.
    """
    row = ActiveEmbedder.objects.filter(pk=_ROW).first()
    if row is not None:
        return row
    choice = choose()
    reason = choice.reason[:_REASON_LENGTH]
    row, created = ActiveEmbedder.objects.get_or_create(
        pk=_ROW, defaults={"embedder_id": choice.embedder_id, "reason": reason}
    )
    if created:
        logger.info("chose the embedder %s: %s", row.embedder_id, reason)
    return row


def change_active_embedder(choice: EmbedderChoice) -> ActiveEmbedder:
    """Replace the choice of the first start; raise EmbedderInUse once a face is embedded by it."""
    with transaction.atomic():
        # A photo that is being written holds the same lock: its embeddings are counted, or it sees the new choice.
        lock_gallery_state()
        row = ActiveEmbedder.objects.filter(pk=_ROW).first()
        if row is not None and row.embedder_id != choice.embedder_id:
            embedded = Embedding.objects.filter(embedder_id=row.embedder_id).count()
            if embedded:
                raise EmbedderInUse(row.embedder_id, embedded)
        row, _ = ActiveEmbedder.objects.update_or_create(
            pk=_ROW, defaults={"embedder_id": choice.embedder_id, "reason": choice.reason[:_REASON_LENGTH]}
        )
    logger.info("changed the embedder to %s: %s", row.embedder_id, row.reason)
    return row


def require_active(embedder_id: str) -> None:
    """Raise WrongEmbedder unless this embedder is the active one, NoActiveEmbedder if none is."""
    active = get_active_embedder_id()
    if embedder_id != active:
        raise WrongEmbedder(embedder_id, active)
