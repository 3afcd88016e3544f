"""A replay in an installation of its own: child processes with their own data folder, so that the live one is never touched."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from labeling.replay.inside import REFUSED
from labeling.replay.report import BEST, SINGLES, SIZE
from labeling.replay.truth import Truth, read_truth
from labeling.replay.walk import Walk
from recognition.embedders.weights import plan_weights

ORDERS = (BEST, SIZE, SINGLES)
_DATABASE = "facevault.sqlite3"
# Written last: a folder without it holds an ingest that was stopped.
_MARK = "ingested.json"


class ReplayFailed(RuntimeError):
    """The folder or a photo cannot be used, or a child process broke; the message says which."""


def replay(
    path: Path, *, embedder: str, keep: Path | None = None, seed: int | None = None
) -> tuple[Truth, dict[str, Walk]]:
    """The truth, and the walk in each order. With `keep` the photos are ingested there once, and found again.

    Raises TruthRefused, ReplayFailed.
    """
    path = path.resolve()
    truth = read_truth(path)
    with _folder(keep) as folder:
        ingested = folder / "ingested"
        told = json.dumps({"truth": hashlib.sha256(path.read_bytes()).hexdigest(), "embedder": embedder})
        mark = folder / _MARK
        if mark.exists():
            if mark.read_text() != told:
                raise ReplayFailed(
                    f"{folder} was made of another truth or by another embedder. Choose an empty folder."
                )
        elif any(folder.iterdir()):
            raise ReplayFailed(f"{folder} is not empty and holds no finished replay. Choose an empty folder.")
        else:
            _run_inside(ingested, ["ingest", str(path), "--embedder", embedder])
            mark.write_text(told)
        return truth, {order: _walk(folder, path, order, seed) for order in ORDERS}


def _walk(folder: Path, path: Path, order: str, seed: int | None) -> Walk:
    """In a copy of the database, which goes afterwards. Nothing of a walk needs the photos."""
    data = folder / f"walk-{order}"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    try:
        for part in (folder / "ingested").glob(f"{_DATABASE}*"):
            shutil.copy2(part, data)
        arguments = ["walk", str(path), "--order", order]
        answer = _run_inside(data, arguments if seed is None else [*arguments, "--seed", str(seed)])
        return Walk(**json.loads(answer))
    finally:
        shutil.rmtree(data, ignore_errors=True)


def _run_inside(data: Path, arguments: Sequence[str]) -> str:
    """What the child wrote; its progress goes where ours goes."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "facevault_site.settings",
        "FACEVAULT_DATA": str(data),
        "FACEVAULT_LOG_LEVEL": "WARNING",
        # Weights that were fetched lie in the live installation's folder.
        "FACEVAULT_WEIGHTS": str(plan_weights().path),
    }
    environment.pop("DATABASE_URL", None)
    command = [sys.executable, "-m", "labeling.replay.inside", str(data), *arguments]
    child = subprocess.Popen(  # noqa: S603
        command, cwd=settings.BASE_DIR, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        answer, _ = child.communicate()
    except BaseException:
        child.kill()
        child.wait()
        raise
    if child.returncode == REFUSED:
        raise ReplayFailed(answer)
    if child.returncode != 0:
        raise ReplayFailed(f"The replay stopped (exit {child.returncode}).")
    return answer


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield keep.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="facevault-replay-") as name:
        yield Path(name)
