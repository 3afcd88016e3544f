"""What runs in the child processes of a replay: `python -m labeling.replay.inside DATA ingest|walk TRUTH`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

if TYPE_CHECKING:
    from labeling.replay.truth import Truth

# The exit status with which the standard output says why.
REFUSED = 3
_EVENT = "Replay"
_POLL_SECONDS = 0.5


class _Stopped(RuntimeError):
    """Why the replay cannot go on."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("step", choices=["ingest", "walk"])
    parser.add_argument("truth", type=Path)
    parser.add_argument("--embedder", default="")
    parser.add_argument("--order", default="")
    parser.add_argument("--seed", type=int)
    given = parser.parse_args(arguments)
    _set_up(given.data)
    from labeling.replay.truth import TruthRefused, read_truth

    try:
        truth = read_truth(given.truth)
        if given.step == "ingest":
            ingest(truth, embedder=given.embedder)
        else:
            sys.stdout.write(walk(truth, order=given.order, seed=given.seed))
    except (TruthRefused, _Stopped) as error:
        sys.stdout.write(str(error))
        return REFUSED
    return 0


def _set_up(data: Path) -> None:
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    database = Path(settings.DATABASES["default"]["NAME"])
    if data.resolve() != settings.FACEVAULT_DATA.resolve() or database.parent.resolve() != data.resolve():
        sys.exit("A replay runs in a data folder of its own.")
    call_command("migrate", interactive=False, verbosity=0)


def ingest(truth: Truth, *, embedder: str) -> None:
    """Add the photos of the truth and have them processed as the worker does it."""
    from recognition.active_embedder import ensure_active_embedder
    from recognition.embedders import EmbedderUnknown, WeightsMissing, WeightsRefused, name_embedder
    from recognition.events.edits import create_event
    from recognition.ingest import process_claimed_photo
    from recognition.leases import claim_next
    from recognition.management.commands.run_worker import load_models
    from recognition.models import Photo
    from recognition.uploads.adding import add_photo

    try:
        ensure_active_embedder(lambda: name_embedder(embedder))
    except (EmbedderUnknown, WeightsMissing, WeightsRefused) as error:
        raise _Stopped(str(error)) from error
    event = create_event(name=_EVENT, held_on=None, place="", user=None)
    for name in tqdm(sorted(truth.portraits), desc="Adding", unit="photo", disable=None):
        with (truth.folder / name).open("rb") as file:
            result = add_photo(event=event, file=file, name=name)
        if result.outcome != "added" or result.photo is None or result.photo.name != name:
            raise _Stopped(f"{name} cannot be used. {result.message}".strip())
    load_models()
    unfinished = event.photos.filter(state__in=[Photo.State.QUEUED, Photo.State.PROCESSING])
    with tqdm(total=event.photos.count(), desc="Processing", unit="photo", disable=None) as bar:
        while unfinished.exists():
            if claim := claim_next(event.photos.all()):
                process_claimed_photo(claim)
                bar.update(event.photos.filter(pk=claim.row.pk, state=Photo.State.DONE).count())
            else:
                # It waits for its next attempt.
                time.sleep(_POLL_SECONDS)
    if failed := event.photos.filter(state=Photo.State.FAILED).first():
        raise _Stopped(f"{failed.name} cannot be processed. {failed.failure_reason}")


def walk(truth: Truth, *, order: str, seed: int | None) -> str:
    """The walk in that order, as JSON."""
    from django.contrib.auth.models import User

    from labeling.replay.labeler import SimulatedLabeler
    from labeling.replay.orders import next_card_in
    from labeling.replay.owners import find_owners
    from labeling.replay.report import NAMES
    from labeling.replay.walk import WalkStuck, walk_queue
    from recognition.models import Photo

    owners: dict[int, str] = {}
    for photo in Photo.objects.prefetch_related("faces"):
        boxes = {face.pk: face.box for face in photo.faces.all()}
        owners.update(find_owners(boxes, truth.portraits.get(photo.name, [])))
    if not owners:
        raise _Stopped("No face of the truth was found on the photos, so there is nothing to name.")
    user = User.objects.create_superuser("replay")
    try:
        with tqdm(desc=NAMES[order], unit="decision", disable=None) as bar:
            done = walk_queue(
                labeler=SimulatedLabeler(user, owners),
                owners=owners,
                next_card=next_card_in(order, user=user, seed=seed),
                tend=_do_what_the_worker_does,
                on_decision=bar.update,
            )
    except WalkStuck as error:
        raise _Stopped(f"{NAMES[order]}: {error}") from error
    return json.dumps(asdict(done))


def _do_what_the_worker_does() -> None:
    """What follows a decision; the lines are fitted without a pause, as this labeler makes none."""
    from labeling.clusters.tending import tend_queue
    from recognition.active_embedder import get_active_embedder_id
    from recognition.calibration.work import calibrate, is_calibration_due

    embedder_id = get_active_embedder_id()
    if is_calibration_due(embedder_id, pause=timedelta()):
        calibrate(embedder_id)
    tend_queue()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
