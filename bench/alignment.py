"""Which crop the embedder should be given: alignment, margin and the mirror image, compared on the sample portraits.

    python bench/alignment.py [--json] [--embedder dlib-resnet] [--small 32] [--splits 200] [--seed 7]

Each way of cutting describes the same detected faces of 48 people, once on the portraits themselves and once at `--small`
pixels in a photo. dlib's mean is fitted anew for each, on the sample photos without these people. Beside every figure
stands its difference to the way in use, with the 95 % interval of a bootstrap over the people.

    TPIR     known faces that get their name where 1 % of strangers get one: disjoint thirds of the people, of which one is
             enrolled with five references, one strange and one left out, in random splits
    TAR      pairs of one person that are accepted where one pair of different people in 1,000 is

A way is worth a new embedder_id if its whole interval is above 0 on both.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.crops import Pixels, Vectors, Way, describe, list_ways
from bench.portraits import Look, Portrait, compose_portraits, list_portraits
from bench.vault import SHARED, need_shared
from recognition.detection import DetectedFace, get_detector
from recognition.embedders import EmbedderUnknown, WeightsMissing, get_embedder, name_embedder
from recognition.images import PhotoRefused, decode_photo

FPIR, FAR = 0.01, 0.001
REFERENCES = 5
_BOOTSTRAPS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A share, and how far it is from the way in use: the middle and the 95 % interval."""

    value: float
    gain: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    faces: str
    way: str
    tpir: Figure
    tar: Figure


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--embedder", default="dlib-resnet")
    parser.add_argument("--small", type=int, default=32)
    parser.add_argument("--splits", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    need_shared("photos")
    try:
        embedder = get_embedder(name_embedder(args.embedder).embedder_id)
    except (EmbedderUnknown, WeightsMissing) as error:
        print(f"{args.embedder} cannot be measured on this machine: {error}")
        return 1
    ways = list_ways(embedder)
    outside = cut_all(ways, detect_all(_outside_photos()))
    rows: list[Row] = []
    for name, people, faces in gather_faces(args.small, args.seed):
        inputs = cut_all(ways, faces)
        vectors = [describe(embedder, way, inputs[way.name], outside[way.name]) for way in ways]
        rows += compare(name, ways, vectors, people, splits=args.splits, seed=args.seed)
    print(json.dumps([asdict(row) for row in rows], indent=2) if args.json else table(rows))
    return 0


def gather_faces(
    small: int, seed: int
) -> list[tuple[str, NDArray[np.str_], list[tuple[Pixels, DetectedFace]]]]:
    """The portraits as they are, and small in photos: whose each is, and where its face is."""
    portraits, detector = list_portraits(), get_detector()
    plain: list[tuple[Portrait, Pixels, DetectedFace]] = []
    for portrait in portraits:
        # The site does not take ORL's format.
        rgb = np.array(Image.open(portrait.file).convert("RGB"))
        plain += [(portrait, rgb, face) for face in detector.detect(rgb)[:1]]
    composed = compose_portraits(portraits, Look(size=small), detector=detector, seed=seed)
    tiny = [(seen.portrait, seen.rgb, seen.face) for seen in composed if seen.face is not None]
    return [
        (
            name,
            np.array([portrait.person for portrait, _, _ in found]),
            [(rgb, face) for _, rgb, face in found],
        )
        for name, found in (("portraits", plain), (f"{small} px in a photo", tiny))
    ]


def detect_all(files: Sequence[Path]) -> list[tuple[Pixels, DetectedFace]]:
    found = []
    for file in files:
        try:
            rgb = decode_photo(file)
        except PhotoRefused:
            continue
        found += [(rgb, face) for face in get_detector().detect(rgb)]
    return found


def cut_all(ways: Sequence[Way], faces: Sequence[tuple[Pixels, DetectedFace]]) -> dict[str, Pixels]:
    return {way.name: np.stack([way.cut(rgb, face) for rgb, face in faces]) for way in ways}


def compare(
    faces: str,
    ways: Sequence[Way],
    vectors: Sequence[Vectors],
    people: NDArray[np.str_],
    *,
    splits: int,
    seed: int,
) -> list[Row]:
    numbers = np.unique(people, return_inverse=True)[1]
    drawn = np.random.default_rng(seed).integers(numbers.max() + 1, size=(_BOOTSTRAPS, numbers.max() + 1))
    named = [name_faces(one, numbers, splits=splits, seed=seed) for one in vectors]
    paired = [accept_pairs(one, numbers) for one in vectors]
    return [
        Row(faces=faces, way=way.name, tpir=_figure(named, k, drawn), tar=_figure(paired, k, drawn))
        for k, way in enumerate(ways)
    ]


def name_faces(vectors: Vectors, people: NDArray[np.intp], *, splits: int, seed: int) -> NDArray[np.float64]:
    """Of each person's faces the share that is named while the person is enrolled; the line lets 1 % of strangers pass."""
    rng = np.random.default_rng(seed)
    count = people.max() + 1
    third = count // 3
    scores = vectors @ vectors.T
    known: list[NDArray[np.float64]] = []
    strange: list[NDArray[np.float32]] = []
    for _ in range(splits):
        order = rng.permutation(count)
        enrolled, strangers = order[:third], order[third : 2 * third]
        rows = [rng.permutation(np.flatnonzero(people == person)) for person in enrolled]
        best = np.stack([scores[:, mine[:REFERENCES]].max(axis=1) for mine in rows], axis=1)
        strange.append(best[np.isin(people, strangers)].max(axis=1))
        probes = np.concatenate([mine[REFERENCES:] for mine in rows])
        right = enrolled[best[probes].argmax(axis=1)] == people[probes]
        known.append(np.stack([people[probes], np.where(right, best[probes].max(axis=1), -1.0)]))
    line = np.quantile(np.concatenate(strange), 1 - FPIR)
    who, score = np.concatenate(known, axis=1)
    tries = np.bincount(who.astype(int), minlength=count)
    hits = np.bincount(who.astype(int), weights=score >= line, minlength=count)
    return hits / np.maximum(tries, 1)


def accept_pairs(vectors: Vectors, people: NDArray[np.intp]) -> NDArray[np.float64]:
    """Of each person's pairs the share above the line that one pair of different people in 1,000 passes."""
    first, second = np.triu_indices(len(vectors), k=1)
    scores = (vectors @ vectors.T)[first, second]
    same = people[first] == people[second]
    line = np.quantile(scores[~same], 1 - FAR)
    owner = people[first[same]]
    hits = np.bincount(owner, weights=scores[same] >= line, minlength=people.max() + 1)
    return hits / np.maximum(np.bincount(owner, minlength=people.max() + 1), 1)


def table(rows: Sequence[Row]) -> str:
    lines = [f"{'':40}{'TPIR':>8}{'gain':>8}{'95 % interval':>18}{'TAR':>9}{'gain':>8}{'95 % interval':>18}"]
    for place, row in enumerate(rows):
        if place == 0 or rows[place - 1].faces != row.faces:
            lines.append(row.faces)
        lines.append(f"  {row.way:38}" + " ".join(_show(figure) for figure in (row.tpir, row.tar)))
    return "\n".join(lines)


def _show(figure: Figure) -> str:
    middle, low, high = figure.gain
    return f"{figure.value:8.1%}{middle:+8.1%}{f'{low:+.1%} to {high:+.1%}':>18}"


def _figure(shares: Sequence[NDArray[np.float64]], k: int, drawn: NDArray[np.int64]) -> Figure:
    differences = (shares[k] - shares[0])[drawn].mean(axis=1)
    low, high = np.quantile(differences, [0.025, 0.975])
    gain = float((shares[k] - shares[0]).mean())
    return Figure(value=float(shares[k].mean()), gain=(gain, float(low), float(high)))


def _outside_photos() -> list[Path]:
    """The sample photos of other people."""
    photos = SHARED / "photos"
    files = [file for pattern in ("*.jpg", "*.png") for file in sorted(photos.rglob(pattern))]
    return [file for file in files if not {"lfw10", "orl"} & set(file.relative_to(photos).parts)]


if __name__ == "__main__":
    sys.exit(main())
