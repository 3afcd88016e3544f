"""A change of the embedder up to the point where it can be switched: every face embedded, lines fitted, differences told."""

from __future__ import annotations

from collections.abc import Callable

from recognition.crash_points import crash_point
from recognition.embedders import Embedder
from recognition.models import Reembedding
from recognition.reembedding.agreement import measure_agreement, write_disputes
from recognition.reembedding.embedding import BATCH, begin_work
from recognition.reembedding.hold import hold

_State = Reembedding.State


def prepare_switch(
    row: Reembedding,
    embedder: Embedder,
    *,
    batch: int = BATCH,
    pause: Callable[[], bool] = lambda: False,
    tell: Callable[[int], object] = lambda count: None,
) -> bool:
    """Embed every face, fit the target's lines and write the report; False where `pause` came first.

    Runs beside site and workers; killed at any point, the next run goes on. Not inside a transaction. Raises
    ReembeddingBusy, ReembeddingLost.
    """
    with hold(row) as held:
        work = begin_work(held, row, embedder, batch=batch, pause=pause, tell=tell)
        if not work.embed_missing():
            return False
        crash_point("reembed_complete")
        fit_lines(row.target)
        row.refresh_from_db()
        figures, disputes = measure_agreement(row)
        crash_point("reembed_measured")
        write_disputes(held, disputes, figures=figures)
        if row.state == _State.RUNNING:
            held.renew(state=_State.READY)
    row.refresh_from_db()
    return True


def fit_lines(embedder_id: str) -> None:
    """So that the right lines are in force from the first moment after the switch."""
    from recognition.calibration.work import calibrate

    calibrate(embedder_id)
