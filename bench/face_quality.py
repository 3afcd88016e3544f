"""What a face's size, sharpness, pose and detector score say about its name: the table behind recognition/quality.py.

    python bench/face_quality.py [--json] [--splits 40] [--seed 7]

Every portrait of 48 people is put into photos small and large, blurred, moved, dark and noisy, found by the detector and
described by the bundled embedder. In random splits two thirds of the people are enrolled and the others are strangers;
the lines are the embedder's own. No two faces of one portrait file are ever compared.

    as a probe      faces of that row against one good reference per person
    as a reference  one face of that row per person, against good faces
    both            one face of that row per person, against faces of the same row
    against blurred one face of that row per person, against all blurred faces

    found    share that the detector finds
    named    known faces that get their right name
    wrong    known faces that get another name
    strangers  strangers' faces that get a name
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.portraits import Look, compose_portraits, list_portraits
from recognition.detection import FaceDetector, cut_crop
from recognition.embedders.dlib_resnet import DlibEmbedder
from recognition.geometry import Pose, estimate_pose
from recognition.quality import REFERENCE, measure_sharpness

SIZES = (12, 16, 20, 24, 28, 32, 36, 40, 48, 64, 80, 100)
# Each at 80 pixels, where the portraits have about their own size.
LOOKS = [
    *(Look(size=80, blur=blur) for blur in (1, 1.5, 2, 2.5, 3, 4)),
    *(Look(size=80, motion=motion) for motion in (4, 7, 10, 14, 20)),
    *(Look(size=80, light=light) for light in (0.5, 0.3)),
    *(Look(size=80, noise=noise) for noise in (8, 16, 30)),
]
SHARPNESS = (0, 5, 10, 15, 20, 25, 30, 40, 60, 100, 1000)
YAWS = (0, 10, 20, 25, 30, 60)
PITCHES = (-45, -15, -5, 5, 15, 45)
SCORES = (0.7, 0.9, 0.98, 0.99, 0.995, 0.999, 1.01)
# Below the detector's own line, to see what is lost there.
_LOWEST_SCORE = 0.7
# Fewer people with such faces make no row.
_FEWEST_PEOPLE = 6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """One face on one photo; `portrait` numbers the file that it was rendered from."""

    person: int
    portrait: int
    look: Look
    size: float
    sharpness: float
    score: float
    pose: Pose
    vector: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Shares of faces."""

    named: float
    wrong: float
    strangers: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    table: str
    name: str
    faces: int
    people: int
    found: float | None
    probe: Outcome
    reference: Outcome
    both: Outcome
    against_blurred: Outcome


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--splits", type=int, default=40)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    faces, found = measure(seed=args.seed)
    rows = make_rows(faces, found, splits=args.splits, seed=args.seed)
    print(json.dumps([asdict(row) for row in rows], indent=2) if args.json else show(rows))
    return 0


def measure(*, seed: int) -> tuple[list[Measured], dict[Look, float]]:
    """All faces that were found, and the share that was found of each look."""
    portraits = list_portraits()
    number_of = {portrait: number for number, portrait in enumerate(portraits)}
    people = sorted({portrait.person for portrait in portraits})
    detector, embedder = FaceDetector(min_score=_LOWEST_SCORE, smallest=4), DlibEmbedder()
    faces, found = [], {}
    for number, look in enumerate([*(Look(size=size) for size in SIZES), *LOOKS]):
        composed = compose_portraits(portraits, look, detector=detector, seed=seed + number)
        seen = [(one, one.face) for one in composed if one.face is not None]
        found[look] = len(seen) / len(portraits)
        vectors = embedder.embed(np.stack([embedder.cut_input(one.rgb, face) for one, face in seen]))
        faces += [
            Measured(
                person=people.index(one.portrait.person),
                portrait=number_of[one.portrait],
                look=look,
                size=min(face.box.width, face.box.height),
                sharpness=measure_sharpness(cut_crop(one.rgb, face.box, margin=0.0, side=320)),
                score=face.score,
                pose=estimate_pose(face.landmarks),
                vector=vector,
            )
            for (one, face), vector in zip(seen, vectors, strict=True)
        ]
    return faces, found


def make_rows(faces: Sequence[Measured], found: dict[Look, float], *, splits: int, seed: int) -> list[Row]:
    good = [face for face in faces if face.look in (Look(size=64), Look(size=80))]
    sharp = [face for face in faces if face.look in found and not face.look.noise]
    large = [face for face in sharp if face.size >= 48]
    blurred = [face for face in large if face.sharpness < REFERENCE.sharpness]
    clear = [face for face in large if face.look in {Look(size=size) for size in SIZES}]

    def judge(references: Sequence[Measured], probes: Sequence[Measured]) -> Outcome:
        return name_faces(references, probes, splits=splits, seed=seed)

    def make_row(table: str, name: str, chosen: Sequence[Measured], share: float | None = None) -> list[Row]:
        people = len({face.person for face in chosen})
        if people < _FEWEST_PEOPLE:
            return []
        return [
            Row(
                table=table,
                name=name,
                faces=len(chosen),
                people=people,
                found=share,
                probe=judge(good, chosen),
                reference=judge(chosen, good),
                both=judge(chosen, chosen),
                against_blurred=judge(chosen, blurred),
            )
        ]

    def make_table(
        table: str, among: Sequence[Measured], edges: Sequence[float], value: Callable[[Measured], float]
    ) -> list[Row]:
        return [
            row
            for low, high in itertools.pairwise(edges)
            for row in make_row(
                table, f"{low:g} to {high:g}", [one for one in among if low <= value(one) < high]
            )
        ]

    looks = [
        row
        for look, share in found.items()
        for row in make_row("look", describe_look(look), [one for one in faces if one.look == look], share)
    ]
    return [
        *looks,
        *make_table("sharpness, faces of 48 px and more", large, SHARPNESS, lambda one: one.sharpness),
        *make_table("degrees to the side", clear, YAWS, lambda one: abs(one.pose.yaw)),
        *make_table("degrees up", clear, PITCHES, lambda one: one.pose.pitch),
        *make_table(
            "detector score, faces of 36 px and more",
            [one for one in sharp if one.size >= 36],
            SCORES,
            lambda one: one.score,
        ),
    ]


def describe_look(look: Look) -> str:
    words = [f"{look.size} px"]
    words += [f"blur {look.blur:g}"] if look.blur else []
    words += [f"moved {look.motion}"] if look.motion else []
    words += [f"noise {look.noise:g}"] if look.noise else []
    words += [f"light {look.light:g}"] if look.light != 1 else []
    return ", ".join(words)


def name_faces(
    references: Sequence[Measured], probes: Sequence[Measured], *, splits: int, seed: int
) -> Outcome:
    """One reference of each enrolled person; probes of a portrait that is a reference are left out."""
    rng = np.random.default_rng(seed)
    lines = DlibEmbedder.thresholds
    scores = np.stack([one.vector for one in probes]) @ np.stack([one.vector for one in references]).T
    owners = np.array([one.person for one in references])
    files = np.array([one.portrait for one in references])
    people = np.array([one.person for one in probes])
    portraits = np.array([one.portrait for one in probes])
    rows = np.arange(len(probes))
    there = np.unique(owners)
    named = wrong = known = strangers = strange = 0
    for _ in range(splits):
        enrolled = rng.permutation(there)[: 2 * len(there) // 3]
        chosen = np.array([rng.choice(np.flatnonzero(owners == person)) for person in enrolled])
        order = np.argsort(-scores[:, chosen], axis=1)
        best, next_best = (scores[rows, chosen[order[:, place]]] for place in (0, 1))
        accepted = (best >= lines.automatic) & (best - next_best >= lines.margin)
        right = enrolled[order[:, 0]] == people
        fresh = np.isin(people, enrolled) & ~np.isin(portraits, files[chosen])
        stranger = ~np.isin(people, enrolled)
        known, strange = known + int(fresh.sum()), strange + int(stranger.sum())
        named += int((fresh & accepted & right).sum())
        wrong += int((fresh & accepted & ~right).sum())
        strangers += int((stranger & accepted).sum())
    return Outcome(
        named=named / max(known, 1), wrong=wrong / max(known, 1), strangers=strangers / max(strange, 1)
    )


def show(rows: Sequence[Row]) -> str:
    heads = "as a probe", "as a reference", "both", "against blurred"
    lines = [f"{'':26}{'faces':>6}{'found':>7}" + "".join(f"{head:^26}" for head in heads)]
    lines.append(f"{'':39}" + f"{'named':>10}{'wrong':>8}{'str.':>8}" * len(heads))
    for place, row in enumerate(rows):
        if place == 0 or rows[place - 1].table != row.table:
            lines.append(row.table)
        share = "" if row.found is None else f"{row.found:.1%}"
        outcomes = (row.probe, row.reference, row.both, row.against_blurred)
        shares = [f"{one.named:10.1%}{one.wrong:8.2%}{one.strangers:8.2%}" for one in outcomes]
        lines.append(f"  {row.name:24}{row.faces:6}{share:>7}" + "".join(shares))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
