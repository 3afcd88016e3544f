"""How much memory a ZIP takes while a web server's process sends it: it must not grow with the number of photos.

Each row is a process of its own over the same vault; "in memory" builds the same ZIP before it sends anything.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.vault import ROOT, new_vault

PHOTO_BYTES = 1_000_000
FACES_PER_PHOTO = 3
_PAGE = os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, nargs="+", default=[200, 2000])
    parser.add_argument("--measure", nargs=2, metavar=("EVENT", "WAY"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        _measure(int(options.measure[0]), options.measure[1])
        return
    with new_vault() as folder:
        (folder / "static").mkdir(exist_ok=True)
        events = [(count, _fill(count)) for count in options.photos]
        print(f"{'photos':>7} {'way':<20} {'MB sent':>8} {'s':>6} {'growth MB':>10} {'share':>8}")
        for count, event in events:
            for way in ("streamed", "streamed with names", "in memory"):
                found = _measure_apart(folder, event, way)
                print(
                    f"{count:>7} {way:<20} {found['sent'] / 1e6:>8.0f} {found['seconds']:>6.1f} "
                    f"{found['growth'] / 1e6:>10.1f} {found['growth'] / found['sent']:>8.2%}"
                )


def _measure_apart(folder: Path, event: int, way: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.export_memory", "--measure", str(event), way],
        cwd=ROOT,
        env={**os.environ, "FACEVAULT_DATA": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _measure(event_pk: int, way: str) -> None:
    """In a fresh process: the page itself through the whole stack of the site, as gunicorn calls it."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "facevault_site.settings"
    os.environ["FACEVAULT_EXPORT_DIRECT"] = "1000000"
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(username="boss"))
    # Everything that a process loads once is loaded before the measurement.
    client.get(f"/events/{event_pk}/export/list.csv").getvalue()
    names = "&names=1" if "names" in way else ""
    address = f"/events/{event_pk}/export/photos.zip?faces=all{names}"
    first: Any = client.get(address)
    next(iter(first.streaming_content))
    first.close()
    with _Peak() as peak:
        started = time.perf_counter()
        if way == "in memory":
            sent = _send_at_once(event_pk)
        else:
            response: Any = client.get(address)
            sent = sum(len(piece) for piece in response.streaming_content)
        seconds = time.perf_counter() - started
    print(json.dumps({"sent": sent, "seconds": seconds, "growth": peak.growth}))


def _send_at_once(event_pk: int) -> int:
    from recognition.models import Photo
    from recognition.storage import original_path

    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        for photo in Photo.objects.filter(event=event_pk):
            archive.write(original_path(photo.sha256, photo.format), photo.name)
    return len(whole.getvalue())


class _Peak:
    """The most memory (RSS) that the process held beyond what it held before, looked at every 5 ms."""

    def __enter__(self) -> _Peak:
        self.growth = 0
        self._before = _resident()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.005):
            self.growth = max(self.growth, _resident() - self._before)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


def _fill(photos: int) -> int:
    """An event of so many photos of about a megabyte, three named faces on each; returns its primary key."""
    from django.contrib.auth.models import User
    from django.db import transaction
    from django.utils import timezone
    from PIL import Image

    from recognition.models import Event, Face, Person, Photo, Sighting
    from recognition.storage import original_path, write_file

    if not User.objects.filter(username="boss").exists():
        User.objects.create_superuser("boss")
    event = Event.objects.create(name=f"{photos} photos")
    people = [Person.objects.create(name=f"Person {number}") for number in range(50)]
    jpeg = io.BytesIO()
    Image.effect_noise((1200, 800), 60).convert("RGB").save(jpeg, "JPEG", quality=90)
    picture, dice = jpeg.getvalue(), random.Random(photos)
    with transaction.atomic():
        for number in range(photos):
            # Bytes behind the end of a JPEG make it as large as a camera's, and different from the others.
            data = picture + dice.randbytes(64) + bytes(max(0, PHOTO_BYTES - len(picture)))
            sha256 = f"{photos:032x}{number:032x}"
            write_file(original_path(sha256, "JPEG"), data)
            photo = Photo.objects.create(
                event=event,
                sha256=sha256,
                name=f"IMG_{number:05}.jpg",
                format="JPEG",
                byte_size=len(data),
                width=1200,
                height=800,
                state=Photo.State.DONE,
            )
            for place in range(FACES_PER_PHOTO):
                face = Face.objects.create(
                    photo=photo,
                    left=100.0 + 200 * place,
                    top=100,
                    width=120,
                    height=140,
                    landmarks=[],
                    detector_score=0.99,
                    size=120,
                    sharpness=200,
                    yaw=0,
                    pitch=0,
                    roll=0,
                    crop="0" * 64,
                )
                Sighting.objects.create(
                    face=face,
                    person=people[(number + place) % len(people)],
                    decided_by=Sighting.DecidedBy.HUMAN,
                    seen_at=timezone.now(),
                )
    return event.pk


if __name__ == "__main__":
    main()
