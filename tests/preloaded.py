"""Processes forked off one that has imported the libraries: what tests start by the hundred begins in a tenth of the time."""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import IO, cast

ROOT = Path(__file__).resolve().parents[1]
# What reads no setting and starts no thread. The project's own modules are read by each process, under its own settings.
_LIBRARIES = [
    "numpy.lib.scimath",
    "scipy.optimize",
    "scipy.special",
    "scipy.linalg",
    "faiss",
    "PIL.Image",
    "PIL.JpegImagePlugin",
    "PIL.PngImagePlugin",
    "PIL.ImageOps",
    "pysqlite3",
    "sqlite3",
    "dj_database_url",
    "csp.constants",
    "tqdm",
    "uuid",
    "zipfile",
    "csv",
    "email.mime.text",
    "xml.etree.ElementTree",
    "django.core.management",
    "django.core.management.commands.migrate",
    "django.db.models",
    "django.db.migrations.executor",
    "django.db.backends.sqlite3.base",
    "django.forms",
    "django.urls",
    "django.http",
    "django.template.defaulttags",
    "django.test.client",
    "django.contrib.auth.hashers",
    "django.contrib.auth.password_validation",
    "django.core.cache.backends.locmem",
    "django.core.files.storage",
    "django.core.mail",
    "django.utils.log",
    "whitenoise.storage",
    "django_htmx.middleware",
    "django.core.management.commands.shell",
    "django.core.management.commands.check",
]


def run_preloaded(
    *command: str, env: Mapping[str, str], input: str = "", timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """As `python COMMAND` in the project's folder: a path, or `-m` and a module, and its arguments."""
    return _forge().run(command, env=env, input=input, timeout=timeout)


class _Forge:
    """The process that waits; one run at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.preloaded"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Read byte by byte: what a buffer has taken already, `select` does not see.
            bufsize=0,
        )
        atexit.register(self._end)

    def run(
        self, command: tuple[str, ...], *, env: Mapping[str, str], input: str, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        with self._lock, tempfile.TemporaryDirectory() as folder:
            told, said, complained = (Path(folder) / name for name in ("in", "out", "err"))
            told.write_text(input)
            order = {"command": command, "env": dict(env), "folder": folder}
            self._pipe(self._process.stdin).write(json.dumps(order).encode() + b"\n")
            pid = self._answer(timeout)
            try:
                code = self._answer(timeout)
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                self._answer(timeout)
                raise subprocess.TimeoutExpired(command, timeout, said.read_text()) from None
            return subprocess.CompletedProcess(
                command, code, said.read_text(errors="replace"), complained.read_text(errors="replace")
            )

    def _answer(self, timeout: float) -> int:
        answers = self._pipe(self._process.stdout)
        if not select.select([answers], [], [], timeout)[0]:
            raise TimeoutError
        line = answers.readline()
        assert line, "the process that waits has ended"
        return int(line)

    def _end(self) -> None:
        self._pipe(self._process.stdin).close()
        self._process.wait(timeout=60)
        self._pipe(self._process.stdout).close()

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        return cast("IO[bytes]", pipe)


_forges: list[_Forge] = []


def _forge() -> _Forge:
    if not _forges:
        _forges.append(_Forge())
    return _forges[0]


def _wait_for_orders() -> None:
    for name in _LIBRARIES:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os._exit(_obey(order))
        _tell(pid)
        _, status = os.waitpid(pid, 0)
        _tell(os.waitstatus_to_exitcode(status))


def _tell(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def _obey(order: dict[str, object]) -> int:
    """In the forked process: become `python COMMAND`; the exit status."""
    folder = Path(str(order["folder"]))
    for number, (name, flags) in enumerate(
        [("in", os.O_RDONLY), ("out", os.O_WRONLY | os.O_CREAT), ("err", os.O_WRONLY | os.O_CREAT)]
    ):
        os.dup2(os.open(folder / name, flags, 0o600), number)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, mode) for number, mode in enumerate("rww"))
    os.environ.clear()
    os.environ.update(cast("dict[str, str]", order["env"]))
    time.tzset()
    command = cast("list[str]", order["command"])
    try:
        if command[0] == "-m":
            sys.argv = command[1:]
            runpy.run_module(command[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = command
            runpy.run_path(str(ROOT / command[0]), run_name="__main__")
        code = 0
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - as the interpreter does at the end of a program
        traceback.print_exc()
        code = 1
    _end_as_the_interpreter_does()
    return code


def _end_as_the_interpreter_does() -> None:
    for other in threading.enumerate():
        if other is not threading.current_thread() and not other.daemon:
            other.join()
    atexit._run_exitfuncs()
    # The last connection that is closed brings SQLite's log into its file.
    if "django.db" in sys.modules:
        from django.db import connections

        connections.close_all()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()


if __name__ == "__main__":
    _wait_for_orders()
