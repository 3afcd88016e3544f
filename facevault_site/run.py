"""`make run`: bring an installation up to date, then run the web server and one worker until Ctrl-C."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from types import FrameType

import django
from django.conf import settings
from django.core.management import call_command

from facevault_site.env import env_int, env_str

_WORKER_NICE = 5
# A worker that dies at once again and again must not spin.
_RESTART_SECONDS = (1.0, 5.0, 30.0)
_STOP_SECONDS = 20.0
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Child:
    """One process that is started again when it dies: an out-of-memory kill must not stop the others."""

    def __init__(self, name: str, command: list[str], *, nice: int = 0) -> None:
        self.name = name
        self._command = command
        self.nice = nice
        self._failures = 0
        self._next_start = 0.0
        self._started = 0.0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        # A group of its own: Ctrl-C reaches us alone, and we stop them in order.
        self.process = subprocess.Popen(  # noqa: S603
            self._command, start_new_session=True, preexec_fn=self._begin
        )
        self._started = time.monotonic()

    def _begin(self) -> None:
        _die_with_parent()
        os.nice(self.nice)

    def keep_running(self) -> None:
        if self.process is None:
            if time.monotonic() >= self._next_start:
                self.start()
        elif (code := self.process.poll()) is not None:
            self._failures = 0 if time.monotonic() - self._started > 60 else self._failures + 1
            wait = _RESTART_SECONDS[min(self._failures, len(_RESTART_SECONDS)) - 1] if self._failures else 0.0
            _say(f"The {self.name} stopped (exit {code}); it is started again in {wait:.0f} s.")
            self._next_start = time.monotonic() + wait
            self.process = None

    def ask_to_stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait_or_kill(self, deadline: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "facevault_site.settings")
    django.setup()
    host, port = env_str("FACEVAULT_BIND", "127.0.0.1"), env_int("FACEVAULT_PORT", 8000, minimum=1)
    if not _is_free(host, port):
        _say(
            f"Port {port} on {host} is in use. Stop what uses it, or choose another: FACEVAULT_PORT=8001 make run"
        )
        return 1
    if not env_str("FACEVAULT_HOSTS") and host not in {"127.0.0.1", "::1", "localhost"}:
        _say(
            "Others can reach this site only by a name that it knows: set FACEVAULT_HOSTS to the server's host names."
        )
    prepare()
    workers = [_worker(number) for number in range(env_int("FACEVAULT_WORKERS", 1))]
    address = f"http://{'localhost' if host == '127.0.0.1' else host}:{port}/"
    return _run([_web(), *workers], address)


def prepare() -> None:
    """Database, static files, administrator, embedder: each step does nothing where it is done already."""
    from access.administrators import create_first_administrator
    from recognition.active_embedder import ensure_active_embedder
    from recognition.embedders import choose_embedder

    settings.FACEVAULT_DATA.mkdir(parents=True, exist_ok=True)
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    active = ensure_active_embedder(choose_embedder)
    _say(f"Embedder: {active.embedder_id} ({active.reason})")
    if account := create_first_administrator():
        _say(
            f"\n    Administrator: {account.name}\n    Password:      {account.password}\n\n"
            "    Shown this once. Change it after signing in.\n"
        )


def _web() -> Child:
    config = ("--config", "python:facevault_site.gunicorn_conf")
    return Child("web server", [sys.executable, "-m", "gunicorn", *config, "facevault_site.wsgi:application"])


def _worker(number: int) -> Child:
    # Whoever waits for a page comes first: the worker looks at the queue again after every decision.
    return Child(f"worker {number + 1}", [sys.executable, "manage.py", "run_worker"], nice=_WORKER_NICE)


def _run(children: list[Child], address: str) -> int:
    stop: list[int] = []

    def ask(signum: int, frame: FrameType | None) -> None:
        stop.append(signum)

    # A closed terminal hangs up: without a handler the web server would live on and hold the port.
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, ask)
    for child in children:
        child.start()
    _say(f"FaceVault is at {address}  (Ctrl-C stops it)")
    while not stop:
        for child in children:
            child.keep_running()
        time.sleep(0.2)
    _say("Stopping; the photo in hand is finished first.")
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + _STOP_SECONDS
    for child in children:
        child.wait_or_kill(deadline)
    return 0


def _die_with_parent() -> None:
    """Linux: a child whose parent was killed gets SIGTERM; elsewhere it lives on until it is stopped by hand."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
