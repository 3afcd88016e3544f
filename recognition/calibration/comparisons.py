"""What labeled faces say about strangers and acquaintances: each face against the gallery, with and without its own person.

A labeled face whose own person is taken out of the gallery is a stranger to it. Strangers and enrolled people are drawn from
the same crowd, so such a face is exchangeable with a stranger's: it meets the same look-alikes, the same numbers of
references and the same quality as a stranger does, and nothing has to be assumed about how similarities are distributed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

# Scores of one block of probes to all people: 64 MB, whatever the number of people.
_BLOCK_CELLS = 16_000_000
NOBODY = -1
# Faces that are compared with everybody: 0.1 % of them are still 20.
PROBES = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparisons:
    """One row per probe face.

    `score`, `lead` and `other`: the best other person and how far it is ahead of the next other one: what a stranger with this face
    would meet. -inf and NOBODY where there is no other person, lead inf where there is no second one.
    `own`: the best of its own person's references, itself left out; nan where it has none. `rank`: own person's place, 1 is the
    first, 0 where `own` is nan. `references`: those of `other`, `own_references`: its own person's, itself left out.
    `enrolled`: the people that a stranger meets here, one fewer than the gallery has when the probe's own person is among them.
    `mean` and `deviation`: of all scores of a face for a person that it is not, nan where there are none.
    """

    rows: Integers
    person: Integers
    poor: Flags
    score: Floats
    lead: Floats
    other: Integers
    references: Integers
    own: Floats
    own_references: Integers
    rank: Integers
    enrolled: int
    mean: float
    deviation: float

    def __len__(self) -> int:
        return len(self.rows)

    def keep(self, chosen: Flags) -> Comparisons:
        """The chosen probes only; the gallery stays what it was."""
        return replace(
            self,
            rows=self.rows[chosen],
            person=self.person[chosen],
            poor=self.poor[chosen],
            score=self.score[chosen],
            lead=self.lead[chosen],
            other=self.other[chosen],
            references=self.references[chosen],
            own=self.own[chosen],
            own_references=self.own_references[chosen],
            rank=self.rank[chosen],
        )

    @property
    def known(self) -> Flags:
        return ~np.isnan(self.own)

    @property
    def known_lead(self) -> Floats:
        """How far the own person is ahead of the best other one; negative where the other one wins."""
        return self.own - self.score

    def named(self, line: float | Floats, margin: float) -> Flags:
        """As strangers, who get somebody's name. The rule of recognition.matching, each face as if it were alone on its photo."""
        return (self.score >= line) & (self.lead >= margin)

    def named_right(self, line: float | Floats, margin: float) -> Flags:
        ahead = self.known_lead
        return (self.own >= line) & (ahead > 0) & (ahead >= margin)

    def named_wrong(self, line: float | Floats, margin: float) -> Flags:
        """Known faces that get another person's name: whoever is second, their own person or a third one, is behind."""
        behind = -self.known_lead
        return (self.score >= line) & (behind > 0) & (np.minimum(self.lead, behind) >= margin)


def compare(
    *,
    vectors: NDArray[np.float32],
    people: Integers,
    references: Flags,
    poor: Flags,
    probes: Integers | None = None,
    at_most: int = PROBES,
    rng: np.random.Generator,
) -> Comparisons:
    """Compare labeled faces (rows of `vectors`, unit length) with the people who have `references` among them.

    `people` names each row's person, `probes` the rows to compare: without it all rows, or `at_most` of them at random.
    """
    rows = np.arange(len(people)) if probes is None else np.asarray(probes, dtype=np.int64)
    if len(rows) > at_most:
        rows = np.sort(rng.choice(rows, size=at_most, replace=False))
    gallery = _Gallery.build(vectors, people, references)
    count = len(rows)
    column = gallery.columns_of(people[rows])
    score, second = np.full(count, -np.inf), np.full(count, -np.inf)
    other, rank = np.full(count, NOBODY, dtype=np.int64), np.zeros(count, dtype=np.int64)
    own, own_references = gallery.own_scores(vectors, rows, column)
    moments = np.zeros(3)
    step = max(1, _BLOCK_CELLS // max(1, gallery.size))
    for start in range(0, count if gallery.size else 0, step):
        part = slice(start, start + step)
        scores = gallery.score(vectors[rows[part]])
        line = np.arange(len(scores))
        mine = column[part] >= 0
        moments += _add_up(scores, column[part])
        scores[line[mine], column[part][mine]] = -np.inf
        best = scores.argmax(axis=1)
        score[part] = scores[line, best]
        found = np.isfinite(score[part])
        other[part] = np.where(found, best, NOBODY)
        known = ~np.isnan(own[part])
        rank[part][known] = 1 + (scores[known] > own[part][known, None]).sum(axis=1)
        scores[line, best] = -np.inf
        second[part] = scores.max(axis=1)
    with np.errstate(invalid="ignore"):
        lead = np.where(np.isfinite(second), score - second, np.inf)
        mean = float(np.divide(moments[1], moments[0]))
        deviation = float(np.sqrt(np.maximum(np.divide(moments[2], moments[0]) - mean**2, 0.0)))
    return Comparisons(
        rows=rows,
        person=people[rows].astype(np.int64),
        poor=poor[rows],
        score=score,
        lead=np.where(other == NOBODY, 0.0, lead),
        other=np.where(other == NOBODY, NOBODY, gallery.people[other] if gallery.size else NOBODY),
        references=np.where(other == NOBODY, 0, gallery.counts[other] if gallery.size else 0),
        own=own,
        own_references=own_references,
        rank=rank,
        enrolled=gallery.size - 1 if count and bool((column >= 0).all()) else gallery.size,
        mean=mean,
        deviation=deviation,
    )


def _add_up(scores: NDArray[np.float32], column: Integers) -> Floats:
    """How many scores are for other people, their sum and the sum of their squares."""
    line = np.flatnonzero(column >= 0)
    own = scores[line, column[line]].astype(np.float64)
    total = float(scores.sum(dtype=np.float64))
    squares = float(np.einsum("ij,ij->", scores, scores, dtype=np.float64))
    return np.array([scores.size - len(own), total - own.sum(), squares - (own**2).sum()])


@dataclass(frozen=True, slots=True)
class _Gallery:
    """References in layers: layer k holds the k-th reference of every person who has so many.

    People stand in descending order of their references, so that a layer's people are the first columns and the best
    reference of a person is a running maximum over whole blocks.
    """

    people: Integers
    counts: Integers
    layers: list[tuple[Integers, NDArray[np.float32]]]

    @property
    def size(self) -> int:
        return len(self.people)

    @classmethod
    def build(cls, vectors: NDArray[np.float32], people: Integers, references: Flags) -> _Gallery:
        rows = np.flatnonzero(references)
        names, inverse, counts = np.unique(people[rows], return_inverse=True, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        place = np.empty(len(names), dtype=np.int64)
        place[order] = np.arange(len(names))
        columns = place[inverse]
        rows = rows[np.argsort(columns, kind="stable")]
        counts = counts[order].astype(np.int64)
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]]) if len(counts) else np.zeros(0, dtype=np.int64)
        layers = []
        for layer in range(int(counts[0]) if len(counts) else 0):
            chosen = rows[starts[counts > layer] + layer]
            layers.append((chosen, np.ascontiguousarray(vectors[chosen], dtype=np.float32)))
        return cls(people=names[order].astype(np.int64), counts=counts, layers=layers)

    def columns_of(self, people: Integers) -> Integers:
        """Each person's column, -1 for one without references."""
        if not self.size:
            return np.full(len(people), -1, dtype=np.int64)
        order = np.argsort(self.people)
        found = np.minimum(np.searchsorted(self.people, people, sorter=order), self.size - 1)
        columns = order[found]
        return np.where(self.people[columns] == people, columns, -1).astype(np.int64)

    def score(self, faces: NDArray[np.float32]) -> NDArray[np.float32]:
        """(faces, people): the best similarity over each person's references."""
        best: NDArray[np.float32] = faces @ self.layers[0][1].T
        for _, layer in self.layers[1:]:
            part = best[:, : len(layer)]
            np.maximum(part, faces @ layer.T, out=part)
        return best

    def own_scores(
        self, vectors: NDArray[np.float32], rows: Integers, column: Integers
    ) -> tuple[Floats, Integers]:
        """Each row's best similarity to its own person's references, itself left out, and how many those are."""
        best = np.full(len(rows), np.nan)
        count = np.zeros(len(rows), dtype=np.int64)
        for chosen, layer in self.layers:
            has = np.flatnonzero((column >= 0) & (column < len(layer)))
            has = has[chosen[column[has]] != rows[has]]
            similarity = np.einsum("nd,nd->n", vectors[rows[has]], layer[column[has]])
            best[has] = np.fmax(best[has], similarity)
            count[has] += 1
        return best, count
