"""How well the whole path recognizes: event photos in, two faces of each known person named, further photos in.

    python bench/recognition.py [--json] [--photos 40] [--seed 7]

Faces of 48 people are composed into event photos; 38 people are named from two faces each, 10 stay unnamed.

    faces_found      share of the pasted faces that were detected
    extra_faces      detections that are no pasted face, per pasted face
    known_named      share of the known people's faces in the second half that became sightings
    named_right      share of the machine's sightings that name the right person
    strangers_named  share of the unnamed people's faces in the second half that got a name
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.vault import need_shared, new_vault

if TYPE_CHECKING:
    from recognition.models import Face

PEOPLE, KNOWN, REFERENCES = 48, 38, 2
GOALS = {
    "faces_found": (">=", 0.97),
    "extra_faces": ("<=", 0.03),
    "known_named": (">=", 0.90),
    "named_right": (">=", 0.99),
    "strangers_named": ("<=", 0.01),
}


@dataclass(frozen=True, slots=True)
class Pasted:
    """Where a portrait was pasted, in pixels of its photo, and whose it is."""

    identity: str
    left: float
    top: float
    width: float
    height: float

    def holds(self, face: Face) -> bool:
        x, y = face.left + face.width / 2, face.top + face.height / 2
        return self.left <= x <= self.left + self.width and self.top <= y <= self.top + self.height


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=int, default=40, help="in each half")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    tool = need_shared("tools/make_events.py")
    with new_vault() as folder:
        composed = folder / "composed"
        command = [sys.executable, str(tool), str(composed), "--photos", str(2 * args.photos)]
        subprocess.run([*command, "--seed", str(args.seed), "--identities", str(PEOPLE)], check=True)
        figures = measure(composed, args.photos)
    print(json.dumps(figures, indent=2) if args.json else table(figures))
    return 0 if all(reached(name, figures[name]) for name in GOALS) else 1


def measure(composed: Path, photos: int) -> dict[str, float]:
    """Ingest, name, ingest again; count against the truth."""
    from recognition.models import Face, Sighting

    truth = read_truth(composed / "truth.csv")
    names = sorted({pasted.identity for places in truth.values() for pasted in places})
    # Every fifth name is a stranger, so that color and grey portraits are on both sides.
    strangers = set(names[:: len(names) // (PEOPLE - KNOWN)][: PEOPLE - KNOWN])
    files = sorted(composed.glob("*.jpg"))

    started = time.monotonic()
    ingest("First half", files[:photos])
    owners, extra_first = match_faces(truth, Face.objects.select_related("photo"))
    named = name_two_each(owners, strangers)
    seen = set(owners) | extra_first
    ingest("Second half", files[photos:])
    seconds = time.monotonic() - started

    second = Face.objects.select_related("photo").exclude(pk__in=seen)
    owners_second, extra_second = match_faces(truth, second)
    sightings = dict(
        Sighting.objects.filter(decided_by="machine", face__in=second).values_list("face", "person__name")
    )
    second_names = {file.name for file in files[photos:]}
    pasted = [place for name in second_names for place in truth[name]]
    known = [pk for pk, identity in owners_second.items() if identity not in strangers]
    right = sum(owners_second.get(int(pk)) == name for pk, name in sightings.items())
    pasted_known = sum(place.identity not in strangers for place in pasted)
    strange = [pk for pk, identity in owners_second.items() if identity in strangers]
    total = sum(len(places) for places in truth.values())
    return {
        "faces_found": (len(owners) + len(owners_second)) / total,
        "extra_faces": (len(extra_first) + len(extra_second)) / total,
        "known_named": sum(pk in sightings for pk in known) / pasted_known,
        "named_right": right / len(sightings) if sightings else 0.0,
        "strangers_named": sum(pk in sightings for pk in strange) / (len(pasted) - pasted_known),
        "pasted_faces": total,
        "references": named,
        "machine_sightings": len(sightings),
        "known_faces": pasted_known,
        "stranger_faces": len(pasted) - pasted_known,
        "seconds_per_photo": seconds / len(files),
    }


def ingest(event: str, files: list[Path]) -> None:
    """The path of every upload: add, then process."""
    from recognition.events.edits import create_event
    from recognition.ingest import process_next_photo
    from recognition.uploads.adding import add_photo

    row = create_event(name=event, held_on=None, place="", user=None)
    for file in files:
        with file.open("rb") as handle:
            result = add_photo(event=row, file=handle, name=file.name)
        if result.outcome != "added":
            raise RuntimeError(f"{file.name}: {result.code} {result.message}")
    while process_next_photo() is not None:
        pass


def name_two_each(owners: dict[int, str], strangers: set[str]) -> int:
    """Name the first faces of each known person in the order in which the queue serves them."""
    from django.contrib.auth.models import User

    from labeling.decisions import label_face
    from recognition.models import UnlabeledFace

    staff = User.objects.create_user("staff")
    given: dict[str, int] = defaultdict(int)
    for entry in UnlabeledFace.objects.open().select_related("face__photo"):
        identity = owners.get(entry.face_id)
        if identity is not None and identity not in strangers and given[identity] < REFERENCES:
            label_face(face=entry.face, name=identity, actor=staff)
            given[identity] += 1
    return sum(given.values())


def match_faces(truth: dict[str, list[Pasted]], faces: object) -> tuple[dict[int, str], set[int]]:
    """Which face is whose: each pasted portrait has at most one face, the largest in it; the others are extra."""
    owners: dict[int, str] = {}
    extra: set[int] = set()
    taken: set[tuple[str, int]] = set()
    for face in sorted(faces, key=lambda face: -face.size):  # type: ignore[call-overload]
        name = face.photo.name
        for place, pasted in enumerate(truth[name]):
            if (name, place) not in taken and pasted.holds(face):
                taken.add((name, place))
                owners[face.pk] = pasted.identity
                break
        else:
            extra.add(face.pk)
    return owners, extra


def read_truth(file: Path) -> dict[str, list[Pasted]]:
    truth: dict[str, list[Pasted]] = defaultdict(list)
    with file.open(newline="") as handle:
        for row in csv.DictReader(handle):
            numbers = (float(row[column]) for column in ("x", "y", "width", "height"))
            truth[row["photo"]].append(Pasted(row["identity"], *numbers))
    return truth


def reached(name: str, value: float) -> bool:
    sign, goal = GOALS[name]
    return value >= goal if sign == ">=" else value <= goal


def table(figures: dict[str, float]) -> str:
    lines = []
    for name, value in figures.items():
        goal = "" if name not in GOALS else f"{GOALS[name][0]} {GOALS[name][1]:.2f}"
        mark = "" if name not in GOALS else ("ok" if reached(name, value) else "MISSED")
        lines.append(f"{name:18} {value:10.4f}   {goal:8} {mark}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
