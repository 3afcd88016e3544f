"""What recognition tells whoever listens, and where the worker's other chores come from: it knows no app above it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.dispatch import Signal

# A photo was processed and some of its faces wait in the queue. Sent with `photo`, inside the transaction that wrote them.
faces_queued = Signal()
# Faces that the detector does not find any more are about to go. Sent with `face_pks`, inside the transaction that removes
# them: each receiver returns the primary keys of those that must stay, because a person decided something about them.
faces_leaving = Signal()
# The machine has named a face. Sent with `sighting`, inside the transaction that wrote it.
machine_named = Signal()
# A photo has got another event. Sent with `photo`, inside the transaction that moved it.
photo_moved = Signal()

# The lines for naming a face have moved. Sent with `old` and `new` Thresholds, inside the transaction that wrote them.
lines_moved = Signal()
# Another embedder is the active one. Sent with `source` and `target`, inside the transaction that switched.
embedder_switched = Signal()
# Somebody else is on the roster of events now. Sent with `event_pks`, inside the transaction that changed it.
roster_changed = Signal()

# Pairs of people, by primary key, of whom somebody said that they look alike and are not one.
different_people: list[Callable[[], Iterable[tuple[int, int]]]] = []

# What the worker does besides its own chores: every few seconds, and about every hour.
chores: list[Callable[[], object]] = []
cleaning_chores: list[Callable[[], object]] = []
