"""What the fit that sets the lines says of labeled faces, as a report tells it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognition.calibration.fitting import STRICTER, Fit
from recognition.calibration.own_faces import OwnFit
from recognition.calibration.probability import measure_reliability
from recognition.embedders import Thresholds
from recognition.evaluation.gallery_sizes import LinesFor

_PAIRS = 200
_FACES = 500

Told = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fitted:
    own: OwnFit

    @property
    def fit(self) -> Fit:
        return self.own.fit

    @property
    def lines(self) -> Thresholds:
        return self.fit.thresholds

    @property
    def lines_for(self) -> LinesFor | None:
        """(automatic, strict) for another number of people; None where nothing is known to go by."""
        tail = self.fit.tail
        if tail is None:
            return None

        def find_lines(enrolled: int) -> tuple[float, float]:
            automatic = min(1.0, tail.line(enrolled, self.fit.target))
            return automatic, min(1.0, max(automatic, tail.line(enrolled, self.fit.target * STRICTER)))

        return find_lines

    def expected_share(self, line: float, enrolled: int) -> float | None:
        """The share of strangers' faces that this line lets through."""
        return None if self.fit.tail is None else self.fit.tail.share(line, enrolled)

    def probability(
        self, scores: NDArray[np.float64], leads: NDArray[np.float64], enrolled: int
    ) -> NDArray[np.float64] | None:
        """Of each face that its best person is the right one."""
        if self.fit.tail is None or self.fit.probability is None:
            return None
        return self.fit.probability.of_many(scores=scores, leads=leads, enrolled=enrolled, tail=self.fit.tail)

    @property
    def reliability(self) -> Told | None:
        if self.fit.tail is None or not len(self.own.trusted):
            return None
        told = measure_reliability(self.own.trusted, tail=self.fit.tail)
        if not told.bins:
            return None
        bins = [
            {
                "low": row.low,
                "high": row.high,
                "said": row.said,
                "right": row.right,
                "faces": round(row.weight),
            }
            for row in told.bins
        ]
        return {"ece": told.error, "cases": told.cases, "bins": bins}

    @property
    def doubtful(self) -> Told:
        pairs = [
            {"first": pair.people[0], "second": pair.people[1], "similarity": pair.score, "faces": pair.faces}
            for pair in self.own.doubts.pairs[:_PAIRS]
        ]
        faces = [
            {"similarity": told.pop("score"), **told}
            for told in map(
                asdict, sorted(self.own.doubts.faces, key=lambda face: face.own - face.score)[:_FACES]
            )
        ]
        return {"people": pairs, "faces": faces}
