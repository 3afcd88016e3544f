"""Following faces from frame to frame: which of them are one appearance of somebody, and which crop of it is best. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from recognition.geometry import Box
from recognition.videos.appearances import Appearance, Likeness, SeenFace, SeenFrame

# Who is not seen for so long has left; a shorter gap is somebody walking past before them, or a look aside.
GAP_MS = 1000
# Two appearances of one face within so long are one: a camera that cuts away and back, a longer talk with the back turned.
REJOIN_MS = 10_000
# Where a face may be, in its own sizes from where it is expected: more the longer it was not seen.
_REACH, _REACH_PER_SECOND = 0.6, 1.5
_LEAST_NEARNESS, _NEAR = 0.1, 0.3
# Who is surely the same may have run: so many of their sizes within a second, and some for the first step.
_RUN, _RUN_PER_SECOND = 1.0, 10.0
# Who comes back to nearly the same place has only looked aside, if it was not long.
_SAME_PLACE, _LOOKED_ASIDE_MS = 2.0, 4000
# A walk is steady for about so long; after that the last place is the better guess.
_STEADY_MS = 500
# A face does not double its size between two looks.
_LEAST_RATIO = 0.5
# What another face within a quarter of the box takes off the worth of a crop.
_BESIDE, _CROWDED = 0.25, 0.6


def follow_faces(frames: Iterable[SeenFrame], likeness: Likeness) -> list[Appearance]:
    """The appearances in these frames, given in their order; the earliest first."""
    open_tracks: list[_Track] = []
    ended: list[_Track] = []
    for frame in frames:
        gone = [track for track in open_tracks if frame.at_ms - track.last_ms > GAP_MS]
        ended += gone
        open_tracks = [track for track in open_tracks if track not in gone]
        pairs = _pair(open_tracks, frame, likeness)
        for place, face in enumerate(frame.faces):
            if place in pairs:
                open_tracks[pairs[place]].add(frame, face)
            else:
                open_tracks.append(_Track(frame, face))
    tracks = _join([*ended, *open_tracks], likeness)
    return [track.appearance() for track in sorted(tracks, key=lambda track: track.order)]


class _Track:
    """A face that is followed: where it was last, how it moves, what it looks like on the whole."""

    def __init__(self, frame: SeenFrame, face: SeenFace) -> None:
        self.spans = [(frame.at_ms, frame.at_ms)]
        self.frames = 1
        self.best, self.best_frame, self.best_worth = face, frame, _worth(frame, face)
        self.first, self.last = face, face
        self.velocity = np.zeros(2)  # pixels per millisecond
        self.total = face.vector.astype(np.float64) * _weight(face)
        self.order = (frame.at_ms, face.box.left, face.box.top)

    @property
    def first_ms(self) -> int:
        return self.spans[0][0]

    @property
    def last_ms(self) -> int:
        return self.spans[-1][1]

    def add(self, frame: SeenFrame, face: SeenFace) -> None:
        passed = max(1, frame.at_ms - self.last_ms)
        self.velocity = (_middle(face.box) - _middle(self.last.box)) / passed
        self.spans[-1] = (self.spans[-1][0], frame.at_ms)
        self.frames += 1
        self.last = face
        self.total += face.vector * _weight(face)
        if (worth := _worth(frame, face)) > self.best_worth:
            self.best, self.best_frame, self.best_worth = face, frame, worth

    def affinity(self, frame: SeenFrame, face: SeenFace, likeness: Likeness) -> float:
        """How well the face goes on with this track; 0 where it does not."""
        near, alike = self._nearness(frame, face), self._similarity(face)
        passed = frame.at_ms - self.last_ms
        # The further away, and the longer ago, the more the face itself must say that it is the same.
        needed = likeness.other + (likeness.alike - likeness.other) * max(1 - near / _NEAR, passed / GAP_MS)
        walked = near >= _LEAST_NEARNESS and alike >= needed
        ran = alike >= likeness.same and self._away(face) <= _RUN + _RUN_PER_SECOND * passed / 1000
        return near + max(0.0, alike) if walked or ran else 0.0

    def _away(self, face: SeenFace) -> float:
        """From its last place, in sizes of the larger of the two; infinite where the sizes do not fit."""
        sizes = sorted((_side(self.last.box), _side(face.box)))
        if sizes[0] < _LEAST_RATIO * sizes[1]:
            return math.inf
        return float(np.linalg.norm(_middle(face.box) - _middle(self.last.box))) / sizes[1]

    def _nearness(self, frame: SeenFrame, face: SeenFace) -> float:
        """0..1, how near the face is to where this one is expected."""
        passed = frame.at_ms - self.last_ms
        sizes = sorted((_side(self.last.box), _side(face.box)))
        if sizes[0] < _LEAST_RATIO * sizes[1]:
            return 0.0
        steps = [0.0, float(min(passed, _STEADY_MS))]
        # Who stops is where they were, who walks on is ahead of it.
        expected = [_middle(self.last.box) + self.velocity * step for step in steps]
        away = min(float(np.linalg.norm(_middle(face.box) - place)) for place in expected) / sizes[1]
        return float(np.exp(-((away / (_REACH + _REACH_PER_SECOND * passed / 1000)) ** 2)))

    def _similarity(self, face: SeenFace) -> float:
        """To the face as it was last, or on the whole: a head that turns changes step by step."""
        return max(float(self.last.vector @ face.vector), float(_unit(self.total) @ face.vector))

    def stays_at(self, later: _Track) -> bool:
        """Whether the later one begins where this one ended."""
        return self.last_ms < later.first_ms and self._away(later.first) <= _SAME_PLACE

    def take_in(self, other: _Track) -> None:
        if other.last_ms > self.last_ms:
            self.last = other.last
        if other.first_ms < self.first_ms:
            self.first = other.first
        self.spans = sorted([*self.spans, *other.spans])
        self.frames += other.frames
        self.total += other.total
        self.order = min(self.order, other.order)
        if other.best_worth > self.best_worth:
            self.best, self.best_frame, self.best_worth = other.best, other.best_frame, other.best_worth

    def away_from(self, other: _Track) -> int | None:
        """The shortest pause between the two in milliseconds; none where both are there at one time."""
        pauses = []
        for first, last in self.spans:
            for begin, end in other.spans:
                if first <= end and begin <= last:
                    return None
                pauses.append(begin - last if begin > last else first - end)
        return min(pauses)

    def appearance(self) -> Appearance:
        return Appearance(
            best=self.best,
            number=self.best_frame.number,
            at_ms=self.best_frame.at_ms,
            first_ms=self.first_ms,
            last_ms=self.last_ms,
            frames=self.frames,
        )


def _pair(tracks: Sequence[_Track], frame: SeenFrame, likeness: Likeness) -> dict[int, int]:
    """From places among the frame's faces to places among the tracks: the best way for all of them together."""
    if not tracks or not frame.faces:
        return {}
    # Here and not above: pages import this room and never follow anybody.
    from scipy.optimize import linear_sum_assignment

    values = np.zeros((len(tracks), len(frame.faces)))
    for row, track in enumerate(tracks):
        for column, face in enumerate(frame.faces):
            values[row, column] = track.affinity(frame, face, likeness)
    rows, columns = linear_sum_assignment(values, maximize=True)
    return {
        int(column): int(row) for row, column in zip(rows, columns, strict=True) if values[row, column] > 0
    }


def _join(tracks: list[_Track], likeness: Likeness) -> list[_Track]:
    """Make one of the pieces of a broken track: the same face surely, soon after, and never at one time. The closest first."""
    tracks = sorted(tracks, key=lambda track: track.order)
    candidates = []
    for place, one in enumerate(tracks):
        for other in range(place + 1, len(tracks)):
            if tracks[other].first_ms - one.last_ms > REJOIN_MS:
                break
            if (alike := _joined_likeness(one, tracks[other], likeness)) is not None:
                candidates.append((alike, place, other))
    kept = list(range(len(tracks)))
    for _, one_place, other_place in sorted(candidates, key=lambda found: (-found[0], found[1], found[2])):
        first, second = sorted((_kept(kept, one_place), _kept(kept, other_place)))
        if first == second:
            continue
        # Each may have grown since.
        if _joined_likeness(tracks[first], tracks[second], likeness) is not None:
            tracks[first].take_in(tracks[second])
            kept[second] = first
    return [track for place, track in enumerate(tracks) if kept[place] == place]


def _joined_likeness(one: _Track, other: _Track, likeness: Likeness) -> float | None:
    """How alike two pieces of one appearance are; none if they are none."""
    pause = one.away_from(other)
    if pause is None or pause > REJOIN_MS:
        return None
    earlier, later = (one, other) if one.last_ms < other.first_ms else (other, one)
    aside = pause <= _LOOKED_ASIDE_MS and earlier.stays_at(later)
    alike = float(_unit(one.total) @ _unit(other.total))
    return alike if alike >= (likeness.alike if aside else likeness.same) else None


def _kept(kept: Sequence[int], place: int) -> int:
    while kept[place] != place:
        place = kept[place]
    return place


def _worth(frame: SeenFrame, face: SeenFace) -> float:
    """A face with another one right before or beside it may be half hidden."""
    around = face.box.padded(_BESIDE)
    crowded = any(other is not face and around.iou(other.box) > 0 for other in frame.faces)
    return face.worth * (_CROWDED if crowded else 1.0)


def _weight(face: SeenFace) -> float:
    return 0.05 + face.worth


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    unit: NDArray[np.float64] = vector / max(float(np.linalg.norm(vector)), 1e-12)
    return unit


def _middle(box: Box) -> NDArray[np.float64]:
    return np.array([(box.left + box.right) / 2, (box.top + box.bottom) / 2])


def _side(box: Box) -> float:
    return (box.width + box.height) / 2
