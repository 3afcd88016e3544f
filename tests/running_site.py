"""A whole site in a folder of its own, started as `make run` starts it, and the browser that looks at it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.new_vault import copy_new_vault
from tests.preloaded import run_preloaded

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = next(
    (
        found
        for name in (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
        if name and (found := shutil.which(name))
    ),
    None,
)
# A browser in a closed network must not look for updates; without a GPU and without a user namespace it needs the rest.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_START_SECONDS = 90
_SERVER = ["gunicorn", "--config", "python:facevault_site.gunicorn_conf", "facevault_site.wsgi"]


@dataclass(frozen=True, slots=True)
class Site:
    """A running installation; `manage` runs a management command in it."""

    address: str
    data: Path
    environment: dict[str, str]

    def manage(self, *arguments: str, code: str = "") -> str:
        """The command's output; `code` is its standard input. Raises AssertionError with all it said if it fails."""
        done = run_preloaded("manage.py", *arguments, env=self.environment, input=code)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@contextmanager
def run_site(data: Path, *, workers: int, ready: bool = False) -> Iterator[Site]:
    """Two web server processes and so many workers on a free port; stopped at the end, the data stays.

    A folder that is not there yet begins with its tables: that the start makes them is tests/test_run.py's matter.

    A folder that is `ready`, a copy of one that a site ran on, is served as it is, by one process and without a worker:
    that starts in half the time.
    """
    port = _free_port()
    environment = {
        **_environment_of(data),
        "FACEVAULT_PORT": str(port),
        "FACEVAULT_WORKERS": str(workers),
        "PYTHONUNBUFFERED": "1",
    }
    if ready:
        environment["FACEVAULT_WEB_WORKERS"] = "1"
    if not data.exists():
        copy_new_vault(data)
    log = data.with_suffix(".log")
    with log.open("w") as output:
        command = [sys.executable, "-m", *(_SERVER if ready else ["facevault_site.run"])]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            site = Site(f"http://localhost:{port}", data, environment)
            _wait_for(site.address + "/healthz/", process, log)
            yield site
        finally:
            process.terminate()
            process.wait(timeout=60)


def prepare_site(data: Path) -> Site:
    """All that the start of a site does but for serving it, for a folder that is not there yet."""
    copy_new_vault(data)
    site = Site("", data, _environment_of(data))
    site.manage("shell", code="from facevault_site.run import prepare; prepare()")
    return site


def _environment_of(data: Path) -> dict[str, str]:
    own = {"DATABASE_URL", "FACEVAULT_SECRET_KEY", "FACEVAULT_WEIGHTS"}
    return {
        **{name: value for name, value in os.environ.items() if name not in own},
        "DJANGO_SETTINGS_MODULE": "facevault_site.settings",
        "FACEVAULT_DATA": str(data),
        "FACEVAULT_LOG_LEVEL": "WARNING",
        "FACEVAULT_LOOK_SEARCH": "yes",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=5) as reply:
                if reply.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise AssertionError(f"the site did not start: {log.read_text()}")
