"""`make run`'s supervisor: starts, says where, and leaves nothing behind however it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from facevault_site.run import Child, _web, _worker
from tests.new_vault import copy_new_vault

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def environment_of(data: Path, port: int) -> dict[str, str]:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "facevault_site.settings",
        "FACEVAULT_DATA": str(data),
        "FACEVAULT_PORT": str(port),
        "FACEVAULT_WORKERS": "0",
        "FACEVAULT_WEB_WORKERS": "1",
    }
    environment.pop("DATABASE_URL", None)
    return environment


@pytest.fixture
def data(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with its tables, or one that is "empty": making them at each start takes long."""
    return tmp_path if hasattr(request, "param") else copy_new_vault(tmp_path / "vault")


@pytest.fixture
def running(data: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "facevault_site.run"],
        cwd=ROOT,
        env=environment_of(data, port),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "FaceVault is at" in line:
                break
        wait_until(lambda: answers(port))
        yield process
        process.kill()


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz/", timeout=2) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def wait_until(condition: object, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_asked_to_stop_it_stops_the_web_server_too(
    running: subprocess.Popen[str], port: int, signum: signal.Signals
) -> None:
    running.send_signal(signum)
    assert running.wait(30) == 0
    assert not answers(port)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
@pytest.mark.parametrize("data", ["empty"], indirect=True)
def test_killed_it_leaves_no_web_server_behind(running: subprocess.Popen[str], port: int) -> None:
    running.kill()
    wait_until(lambda: not answers(port))


def test_a_second_one_on_the_same_port_says_what_to_do(
    running: subprocess.Popen[str], data: Path, port: int
) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "facevault_site.run"],
        cwd=ROOT,
        env=environment_of(data, port),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert f"Port {port}" in second.stdout
    assert "FACEVAULT_PORT=" in second.stdout


def test_a_web_server_that_dies_is_started_again(running: subprocess.Popen[str], port: int) -> None:
    master = next(
        int(path.name)
        for path in Path("/proc").iterdir()
        if path.name.isdigit() and parent_of(path) == running.pid
    )
    os.kill(master, signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{master}").exists())
    wait_until(lambda: answers(port))


def parent_of(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def test_a_worker_gives_way_to_the_web_server() -> None:
    assert [child.nice > _web().nice for child in (_worker(0), _worker(1))] == [True, True]


def test_a_child_runs_as_nice_as_it_is_asked_to() -> None:
    child = Child("sleeper", ["sleep", "60"], nice=3)
    child.start()
    try:
        assert child.process is not None
        assert os.getpriority(os.PRIO_PROCESS, child.process.pid) == os.getpriority(os.PRIO_PROCESS, 0) + 3
    finally:
        child.ask_to_stop()
        child.wait_or_kill(time.monotonic() + 10)
