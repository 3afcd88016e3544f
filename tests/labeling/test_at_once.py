"""Labelers, merges, undos, two workers, uploads and second looks at once, and kills in between: nothing is lost or half done.

On PostgreSQL where DATABASE_URL names one, in a database of its own.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.labeling.at_once import read_told
from tests.new_vault import copy_new_vault
from tests.preloaded import run_preloaded
from tests.recognition.test_crash import ROOT

_KILL = -9


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Of an empty vault; the lease of a killed worker runs out soon."""
    given = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "facevault_site.settings",
        "FACEVAULT_DATA": str(tmp_path / "vault"),
        "FACEVAULT_LEASE_SECONDS": "2",
        "FACEVAULT_LOG_LEVEL": "ERROR",
    }
    server = given.pop("DATABASE_URL", "")
    if not server.startswith("postgres"):
        copy_new_vault(tmp_path / "vault")
        yield given
        return
    import psycopg

    name = f"at_once_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            yield {**given, "DATABASE_URL": urlunsplit(urlsplit(server)._replace(path=f"/{name}"))}
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def run(environment: dict[str, str], *command: str) -> str:
    done = run_preloaded(*command, env=environment, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("labelers", "seconds", "kills"),
    [
        pytest.param(2, 4.0, 2, id="for a moment"),
        pytest.param(4, 45.0, 15, id="for long", marks=pytest.mark.slow),
    ],
)
def test_a_queue_that_everybody_works_on_stays_whole(
    environment: dict[str, str], tmp_path: Path, labelers: int, seconds: float, kills: int
) -> None:
    told = tmp_path / "told"
    told.mkdir()
    run(environment, "manage.py", "migrate", "--verbosity", "0")
    run(environment, "-m", "tests.labeling.at_once", "begin")
    clock, number = random.Random(1), 0
    end = time.monotonic() + seconds + 3

    def start(part: str) -> subprocess.Popen[str]:
        nonlocal number
        number += 1
        left = str(max(seconds / 2, end - time.monotonic()))
        return subprocess.Popen(
            [sys.executable, "-m", "tests.labeling.at_once", part, str(number), left, str(told)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    parts = ["tend", "tend", "work", *["label"] * labelers]
    running = [(part, start(part)) for part in parts]
    over: list[subprocess.Popen[str]] = []
    for _ in range(kills):
        time.sleep(seconds / (kills + 1))
        place = clock.randrange(len(running))
        part, process = running[place]
        process.kill()
        over.append(process)
        running[place] = (part, start(part))
    said = [process.communicate(timeout=120)[0] for process in (*over, *(process for _, process in running))]
    codes = [process.returncode for process in (*over, *(process for _, process in running))]
    assert set(codes) <= {0, _KILL}, "\n".join(said)
    # On a busy machine most of the time goes into starting; with nothing decided nothing would be proven.
    assert len(read_told(told)) >= labelers
    assert run(environment, "-m", "tests.labeling.at_once", "check", "0", "0", str(told)) == ""
