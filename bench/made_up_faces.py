"""Made-up faces for bench/open_set.py: people, look-alike families and bad pictures, from no model that the calibrator has.

A face is its person, plus a picture's own noise, scaled to unit length. What is true of real embedders is built in:

- people differ along few strong directions and many weak ones (a decaying spectrum), and all share a common part;
- how much a person's pictures differ is log-normal over people, and how bad a picture is, log-normal over pictures;
- a few people in a hundred belong to families of two to four who share 30 to 60 % of the variance of what makes them special,
  so that they are 0.3 to 0.6 as alike as one person's pictures: brothers and sisters up to near-twins;
- some pictures are spoiled: noisier, and pulled towards one "blur" direction, so that they are alike. Quality is seen through noise.

The numbers of BUNDLED are chosen to be like the bundled embedder on the 48 people in the photos that judged it: same person 0.84 ± 0.10 (here
0.86 ± 0.10), others 0.13 ± 0.15 (0.07 ± 0.16), the spread of people's own means 0.07 (0.07).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DIMENSION = 128
_FAMILY_SIZES, _FAMILY_CHANCES = (2, 3, 4), (0.7, 0.2, 0.1)
_SPOILED_NOISE, _SPOILED_PULL = 1.8, (0.4, 1.0)
_POOR_FROM, _SEEN_THROUGH = 1.8, 0.25

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """An embedder and the crowd before it."""

    decay: float  # of the spectrum of people
    common: float  # length of what all faces share
    same: float  # about the similarity of two pictures of one person
    spread: float  # logarithmic, over people
    quality: float  # logarithmic, over pictures
    spoiled: float  # share of pictures
    families: float  # share of people
    likeness: tuple[float, float]  # what a family shares


BUNDLED = Kind(
    decay=0.9,
    common=0.3,
    same=0.89,
    spread=0.25,
    quality=0.25,
    spoiled=0.06,
    families=0.03,
    likeness=(0.3, 0.6),
)
# Sharper, fewer families, and others far apart: its figures are wrong for BUNDLED in the dangerous direction.
SHARPER = Kind(
    decay=0.6,
    common=0.1,
    same=0.8,
    spread=0.25,
    quality=0.25,
    spoiled=0.06,
    families=0.01,
    likeness=(0.3, 0.6),
)
# Blunter, with more families: wrong in the other direction.
BLUNTER = Kind(
    decay=1.1,
    common=0.4,
    same=0.89,
    spread=0.25,
    quality=0.25,
    spoiled=0.06,
    families=0.06,
    likeness=(0.3, 0.6),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Labeled:
    """The faces that an installation has names for: the good ones first serve as references."""

    vectors: NDArray[np.float32]
    people: Integers
    references: Flags
    poor: Flags


class Campus:
    """People of one kind, of whom a random half is enrolled and the other half is not."""

    def __init__(self, kind: Kind, *, enrolled: int, rng: np.random.Generator) -> None:
        self.kind = kind
        self.rng = rng
        # The embedder is the same wherever it is used; only people differ.
        axes = np.random.default_rng(1234)
        self._people_axes = _directions(axes) * np.sqrt(_falling(kind.decay))
        self._noise_axes = _directions(axes) * np.sqrt(_falling(kind.decay / 2))
        self._blur = _unit(axes.standard_normal(DIMENSION))
        common = _unit(self._people_axes @ axes.standard_normal(DIMENSION))
        count = 2 * enrolled
        special = self._make_special(count)
        self._means = special @ self._people_axes.T + kind.common * common
        self._spread = np.sqrt((1 - kind.same) / kind.same) * np.exp(kind.spread * rng.standard_normal(count))
        drawn = rng.permutation(count)
        self.enrolled: Integers = drawn[:enrolled]
        self.strangers: Integers = drawn[enrolled:]

    def make_labeled(self) -> Labeled:
        """One to eight references for each enrolled person, and up to three more faces that staff named."""
        count = len(self.enrolled)
        references = self.rng.integers(1, 9, count)
        faces = references + self.rng.integers(0, 4, count)
        people = np.repeat(np.arange(count), faces)
        vectors, poor = self.make_faces(self.enrolled[people])
        order = np.lexsort((poor, people))
        place = np.empty(len(people), dtype=np.int64)
        place[order] = np.arange(len(people)) - np.repeat(np.cumsum(faces) - faces, faces)
        return Labeled(vectors=vectors, people=people, references=place < references[people], poor=poor)

    def make_faces(self, owners: Integers) -> tuple[NDArray[np.float32], Flags]:
        """Unit vectors, and which of them look poor to the site."""
        kind, rng, count = self.kind, self.rng, len(owners)
        badness = np.exp(kind.quality * rng.standard_normal(count))
        spoiled = rng.random(count) < kind.spoiled
        badness[spoiled] *= _SPOILED_NOISE
        pull = np.where(spoiled, rng.uniform(*_SPOILED_PULL, count), 0.0)
        vectors = rng.standard_normal((count, DIMENSION)) @ self._noise_axes.T
        vectors *= (self._spread[owners] * badness)[:, None]
        vectors += self._means[owners] + pull[:, None] * self._blur
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        seen = np.log(badness) + _SEEN_THROUGH * rng.standard_normal(count)
        return vectors.astype(np.float32), seen > np.log(_POOR_FROM)

    def _make_special(self, count: int) -> Floats:
        """What makes each person special; relatives share a part of it."""
        rng = self.rng
        special: Floats = rng.standard_normal((count, DIMENSION))
        order, place = rng.permutation(count), 0
        while place < int(self.kind.families * count):
            size = int(rng.choice(_FAMILY_SIZES, p=_FAMILY_CHANCES))
            family = order[place : place + size]
            place += size
            shared = rng.uniform(*self.kind.likeness)
            ancestor = rng.standard_normal(DIMENSION)
            special[family] = np.sqrt(shared) * ancestor + np.sqrt(1 - shared) * special[family]
        return special


def _directions(rng: np.random.Generator) -> Floats:
    return np.asarray(np.linalg.qr(rng.standard_normal((DIMENSION, DIMENSION)))[0])


def _falling(power: float) -> Floats:
    """Weights of the directions, which sum to one."""
    weights = np.arange(1.0, DIMENSION + 1.0) ** -power
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / np.linalg.norm(vector))
