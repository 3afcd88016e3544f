"""Writers and readers that are processes of their own, on one real database file."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.new_vault import copy_new_vault

ROOT = Path(__file__).resolve().parents[2]
PREAMBLE = """
import json, sys
import django
django.setup()
import numpy as np
from django.db import connection, transaction
from recognition.gallery_index import GalleryIndex, IndexOptions
from recognition.models import Face, Sighting
from tests.factories import *
VECTORS = unit_vectors(400, 16, seed=9)
index = GalleryIndex(EMBEDDER_ID, 16, IndexOptions(ivf_from=30, nprobe=10_000))
def hits(row, k=1000):
    return [hit.face_pk for hit in index.search(VECTORS[row:row + 1], k).hits[0]]
"""
# Runs the lines that it is given and answers each with its result.
SERVE = """
for line in sys.stdin:
    print(json.dumps(eval(line)), flush=True)
"""
LABEL = """
seat = sys.stdin.readline().strip()
photo = make_photo(make_event("of " + seat))
def label(row):
    return make_reference(make_person(), VECTORS[row], photo=photo).pk
def delete(pk):
    delete_face(Face.objects.get(pk=pk))
def label_and_roll_back(row):
    with transaction.atomic():
        pk = label(row)
        transaction.set_rollback(True)
    return pk
"""


class Process:
    def __init__(self, code: str, env: dict[str, str], first_line: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PREAMBLE + code],
            env=env,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._write(first_line)

    def ask(self, line: str) -> Any:
        self._write(line)
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())

    def _write(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def finish(self) -> int:
        self._process.communicate(timeout=60)
        return self._process.returncode

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


Start = Callable[[str], Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    vault = copy_new_vault(tmp_path / "vault")
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "facevault_site.settings",
        "FACEVAULT_DATA": str(vault),
        "DATABASE_URL": f"sqlite:///{vault / 'facevault.sqlite3'}",
        "FACEVAULT_LOG_LEVEL": "WARNING",
        "OMP_NUM_THREADS": "1",
    }
    env.pop("FACEVAULT_TEST_DATA", None)
    running: list[Process] = []

    def start_one(code: str) -> Process:
        running.append(Process(code, env, first_line=str(len(running))))
        return running[-1]

    yield start_one
    for process in running:
        process.kill()


def test_what_one_process_commits_the_next_search_of_every_other_sees(start: Start) -> None:
    writer, *readers = [start(LABEL + SERVE) for _ in range(3)]
    everybody = [writer, *readers]
    faces: list[int] = []
    for row in range(40):  # over the line where the index becomes IVFFlat
        faces.append(writer.ask(f"label({row})"))
        for process in everybody:
            assert process.ask(f"hits({row}, 1)") == [faces[row]]
    for row in range(0, 40, 4):
        writer.ask(f"delete({faces[row]})")
        for process in everybody:
            assert faces[row] not in process.ask(f"hits({row})")
    gone = writer.ask("label_and_roll_back(50)")
    left = sorted(face for row, face in enumerate(faces) if row % 4)
    for process in everybody:
        found = process.ask("hits(50)")
        assert gone not in found
        assert sorted(found) == left


def test_many_writers_and_readers_at_once_never_show_what_is_gone_or_miss_what_is_there(start: Start) -> None:
    write = """
mine = {}
for step in range(25):
    row = int(seat) * 100 + step
    mine[row] = label(row)
    assert hits(row, 1) == [mine[row]], "a committed label was not found"
    if step % 2:
        pk = mine.pop(row - 1)
        delete(pk)
        assert pk not in hits(row - 1), "a deleted face was found"
assert set(mine.values()) <= set(hits(0))
"""
    read = """
last, ever = -1, set()
def labeled():
    return set(Sighting.objects.values_list("face_id", flat=True))
for step in range(80):
    before = labeled()
    ever |= before
    result = index.search(VECTORS[:1], 1000)
    after = labeled()
    found = [hit.face_pk for hit in result.hits[0]]
    assert result.version >= last and len(found) == len(set(found))
    assert before & after <= set(found), "a committed label was not found"
    assert not (ever - before) & set(found), "a deleted face was found"
    last = result.version
"""
    writers = [start(LABEL + write) for _ in range(3)]
    readers = [start(read) for _ in range(2)]
    assert [process.finish() for process in [*writers, *readers]] == [0] * 5
    check = start(LABEL + SERVE)
    assert sorted(check.ask("hits(0)")) == check.ask(
        "sorted(Sighting.objects.values_list('face_id', flat=True))"
    )
    assert check.ask("index.status().count") == 3 * 13
