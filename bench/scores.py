"""Which score of a person tells strangers from known people best: the best reference, the mean of the best three, a trimmed mean.

    python bench/scores.py [--json] [--vectors FILE.npz] [--target 0.001] [--splits 40]

Half of the people are enrolled, the others are strangers; each rule has its own line, at which the target share of strangers'
faces passes it, so that `tpir` compares rules and not lines. The margin plays no part. Without a file the faces are made up
(bench/made_up_faces.py); a file holds `vectors` (n, d) of unit length and `person` (n,).

    best      the highest similarity over a person's references
    three     the mean of the highest three, or of all if there are fewer
    trimmed   the mean without the lowest fourth of the references
    mean      the mean of all
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.made_up_faces import BUNDLED, Campus

Floats = NDArray[np.float64]
Row = dict[str, float]

MADE_UP_PEOPLE, FACES = 400, 10
REFERENCES = (1, 2, 3, 5)


def trimmed(descending: Floats) -> Floats:
    kept = -(-descending.shape[-1] * 3 // 4)
    return np.asarray(descending[..., :kept].mean(axis=-1))


# Each takes similarities (faces, people, references), the highest first.
RULES: dict[str, Callable[[Floats], Floats]] = {
    "best": lambda descending: np.asarray(descending[..., 0]),
    "three": lambda descending: np.asarray(descending[..., :3].mean(axis=-1)),
    "trimmed": trimmed,
    "mean": lambda descending: np.asarray(descending.mean(axis=-1)),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--vectors", type=Path)
    parser.add_argument("--target", type=float, default=0.001)
    parser.add_argument("--splits", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    vectors, people = read_faces(args.vectors) if args.vectors else make_faces(rng)
    rows = [
        measure(vectors, people, references=references, splits=args.splits, target=args.target, rng=rng)
        for references in REFERENCES
    ]
    print(json.dumps(rows, indent=2) if args.json else table(rows, target=args.target))
    return 0


def read_faces(path: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    with np.load(path) as stored:
        people = np.unique(stored["person"], return_inverse=True)[1].ravel()
        return stored["vectors"], people


def make_faces(rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    campus = Campus(BUNDLED, enrolled=MADE_UP_PEOPLE // 2, rng=rng)
    people = np.repeat(np.arange(MADE_UP_PEOPLE), FACES)
    return campus.make_faces(people)[0], people


def measure(
    vectors: NDArray[np.float32],
    people: NDArray[np.int64],
    *,
    references: int,
    splits: int,
    target: float,
    rng: np.random.Generator,
) -> Row:
    """TPIR of every rule, pooled over random halves of the people."""
    faces_of = {int(name): np.flatnonzero(people == name) for name in np.unique(people)}
    able = np.array([name for name, faces in faces_of.items() if len(faces) > references])
    strange: dict[str, list[Floats]] = {rule: [] for rule in RULES}
    own: dict[str, list[Floats]] = {rule: [] for rule in RULES}
    for _ in range(splits):
        drawn = rng.permutation(able)
        enrolled = drawn[: len(drawn) // 2]
        chosen = [rng.permutation(faces_of[name]) for name in enrolled.tolist()]
        served = np.stack([faces[:references] for faces in chosen])
        probes = np.concatenate([faces[references:] for faces in chosen])
        place = np.repeat(np.arange(len(chosen)), [len(faces) - references for faces in chosen])
        strangers = np.flatnonzero(np.isin(people, drawn[len(drawn) // 2 :]))
        known = _descend(vectors, probes, served)
        met = _descend(vectors, strangers, served)
        for rule, score in RULES.items():
            scores = score(known)
            right = scores[np.arange(len(probes)), place]
            own[rule].append(np.where(scores.argmax(axis=1) == place, right, -np.inf))
            strange[rule].append(score(met).max(axis=1))
    row: Row = {"references": references, "target": target, "strangers": sum(map(len, strange["best"]))}
    for rule in RULES:
        line = np.quantile(np.concatenate(strange[rule]), 1 - target)
        row[rule] = float((np.concatenate(own[rule]) > line).mean())
    return row


def _descend(vectors: NDArray[np.float32], probes: NDArray[np.int64], served: NDArray[np.int64]) -> Floats:
    similarity = (vectors[probes] @ vectors[served.ravel()].T).reshape(len(probes), *served.shape)
    return np.asarray(-np.sort(-similarity, axis=-1), dtype=np.float64)


def table(rows: list[Row], *, target: float) -> str:
    lines = [
        f"TPIR % where {target:.1%} of strangers' faces pass",
        f"{'references':>10}" + "".join(f"{rule:>9}" for rule in RULES),
    ]
    for row in rows:
        best = max(row[rule] for rule in RULES)
        marks = ("*" if row[rule] >= best - 5e-4 else " " for rule in RULES)
        lines.append(
            f"{row['references']:10.0f}"
            + "".join(f"{100 * row[rule]:8.1f}{mark}" for rule, mark in zip(RULES, marks, strict=True))
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
