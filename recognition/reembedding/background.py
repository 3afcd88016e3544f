"""What a page asks for and a worker does, a slice at a time behind everything else: the row says what is wanted."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.db import transaction

from recognition.embedders import EmbedderUnknown, WeightsMissing, WeightsRefused, get_embedder
from recognition.leases import request_task, stopping
from recognition.models import Reembedding
from recognition.photos.manual_boxes import is_box_waiting
from recognition.probes import is_search_waiting
from recognition.reembedding.errors import ReembeddingBusy, ReembeddingLost, ReembeddingRefused
from recognition.reembedding.hold import is_held
from recognition.reembedding.plan import find_newest
from recognition.reembedding.running import prepare_switch
from recognition.reembedding.switching import switch_back, switch_embedder

logger = logging.getLogger(__name__)
Wanted = Reembedding.Wanted
# So long at a time: photos that were uploaded meanwhile get their turn between two slices.
_SLICE_SECONDS = 10.0


def ask_for(row: Reembedding, wanted: Reembedding.Wanted) -> None:
    """Have a worker do this about the change."""
    with transaction.atomic():
        Reembedding.objects.filter(pk=row.pk).update(wanted=wanted, trouble="")
        request_work()


def request_work() -> None:
    """Belongs into the transaction that gives a worker something to do."""
    from recognition.tasks import change_embedder

    request_task(change_embedder)


def sweep_change() -> None:
    """Have a worker go on with what a dead one dropped."""
    row = find_newest()
    if row is not None and row.wanted and not is_held(row):
        with transaction.atomic():
            request_work()


def go_on_changing() -> bool:
    """One slice of what is wanted; whether something is left. Not inside a transaction."""
    row = find_newest()
    if row is None or not row.wanted:
        return False
    end = time.monotonic() + _SLICE_SECONDS
    try:
        done = _do(
            row,
            lambda: time.monotonic() > end or stopping.is_set() or is_search_waiting() or is_box_waiting(),
        )
    except ReembeddingBusy:
        return False  # the sweep looks again
    except ReembeddingLost:
        return False
    except (ReembeddingRefused, EmbedderUnknown, WeightsMissing, WeightsRefused) as error:
        logger.warning("the change of the embedder cannot go on: %s", error)
        _settle(row, trouble=str(error)[:400])
        return False
    if done:
        _settle(row)
    return not done


def _do(row: Reembedding, pause: Callable[[], bool]) -> bool:
    if row.wanted == Wanted.SWITCH:
        return switch_embedder(row, pause=pause)
    if row.wanted == Wanted.RETURN:
        return switch_back(row, pause=pause)
    return prepare_switch(row, get_embedder(row.target), pause=pause)


def _settle(row: Reembedding, *, trouble: str = "") -> None:
    """Somebody may want something else by now."""
    asked = Reembedding.objects.filter(pk=row.pk, wanted=row.wanted)
    asked.update(wanted=Wanted.NONE, trouble=trouble)
