"""A demo vault's queue, tended as a worker does it: its clusters and looks are the real ones."""

from __future__ import annotations

import time
from dataclasses import dataclass

from labeling.clusters.tending import is_tending_due, tend_queue
from labeling.models import Cluster
from recognition.models import UnlabeledFace

# A worker of this installation may be at it already; then it is waited for.
_SECONDS_BETWEEN_LOOKS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoQueue:
    clusters: int
    waiting: int


def write_demo_clusters() -> DemoQueue:
    """Group the open faces and look at each; returns when nothing is left to do. Not inside a transaction."""
    while is_tending_due():
        tend_queue()
        if is_tending_due():
            time.sleep(_SECONDS_BETWEEN_LOOKS)
    return DemoQueue(
        clusters=Cluster.objects.filter(open_count__gt=1).count(),
        waiting=UnlabeledFace.objects.open().count(),
    )
