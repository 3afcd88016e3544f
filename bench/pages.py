"""Server time and queries of every page, in a vault of 10,000 photos beside one of a hundredth: `python bench/pages.py`.

The ratio says how a page grows with the vault; seconds are this machine's. Each figure is the median of ROUNDS requests.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bench.vault import new_vault

ROUNDS = 7
LARGE = {"faces": 60_000, "people": 2_000, "unlabeled": 6_000, "clusters": 300}
SMALL = {"faces": 600, "people": 20, "unlabeled": 60, "clusters": 3}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", choices=["small", "large"], help=argparse.SUPPRESS)
    wanted = parser.parse_args().measure
    if wanted:
        sys.stdout.write(json.dumps(measure(LARGE if wanted == "large" else SMALL)))
        return
    # A process each: Django and the gallery's index know one database.
    small, large = (_measure_in_a_process(name) for name in ("small", "large"))
    print(
        f"{large['photos']:,} photos, {large['faces']:,} faces, {large['people']:,} people; medians of {ROUNDS}"
    )
    print(
        "ms: an administrator; half: a manager of every second event; 1/100: the administrator in the small vault"
    )
    print(f"{'page':<24}{'queries':>9}{'ms':>9}{'half':>9}{'1/100':>9}{'ratio':>8}")
    for name, (queries, ms, half) in sorted(large["pages"].items(), key=lambda item: -item[1][1]):
        small_ms = small["pages"][name][1]
        print(f"{name:<24}{queries:>9}{ms:>9.1f}{half:>9.1f}{small_ms:>9.1f}{ms / small_ms:>8.1f}")


def measure(size: dict[str, int]) -> dict[str, Any]:
    """By page: the administrator's queries and milliseconds, and the milliseconds of a manager of every second event."""
    with new_vault():
        from django.contrib.auth.models import User
        from django.core.management import call_command
        from django.db import connection
        from django.test import Client
        from django.test.utils import CaptureQueriesContext

        from recognition.models import Face, Person, Photo
        from tests.access.addresses import PAGES

        arguments = [part for name, value in size.items() for part in (f"--{name}", str(value))]
        with Path(os.devnull).open("w") as nowhere:
            call_command("build_demo_vault", *arguments, stdout=nowhere, stderr=nowhere)
            call_command("collectstatic", interactive=False, stdout=nowhere)
        everywhere, half = User.objects.create_superuser("ada"), User.objects.create_user("half")
        rows = _Rows(everywhere, half)
        clients = []
        for user in (everywhere, half):
            clients.append(Client(SERVER_NAME="localhost"))
            clients[-1].force_login(user)
        pages = {}
        for address in PAGES:
            medians = []
            for client in clients:
                times = []
                for _ in range(ROUNDS + 1):
                    with CaptureQueriesContext(connection) as captured:
                        started = time.perf_counter()
                        answer = client.get(address.path(rows))
                        times.append((time.perf_counter() - started) * 1000)
                if client is clients[0]:
                    queries = len(captured)
                    if answer.status_code not in {200, 302}:
                        sys.exit(f"{address.route} answered {answer.status_code}")
                medians.append(median(times[1:]))
            pages[address.name] = (queries, *medians)
        return {
            "photos": Photo.objects.count(),
            "faces": Face.objects.count(),
            "people": Person.objects.count(),
            "pages": pages,
        }


class _Rows:
    """The objects that addresses ask for: the largest event, its first photo, the person who is on most photos."""

    def __init__(self, user: Any, half: Any) -> None:
        from datetime import timedelta

        from django.db.models import Count
        from django.utils import timezone

        from access.models import EventGrant
        from access.tokens import create_token
        from labeling.models import Decision
        from recognition.models import Event, Export, Person, Probe, UnlabeledFace

        EventGrant.objects.bulk_create(
            EventGrant(user=half, event_id=pk, role="manager")
            for pk in Event.objects.order_by("pk").values_list("pk", flat=True)[::2]
        )
        soon = timezone.now() + timedelta(hours=1)
        event = Event.objects.annotate(size=Count("photos")).order_by("-size", "pk").first()
        person = Person.objects.annotate(size=Count("sightings")).order_by("-size").first()
        entry = UnlabeledFace.objects.open().select_related("face").first()
        assert event is not None
        assert person is not None
        assert entry is not None
        photo = event.photos.all()[0]
        decision = Decision.objects.create(kind="label", actor=user, face=entry.face, person=person)
        probe = Probe.objects.create(user=user, byte_size=1, width=9, height=9, expires_at=soon, state="done")
        self._values = {
            "event_pk": event.pk,
            "person_pk": person.pk,
            "photo_pk": photo.pk,
            "face_id": entry.face.face_id,
            "key": decision.key,
            "grant_pk": EventGrant.objects.create(user=user, event=event, role="viewer").pk,
            "prefix": create_token(user=user, name="bench", scopes=["read"], expires_at=soon).token.prefix,
            "export_id": Export.objects.create(user=user, event=event, expires_at=soon).export_id,
            "probe_id": probe.probe_id,
            "number": 1,
        }

    def fill(self, parameter: str) -> Any:
        return self._values[parameter]


def _measure_in_a_process(name: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--measure", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr[-3000:])
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
