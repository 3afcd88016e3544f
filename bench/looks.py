"""How fast the photos that look like something are found among many, beside a plain scan of the same numbers by numpy.

    python bench/looks.py [--photos 62000] [--rounds 60] [--json]

Synthetic descriptors of a real shape in a database of their own; half of them have a pose. Every search asks the
database first whether anything came or went, as it does in the site.

    first        the first search of a process, which reads every descriptor
    settings     by the weights of the installation
    slider       by other weights, as the page's slider asks for them
    one event    by the weights of the installation, among 300 photos
    plain numpy  what the first of them takes without an index: one subtraction over all rows
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.vault import new_vault

GOAL_MS = 50.0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=int, default=62_000)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with new_vault():
        figures = measure(args.photos, args.rounds, args.seed)
    print(json.dumps(figures, indent=2) if args.json else table(figures, args.photos))
    return 0 if figures["settings"]["p95"] < GOAL_MS and figures["slider"]["p95"] < GOAL_MS else 1


def measure(photos: int, rounds: int, seed: int) -> dict[str, dict[str, float]]:
    """Milliseconds: median, p95 and how often as long the plain scan took."""
    from recognition.looks.descriptor import mirror_look
    from recognition.looks.index import LookIndex
    from recognition.looks.plan import Weights
    from recognition.models import Photo

    looks = fill(photos, seed)
    weights = Weights(0.4, 0.6)
    index = LookIndex("bench", weights)
    random = np.random.default_rng(seed)
    queries = [looks[place : place + 1] for place in random.integers(0, photos, rounds).tolist()]
    both = [np.concatenate([query, mirror_look(query)]) for query in queries]
    few = list(Photo.objects.order_by("pk").values_list("pk", flat=True)[:300])
    scale = np.full(looks.shape[1], 0.6**0.5, dtype=np.float32)
    scale[:66] = 0.4**0.5
    weighted = looks * scale
    started = time.perf_counter()
    index.search(both[0], 24, weights=weights)
    first = 1000 * (time.perf_counter() - started)
    plain = clock(lambda query: scan(weighted, query * scale, 24), both[: max(3, rounds // 10)])
    found = {
        "settings": clock(lambda query: index.search(query, 24, weights=weights), both),
        "slider": clock(lambda query: index.search(query, 24, weights=Weights(0.7, 0.3)), both),
        "one event": clock(lambda query: index.search(query, 24, weights=weights, among=few), both),
        "plain numpy": plain,
    }
    figures = {"first": {"median": first, "p95": first, "ratio": plain["median"] / first}}
    for name, taken in found.items():
        figures[name] = {**taken, "ratio": plain["median"] / taken["median"]}
    return figures


def clock(
    search: Callable[[NDArray[np.float32]], object], queries: list[NDArray[np.float32]]
) -> dict[str, float]:
    taken = []
    for query in queries:
        started = time.perf_counter()
        search(query)
        taken.append(1000 * (time.perf_counter() - started))
    return {"median": float(np.median(taken)), "p95": float(np.percentile(taken, 95))}


def scan(rows: NDArray[np.float32], queries: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    distances = np.minimum(*[((rows - query) ** 2).sum(axis=1) for query in queries])
    nearest: NDArray[np.int64] = np.argsort(distances)[:k]
    return nearest


def fill(photos: int, seed: int) -> NDArray[np.float32]:
    """That many photos of one event with a look each; the looks."""
    from recognition.models import Event, Photo, PhotoLook

    random = np.random.default_rng(seed)
    looks = np.zeros((photos, 578), dtype=np.float32)
    colors = random.gamma(0.05, size=(photos, 512))
    looks[:, 66:] = np.sqrt(colors / colors.sum(axis=1, keepdims=True))
    bodies = random.standard_normal((photos, 66))
    sure = random.random((photos, 1)) * (random.random((photos, 1)) < 0.5)
    looks[:, :66] = bodies * sure / np.linalg.norm(bodies, axis=1, keepdims=True)
    event = Event.objects.create(name="Everything")
    Photo.objects.bulk_create(
        (
            Photo(
                event=event,
                sha256=f"{number:064x}",
                name=f"{number}.jpg",
                format="JPEG",
                byte_size=1,
                width=1600,
                height=1200,
                state="done",
            )
            for number in range(photos)
        ),
        batch_size=2000,
    )
    pks = Photo.objects.order_by("pk").values_list("pk", flat=True)
    PhotoLook.objects.bulk_create(
        (
            PhotoLook(photo_id=pk, descriptor_id="bench", vector=look.astype("<f4").tobytes())
            for pk, look in zip(pks, looks, strict=True)
        ),
        batch_size=2000,
    )
    return looks


def table(figures: dict[str, dict[str, float]], photos: int) -> str:
    lines = [f"{photos:,} photos, 578 numbers each", f"{'':<13}{'median':>10}{'p95':>10}{'faster':>9}"]
    lines += [
        f"{name:<13}{one['median']:>8.1f} ms{one['p95']:>7.1f} ms{one['ratio']:>8.1f}x"
        for name, one in figures.items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
