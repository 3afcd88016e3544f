"""Builds FaceDatabaseFAISS stores with torch, faiss and sqlite3 alone, and reads them the same way: none of our code."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

START = datetime(2026, 3, 1, 18, 30, 5)  # noqa: DTZ001 - the program writes local time without a zone
_SCHEMA = """
    CREATE TABLE persons ({key} INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, first_seen TEXT,
        last_seen TEXT, visit_count INTEGER DEFAULT 0, notes TEXT DEFAULT '');
    CREATE TABLE sightings (id INTEGER PRIMARY KEY AUTOINCREMENT, person_id INTEGER, timestamp TEXT, similarity REAL,
        notes TEXT DEFAULT '');
    CREATE TABLE unlabeled (id INTEGER PRIMARY KEY AUTOINCREMENT, image_path TEXT, embedding_path TEXT,
        timestamp TEXT, reviewed INTEGER DEFAULT 0);
"""


@dataclass
class Read:
    """A store as anybody sees it who has torch, sqlite3 and Pillow."""

    people: list[tuple[Any, ...]]
    visits: list[tuple[Any, ...]]
    entries: list[tuple[Any, ...]]
    vectors: dict[int, NDArray[np.float32]]
    kinds: dict[int, str]
    crops: dict[str, bytes] = field(default_factory=dict)
    queue_vectors: dict[str, bytes] = field(default_factory=dict)


def unit_vectors(count: int, dimension: int, seed: int = 0) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).normal(size=(count, dimension))
    unit: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def build_store(
    folder: Path,
    *,
    people: int = 4,
    each: int = 3,
    waiting: int = 3,
    labeled: int = 0,
    dimension: int = 128,
    kind: str = "matrix",
    key: str = "person_id",
    index: bool = True,
    name: str = "lumemoria.db",
    seed: int = 0,
) -> Path:
    """`people` with `each` references, two visits each; `waiting` queue entries, and `labeled` ones whose vector is the
    last reference of the first people."""
    (folder / "embeddings").mkdir(parents=True)
    (folder / "unlabeled").mkdir()
    vectors = unit_vectors(people * each + waiting, dimension, seed)
    with closing(sqlite3.connect(folder / name)) as database:
        database.executescript(_SCHEMA.format(key=key))
        for number in range(1, people + 1):
            seen = START + timedelta(days=number)
            database.execute(
                "INSERT INTO persons VALUES (?, ?, ?, ?, ?, ?)",
                (
                    number,
                    f"Guest {number}",
                    seen.isoformat(),
                    (seen + timedelta(hours=2)).isoformat(),
                    2,
                    f"likes {number} olives",
                ),
            )
            for visit in range(2):
                database.execute(
                    "INSERT INTO sightings (person_id, timestamp, similarity, notes) VALUES (?, ?, ?, ?)",
                    (number, (seen + timedelta(hours=visit)).isoformat(), 0.7 + visit / 10, f"door {visit}"),
                )
            write_person(folder, number, vectors[(number - 1) * each : number * each], kind)
        for place in range(labeled + waiting):
            stem = f"{(START + timedelta(minutes=place)):%Y-%m-%d_%H-%M-%S}_{place}"
            done = place < labeled
            vector = vectors[(place + 1) * each - 1] if done else vectors[people * each + place - labeled]
            write_entry(folder, stem, vector, seed=seed + place)
            database.execute(
                "INSERT INTO unlabeled (image_path, embedding_path, timestamp, reviewed) VALUES (?, ?, ?, ?)",
                (
                    f"C:\\greeter\\unlabeled\\{stem}.png" if place % 2 else f"data/unlabeled/{stem}.png",
                    f"/home/greeter/unlabeled/{stem}.pt",
                    (START + timedelta(minutes=place)).isoformat(),
                    int(done),
                ),
            )
        database.commit()
    if index:
        write_index(folder)
    return folder


def write_person(folder: Path, number: int, rows: NDArray[np.float32], kind: str) -> None:
    tensor = torch.from_numpy(rows.copy())
    value: Any = [row.clone() for row in tensor] if kind == "list" else tensor
    torch.save(value, folder / "embeddings" / f"person_{number}.pt")


def write_entry(folder: Path, stem: str, vector: NDArray[np.float32], *, seed: int) -> None:
    torch.save(torch.from_numpy(vector.copy()), folder / "unlabeled" / f"{stem}.pt")
    pixels = np.random.default_rng(1000 + seed).integers(0, 256, (60 + seed % 7, 48, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "unlabeled" / f"{stem}.png")


def write_index(folder: Path) -> None:
    """By the program's own rule."""
    mapping: list[int] = []
    rows: list[NDArray[np.float32]] = []
    for number, vectors in sorted(read_store(folder).vectors.items()):
        mapping += [number] * len(vectors)
        rows += list(vectors)
    matrix = np.stack(rows)
    index: Any = faiss.IndexFlatIP(matrix.shape[1])
    if len(matrix) >= 5000:
        index = faiss.IndexIVFFlat(
            index, matrix.shape[1], min(100, len(matrix) // 10), faiss.METRIC_INNER_PRODUCT
        )
        index.train(matrix)
        index.nprobe = 10
    index.add(matrix)
    faiss.write_index(index, str(folder / "faiss_index.bin"))
    (folder / "faiss_mapping.json").write_text(json.dumps(mapping))


def read_store(folder: Path) -> Read:
    [path] = folder.glob("*.db")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        people, visits, entries = (
            database.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()
            for table in ("persons", "sightings", "unlabeled")
        )
    read = Read(people, visits, entries, {}, {})
    for file in (folder / "embeddings").glob("person_*.pt"):
        value = torch.load(file, weights_only=True)
        number = int(file.stem.removeprefix("person_"))
        read.kinds[number] = "list" if isinstance(value, list) else "matrix"
        read.vectors[number] = (torch.stack(value) if isinstance(value, list) else value).numpy()
    for file in (folder / "unlabeled").iterdir():
        if file.suffix == ".png":
            read.crops[file.name] = np.asarray(Image.open(file).convert("RGB")).tobytes()
        else:
            read.queue_vectors[file.name] = torch.load(file, weights_only=True).numpy().tobytes()
    return read


def find_top_k(folder: Path, query: NDArray[np.float32], k: int) -> list[tuple[int, float]]:
    """As the program answers, exactly: the nearest of each person's vectors, best first."""
    best = {number: float((rows @ query).max()) for number, rows in read_store(folder).vectors.items()}
    return sorted(best.items(), key=lambda one: -one[1])[:k]


def ask_index(folder: Path, query: NDArray[np.float32], k: int) -> list[tuple[int, float]]:
    """The program's own code path: its index and its mapping, each person's best hit."""
    index = faiss.read_index(str(folder / "faiss_index.bin"))
    mapping = json.loads((folder / "faiss_mapping.json").read_text())
    scores, rows = index.search(query[np.newaxis], index.ntotal)
    best: dict[int, float] = {}
    for score, row in zip(scores[0], rows[0], strict=True):
        if row >= 0:
            best.setdefault(mapping[row], float(score))
    return list(best.items())[:k]
