"""Embedding files in and out: rows per second, and how much memory it takes, which must not grow with the number of faces.

Each row is a process of its own over the same vault; "all at once" holds every row in memory, as a short script would.
"""

from __future__ import annotations

import argparse
import csv
import filecmp
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.vault import ROOT, new_vault

EMBEDDER_ID = "imported-bench-512d"
DIMENSION = 512
FACES_PER_PHOTO = 4
_AT_ONCE = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=20_000, help="in the database and in the files")
    parser.add_argument("--imported", type=int, default=2_000, help="how many of them are really imported")
    parser.add_argument("--measure", nargs=2, metavar=("WAY", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        _measure(options.measure[0], Path(options.measure[1]))
        return
    with new_vault() as vault:
        _fill(options.faces)
        whole, some = vault / "files", vault / "some"
        print(f"{'way':<40} {'faces':>9} {'s':>7} {'faces/s':>9} {'peak MB':>8} {'beyond':>7}")
        base = _row(vault, "nothing", whole, 0, None)
        _row(vault, "export_embeddings", whole, options.faces, base)
        _row(vault, "export, all at once", vault / "at-once", options.faces, base)
        same = (whole / "face_embeddings.npy").read_bytes() == (
            vault / "at-once" / "vectors.npy"
        ).read_bytes()
        print(f"the two matrices are {'the same' if same else 'DIFFERENT'}")
        _row(vault, "import_embeddings --dry-run", whole, options.faces, base)
        _row(vault, "reading, all at once", whole, options.faces, base)
        for faces in (options.imported // 4, options.imported):
            _make_files(some, faces)
            _row(vault, "import_embeddings", some, faces, base)
        _row(vault, "export_embeddings --import", vault / "back", options.imported, base)
        back = [filecmp.cmp(vault / "back" / path.name, path, shallow=False) for path in some.iterdir()]
        print(f"what was imported comes back {'byte for byte' if all(back) else 'DIFFERENT'}")


def _row(vault: Path, way: str, folder: Path, faces: int, base: float | None) -> float:
    done = subprocess.run(
        [sys.executable, "-m", "bench.embedding_files", "--measure", way, str(folder)],
        cwd=ROOT,
        env={**os.environ, "FACEVAULT_DATA": str(vault)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    peak, seconds = found["peak"], found["seconds"]
    if base is not None:
        print(
            f"{way:<40} {faces:>9,} {seconds:>7.1f} {faces / seconds:>9,.0f} {peak / 1e6:>8.0f} "
            f"{(peak - base) / 1e6:>7.0f}",
            flush=True,
        )
    return peak


def _measure(way: str, folder: Path) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "facevault_site.settings"
    import django

    django.setup()
    ways: dict[str, Callable[[Path], object]] = {
        "nothing": lambda folder: None,
        "export_embeddings": lambda folder: _command("export_embeddings", folder, "--embedder", EMBEDDER_ID),
        "export, all at once": _export_at_once,
        "import_embeddings --dry-run": lambda folder: _import(folder, "--dry-run"),
        "reading, all at once": _read_at_once,
        "import_embeddings": lambda folder: _import(folder, "--imported-as", "bench"),
        "export_embeddings --import": _export_newest,
    }
    started = time.perf_counter()
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        ways[way](folder)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "peak": _peak()}))


def _peak() -> int:
    """The most memory this process ever held. The kernel's usual answer, ru_maxrss, begins with what its parent held."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def _command(name: str, folder: Path, *options: str) -> None:
    from django.core.management import call_command

    call_command(name, str(folder), *options)


def _import(folder: Path, *options: str) -> None:
    refused = f"--refused={folder.parent / 'refused.csv'}"
    _command("import_embeddings", folder, "--event", f"Files of {folder.name}", refused, *options)


def _export_newest(folder: Path) -> None:
    from recognition.models import FaceImport

    _command("export_embeddings", folder, "--import", str(FaceImport.objects.latest("pk").pk))


def _export_at_once(folder: Path) -> None:
    from recognition.models import Embedding, Face

    folder.mkdir()
    rows = dict(
        Embedding.objects.with_vectors().filter(embedder_id=EMBEDDER_ID).values_list("face_id", "vector")
    )
    faces = list(Face.objects.filter(pk__in=Embedding.objects.values("face")).select_related("photo"))
    np.save(folder / "vectors.npy", np.stack([np.frombuffer(rows[face.pk], dtype="<f4") for face in faces]))
    with (folder / "metadata.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        for face in faces:
            writer.writerow([face.face_id, face.photo.sha256, face.left, face.top, face.width, face.height])


def _read_at_once(folder: Path) -> None:
    vectors = np.load(folder / "face_embeddings.npy")
    with (folder / "face_metadata.csv").open(newline="") as file:
        rows = {row["face_id"]: row for row in csv.DictReader(file)}
    with (folder / "face_embedding_index.csv").open(newline="") as file:
        index = [row["face_id"] for row in csv.DictReader(file)]
    norms = np.linalg.norm(vectors, axis=1)
    assert len(rows) == len(index) == len(norms)


def _make_files(folder: Path, faces: int) -> None:
    """Without crops and photos: what is measured is rows, not the decoding of pictures."""
    folder.mkdir(exist_ok=True)
    np.save(folder / "face_embeddings.npy", _vectors(faces, seed=faces))
    with (folder / "face_embedding_index.csv").open("w") as index:
        index.write("face_id\n" + "".join(f"face-{number}\n" for number in range(faces)))
    with (folder / "face_metadata.csv").open("w") as metadata:
        metadata.write("face_id,image_path,x1,y1,x2,y2,score\n")
        for number in range(faces):
            left = 100 + 250 * (number % FACES_PER_PHOTO)
            photo = number // FACES_PER_PHOTO
            metadata.write(f"face-{number},day1/{photo:07}.jpg,{left},200,{left + 150},390.5,0.99\n")


def _vectors(count: int, *, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((count, DIMENSION), dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype("<f4")


def _fill(faces: int) -> None:
    """Photos with four faces each and their vectors; neither files nor queue entries, which no export reads."""
    from django.db import transaction

    from recognition.models import Embedding, Event, Face, Photo

    event = Event.objects.create(name=f"{faces} faces")
    for start in range(0, faces, _AT_ONCE):
        count = min(_AT_ONCE, faces - start)
        with transaction.atomic():
            photos = Photo.objects.bulk_create(
                Photo(
                    event=event,
                    sha256=f"{start + number:064x}",
                    name=f"IMG_{start + number:07}.jpg",
                    format="JPEG",
                    byte_size=1,
                    width=1200,
                    height=800,
                    state=Photo.State.DONE,
                )
                for number in range(-(-count // FACES_PER_PHOTO))
            )
            rows = Face.objects.bulk_create(
                Face(
                    photo=photos[number // FACES_PER_PHOTO],
                    left=100.0 + 250 * (number % FACES_PER_PHOTO),
                    top=200,
                    width=150,
                    height=190,
                    landmarks=[],
                    detector_score=0.99,
                    size=150,
                    sharpness=200,
                    yaw=0,
                    pitch=0,
                    roll=0,
                    crop="0" * 64,
                )
                for number in range(count)
            )
            Embedding.objects.bulk_create(
                Embedding(face=face, embedder_id=EMBEDDER_ID, vector=vector.tobytes())
                for face, vector in zip(rows, _vectors(count, seed=start), strict=True)
            )


if __name__ == "__main__":
    main()
