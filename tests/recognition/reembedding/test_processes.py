"""A change of the embedder, and back, beside the processes of a site: two web servers, a worker, and people who read.

On PostgreSQL where DATABASE_URL names one, in a database of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import EMBEDDER_ID, SECOND_ID, draw_photo
from tests.labeling.test_at_once import environment
from tests.preloaded import run_preloaded
from tests.recognition.test_crash import ROOT
from tests.running_site import _free_port

__all__ = ["environment"]  # fixture
pytestmark = pytest.mark.slow
_COLORS = ["red", "green", "blue", "yellow", "purple", "cyan"]


def test_no_request_fails_and_no_name_is_lost_there_and_back(
    environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "photos").mkdir()
    for number in range(60):
        picture = draw_photo(_COLORS[number % 6], _COLORS[(number + 1) % 6], salt=number)
        (tmp_path / "photos" / f"{number}.png").write_bytes(picture)
    manage(environment, "migrate", "--verbosity", "0")
    manage(environment, "collectstatic", "--noinput", "--verbosity", "0")
    before = read(environment, _FILL)
    manage(environment, "ingest_photos", str(tmp_path / "photos"), "--event", "Later", "--no-process")
    statuses: Counter[int] = Counter()
    troubles: list[str] = []
    active = []
    with serving(environment, tmp_path) as address, reading(address, before, statuses, troubles):
        for command in (("--to", SECOND_ID), ("--back",), ("--to", SECOND_ID)):
            active.append(json.loads(manage(environment, "reembed", *command, "--json"))["embedder_id"])
            seen = sum(statuses.values())
            wait(lambda seen=seen: sum(statuses.values()) > seen + 60)
        wait(lambda: read(environment, _READ)["waiting"] == 0)
    after = read(environment, _READ)
    assert active == [SECOND_ID, EMBEDDER_ID, SECOND_ID]
    assert not troubles
    assert set(statuses) == {200}
    assert after["failed"] == 0
    for what in ("names", "verdicts", "rejections", "decisions"):
        assert [row for row in before[what] if row not in after[what]] == []


def manage(environment: dict[str, str], *command: str) -> str:
    done = run_preloaded("-m", "tests.crash_worker", *command, env=environment, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def read(environment: dict[str, str], code: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(manage(environment, "shell", "-c", code).splitlines()[-1])
    return found


@contextmanager
def serving(environment: dict[str, str], folder: Path) -> Iterator[str]:
    port = _free_port()
    given = {**environment, "FACEVAULT_PORT": str(port), "FACEVAULT_WEB_WORKERS": "2"}
    web = ["gunicorn", "--config", "python:facevault_site.gunicorn_conf", "tests.drawn_wsgi"]
    with (folder / "log").open("w") as log:
        running = [
            subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, env=given, stdout=log, stderr=log)
            for command in (web, ["tests.crash_worker", "run_worker"])
        ]
        try:
            yield f"http://localhost:{port}"
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(timeout=60)


@contextmanager
def reading(
    address: str, facts: dict[str, Any], statuses: Counter[int], troubles: list[str]
) -> Iterator[None]:
    """Three readers who ask for one page after the other, from the first that answers on."""
    stop = threading.Event()
    cookie = {"Cookie": f"sessionid={facts['session']}"}

    def ask(path: str) -> int:
        request = urllib.request.Request(address + path, headers=cookie)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                reply.read()
                return int(reply.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except urllib.error.URLError:
            return 0

    def keep(paths: list[str]) -> None:
        while not stop.is_set():
            for path in paths:
                statuses[status := ask(path)] += 1
                if status != 200:
                    troubles.append(f"{path}: {status}")

    wait(lambda: ask("/healthz/") == 200)
    threads = [threading.Thread(target=keep, args=(facts["paths"][turn:],)) for turn in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def wait(until: Any) -> None:
    end = time.monotonic() + 120
    while not until():
        assert time.monotonic() < end
        time.sleep(0.1)


_READ = """
import json
from labeling.models import Decision, Rejection
from recognition.models import Photo, Sighting, UnlabeledFace
human = Sighting.objects.filter(decided_by="human")
print(json.dumps({
    "names": list(human.values_list("face", "person", "is_reference", "decided_by_user")),
    "verdicts": list(UnlabeledFace.objects.exclude(verdict="").values_list("face", "verdict")),
    "rejections": list(Rejection.objects.values_list("face", "person", "decision")),
    "decisions": [[str(key), *rest] for key, *rest in Decision.objects.values_list("key", "kind", "person", "face", "actor")],
    "waiting": Photo.objects.filter(state__in=["queued", "processing"]).count(),
    "failed": Photo.objects.filter(state="failed").count(),
    **globals().get("more", {}),
}))
"""
_FILL = f"""
from django.contrib.auth.models import User
from django.test import Client
from recognition.models import Face, Person
from tests.recognition.reembedding.photos import fill
ada = User.objects.create_superuser("ada", password="correct horse battery")
fill(ada)
client = Client()
client.force_login(ada)
face = Face.objects.filter(unlabeled__reviewed=False).first().face_id
person = Person.objects.first().pk
more = {{"session": client.cookies["sessionid"].value, "paths": [
    "/", "/label/?event=", f"/label/{{face}}/", "/people/", f"/people/{{person}}/", "/people/may-be-one/", "/quality/embedder/",
    f"/api/v1/faces/{{face}}/suggestions/", "/api/v1/stats/", "/readyz/",
]}}
{_READ}
"""
