"""The switch to another embedder and the way back: one transaction, once nothing is missing."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from recognition.active_embedder import get_active_embedder_id
from recognition.crash_points import crash_point
from recognition.embedders import Embedder, get_embedder
from recognition.gallery_journal import touch_gallery
from recognition.models import ActiveEmbedder, Reembedding
from recognition.reembedding.embedding import BATCH, begin_work
from recognition.reembedding.errors import ReembeddingRefused
from recognition.reembedding.hold import Hold, hold
from recognition.reembedding.missing import missing_faces
from recognition.reembedding.plan import find_newest
from recognition.signals import embedder_switched

logger = logging.getLogger(__name__)
_State = Reembedding.State
# Photos come in between the last look and the lock; each round embeds what came, so few always suffice.
_ROUNDS = 50


def switch_embedder(
    row: Reembedding,
    *,
    batch: int = BATCH,
    pause: Callable[[], bool] = lambda: False,
    tell: Callable[[int], object] = lambda count: None,
) -> bool:
    """Embed what came since, then make the target the active one; False where `pause` came first.

    Not inside a transaction. Raises ReembeddingRefused, ReembeddingLost, and what loading the embedder raises.
    """
    if row.state != _State.READY:
        raise ReembeddingRefused("There is no change of the embedder that is ready to switch.")
    return _catch_up_and_switch(row, get_embedder(row.target), _State.SWITCHED, batch, pause, tell)


def switch_back(
    row: Reembedding,
    *,
    batch: int = BATCH,
    pause: Callable[[], bool] = lambda: False,
    tell: Callable[[int], object] = lambda count: None,
) -> bool:
    """The way back: the old embedder embeds what came since, then it is the active one again. Raises as `switch_embedder`."""
    check_way_back(row)
    return _catch_up_and_switch(row, get_embedder(row.source), _State.RETURNED, batch, pause, tell)


def check_way_back(row: Reembedding) -> None:
    """Raise ReembeddingRefused unless the old embedder can become the active one again."""
    newest = find_newest()
    if row.state != _State.SWITCHED or newest is None or newest.pk != row.pk:
        raise ReembeddingRefused("There is no change of the embedder that could be taken back.")
    if row.forgotten_at is not None:
        raise ReembeddingRefused(
            f"The embeddings of {row.source} were removed. To use it again: `manage.py reembed --to {row.source}`."
        )


def try_switch(row: Reembedding, *, to_target: bool) -> bool:
    """Switch now, without loading any net; False where faces are missing first. Not inside a transaction.

    Raises ReembeddingRefused, ReembeddingBusy.
    """
    if not to_target:
        check_way_back(row)
    elif row.state != _State.READY:
        raise ReembeddingRefused("There is no change of the embedder that is ready to switch.")
    with hold(row) as held:
        state = _State.SWITCHED if to_target else _State.RETURNED
        return _switch_if_complete(held, row, row.target if to_target else row.source, state, row.failures)


def _catch_up_and_switch(
    row: Reembedding,
    embedder: Embedder,
    state: Reembedding.State,
    batch: int,
    pause: Callable[[], bool],
    tell: Callable[[int], object],
) -> bool:
    with hold(row) as held:
        work = begin_work(held, row, embedder, batch=batch, pause=pause, tell=tell)
        for _ in range(_ROUNDS):
            if not work.embed_missing():
                return False
            if _switch_if_complete(held, row, embedder.embedder_id, state, work.failures):
                return True
    raise ReembeddingRefused(
        "New photos came faster than they could be embedded. Try again when it is quieter."
    )


def _switch_if_complete(
    held: Hold, row: Reembedding, embedder_id: str, state: Reembedding.State, failures: dict[str, str]
) -> bool:
    """One transaction: is nothing missing, the other embedder is the active one from here on, and nothing else changes."""
    failed = [int(pk) for pk in failures]
    if missing_faces(embedder_id, failed=failed).exists():
        return False
    with transaction.atomic():
        # Whoever is about to write faces by the old one waits, sees another version, and begins anew. No new epoch: the
        # index of the embedder that takes over has pulled or journaled all of it, so nobody waits for a rebuild.
        touch_gallery([])
        if missing_faces(embedder_id, failed=failed).exists():
            return False
        was = get_active_embedder_id()
        now = timezone.now()
        held.renew(state=state, switched_at=now, wanted=Reembedding.Wanted.NONE)
        ActiveEmbedder.objects.update(
            embedder_id=embedder_id, reason=f"Changed by an administrator, from {was}.", chosen_at=now
        )
        embedder_switched.send(Reembedding, source=was, target=embedder_id)
        crash_point("before_switch_commit")
    crash_point("after_switch_commit")
    logger.info("switched from %s to %s", was, embedder_id)
    row.state = state
    return True
