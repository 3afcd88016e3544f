"""Which faces of a demo vault are on one photo, and at which event: all of a stranger who was seen more than once at one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from heapq import heapify, heapreplace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from recognition.demo.plan import GROUPS, Plan, Role, group_faces

# A vault has up to so many events with one photo of each cast; then the events grow until they have so many turns.
_EVENTS, _TURNS = 40, 8
# A stranger with more faces goes to several events: every further turn is a picture to draw.
_MOST_TURNS = 24
# Steps of the golden ratio around a circle: wherever they end, they have been everywhere.
_GOLDEN = 0.618034


def seat_freely(plan: Plan, *, photos_per_event: int) -> Plan:
    """The same faces at events, every photo with people of its own."""
    order = [face for photo in plan.photos for face in photo]
    count = ceil(len(plan.photos) / photos_per_event)
    if count <= 1:
        return plan
    rooms = [len(order) // count + (event < len(order) % count) for event in range(count)]
    # Where in its event a face comes, 0..1: a stranger's are spread over it, so that hardly any two meet.
    seats: list[list[tuple[float, int]]] = [[] for _ in range(count)]
    for piece in _pieces(plan, most=photos_per_event * 2 // 3):
        event = max(range(count), key=rooms.__getitem__)
        rooms[event] -= len(piece)
        first = (int(plan.identities[piece[0]]) * _GOLDEN) % 1
        seats[event] += [((number + first) / len(piece), face) for number, face in enumerate(piece)]
    others = iter([face for face in order if plan.roles[face] != Role.CLUSTERED])
    for event, room in enumerate(rooms):
        seats[event] += [
            ((number + 0.5) / room, face) for number, face in zip(range(room), others, strict=False)
        ]
    photos = [group_faces([face for _, face in sorted(event)], plan.identities) for event in seats]
    return replace(
        plan,
        photos=[photo for event in photos for photo in event],
        events=[number for number, event in enumerate(photos) for _ in event],
    )


def seat_casts(plan: Plan, casts: int) -> Plan:
    """The same faces on photos of a few casts who always stand together, so that a few pictures show all of them.

    A cast is three to eight looks. People share looks as evenly as they can: then nearly every photo has a whole cast. An
    even look is for even identities, an odd one for odd ones.
    """
    cast_of = np.repeat(np.arange(casts), [GROUPS[cast % len(GROUPS)] for cast in range(casts)])
    looks = _even_looks(plan.identities, len(cast_of))
    loads = np.bincount(looks, minlength=len(cast_of))
    members = [np.flatnonzero(cast_of == cast) for cast in range(casts)]
    # A look is on a photo once, so whoever has most faces says how many photos there are of a cast.
    photos = [int(loads[cast].max()) for cast in members]
    turns = min(_TURNS, max(1, sum(photos) // casts // _EVENTS))
    count = ceil(sum(photos) / casts / turns)
    tables = [
        _Table(looks=cast.tolist(), photos=number, events=count)
        for cast, number in zip(members, photos, strict=True)
    ]
    for piece in _pieces(plan, most=_MOST_TURNS):
        look, first = int(looks[piece[0]]), int((int(plan.identities[piece[0]]) * _GOLDEN) % 1 * count)
        tables[cast_of[look]].seat_together(look, piece, first=first)
    others: defaultdict[int, list[int]] = defaultdict(list)
    for face in (face for photo in plan.photos for face in photo):
        if plan.roles[face] != Role.CLUSTERED:
            others[int(looks[face])].append(face)
    for look, faces in others.items():
        tables[cast_of[look]].seat_rest(look, faces)
    # The casts take turns at an event.
    seated = sorted(
        (event, turn, cast, group)
        for cast, table in enumerate(tables)
        for event, turn, group in table.photos()
    )
    _, events = np.unique([event for event, *_ in seated], return_inverse=True)
    return replace(plan, looks=looks, photos=[group for *_, group in seated], events=events.tolist())


class _Table:
    """The photos of one cast: each look is at an event on no more of them than the event has room for."""

    def __init__(self, *, looks: list[int], photos: int, events: int) -> None:
        self._rooms = [photos * (event + 1) // events - photos * event // events for event in range(events)]
        self._seats: dict[int, list[list[int]]] = {look: [[] for _ in range(events)] for look in looks}

    def seat_together(self, look: int, faces: list[int], *, first: int) -> None:
        """At one event: the first one from `first` on that has room, or is given it at the cost of others."""
        seats, count = self._seats[look], len(self._rooms)
        events = [(first + step) % count for step in range(count)]
        found = next((e for e in events if self._rooms[e] - len(seats[e]) >= len(faces)), None)
        if found is None:
            found = max(events, key=lambda event: self._rooms[event] - len(seats[event]))
            wanted = len(seats[found]) + len(faces)
            for _ in range(wanted - self._rooms[found]):
                self._take_room(events, spare=found)
            self._rooms[found] = wanted
        seats[found] += faces

    def seat_rest(self, look: int, faces: list[int]) -> None:
        """Wherever there is room. The photos without this look are spread, as those of its companions: so they are alike."""
        waiting = iter(faces)
        free = [room - len(seats) for room, seats in zip(self._rooms, self._seats[look], strict=True)]
        spare, count, owed = sum(free) - len(faces), len(free), 0
        for event, seats in enumerate(self._seats[look]):
            owed += spare * (event + 1) // count - spare * event // count
            left = min(owed, free[event])
            owed -= left
            seats += [face for _, face in zip(range(free[event] - left), waiting, strict=False)]

    def photos(self) -> Iterator[tuple[int, float, list[int]]]:
        """Each one's event, when in it (0..1), and its faces."""
        for event in range(len(self._rooms)):
            here = [sorted(seats[event], key=_shuffled) for seats in self._seats.values()]
            most = max(len(faces) for faces in here)
            for turn in range(most):
                yield event, (turn + 0.5) / most, [faces[turn] for faces in here if turn < len(faces)]

    def _take_room(self, events: list[int], *, spare: int) -> None:
        free = [event for event in events if event != spare and self._rooms[event] > self._used(event)]
        if free:
            self._rooms[max(free, key=self._rooms.__getitem__)] -= 1

    def _used(self, event: int) -> int:
        return max(len(seats[event]) for seats in self._seats.values())


def _pieces(plan: Plan, *, most: int) -> list[list[int]]:
    """The faces of each clustered stranger, the largest first; even parts of those who have more than `most`."""
    faces_of: defaultdict[int, list[int]] = defaultdict(list)
    for face in np.flatnonzero(plan.roles == Role.CLUSTERED).tolist():
        faces_of[int(plan.identities[face])].append(face)
    pieces = [
        part.tolist()
        for faces in faces_of.values()
        for part in np.array_split(np.array(faces), ceil(len(faces) / most))
    ]
    return sorted(pieces, key=len, reverse=True)


def _shuffled(face: int) -> float:
    """Faces are numbered by who they are; an event mixes them."""
    return (face * _GOLDEN) % 1


def _even_looks(identities: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """A look for each face (n,): whoever has most faces first, each takes the look that has fewest."""
    faces = np.bincount(identities)
    look_of = np.zeros(len(faces), dtype=np.int64)
    for parity in (0, 1):
        loads = [(0, look) for look in range(parity, count, 2)]
        heapify(loads)
        mine = np.arange(parity, len(faces), 2)
        for identity in mine[np.argsort(-faces[mine], kind="stable")]:
            load, look = loads[0]
            heapreplace(loads, (load + int(faces[identity]), look))
            look_of[identity] = look
    return look_of[identities]
