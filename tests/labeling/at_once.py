"""Run by the test of everything at once, in processes of their own: one part of the work on a queue, until it is killed.

`python -m tests.labeling.at_once PART SEED SECONDS FOLDER`: each decision that was written is told in a file of FOLDER.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from labeling.models import Decision
    from recognition.detection import DetectedFace
    from recognition.models import Face

COLORS = ("red", "green", "blue", "yellow", "purple", "cyan")


class _Wobbling:
    """The drawn detector at another setting each time: boxes a little elsewhere, sometimes a face missed."""

    def __init__(self, random: Random) -> None:
        from tests.fakes import DrawnDetector

        self._random, self._drawn = random, DrawnDetector()

    @property
    def detector_id(self) -> str:
        return f"wobbling {self._random.randint(1, 5)}"

    def detect(self, rgb: Any) -> list[DetectedFace]:
        from recognition.detection import DetectedFace

        by = self._random.randint(-6, 6)
        found = [face for face in self._drawn.detect(rgb) if self._random.random() < 0.9]
        return [DetectedFace(face.box.padded(by / 60), face.landmarks, face.score) for face in found]


class _Worker:
    """Whatever workers and uploads do, but for tending the queue."""

    def __init__(self, random: Random, actor: User) -> None:
        self._random, self._actor = random, actor

    def step(self) -> None:
        self._random.choice([self._add, self._look_again, self._look_again, self._draw, self._move])()

    def _add(self) -> None:
        from recognition.ingest import process_next_photo
        from recognition.models import Event
        from recognition.uploads.adding import add_photo
        from tests.fakes import draw_photo

        colors = self._random.sample(COLORS, self._random.randint(1, 4))
        picture = draw_photo(*colors, salt=self._random.randrange(640), shade=self._random.randrange(60, 200))
        event = self._random.choice(list(Event.objects.all()))
        add_photo(event=event, file=BytesIO(picture), name="added.png", user=self._actor)
        process_next_photo()

    def _look_again(self) -> None:
        from recognition.models import Photo
        from recognition.redetection import PhotoGone, redetect_photo

        photos = list(Photo.objects.filter(name="added.png", state="done"))
        if photos:
            with contextlib.suppress(PhotoGone):
                redetect_photo(self._random.choice(photos))

    def _draw(self) -> None:
        from recognition.geometry import Box
        from recognition.models import Photo
        from recognition.photos.drawn_faces import process_next_box
        from recognition.photos.manual_boxes import BoxRefused, draw_box

        photos = list(Photo.objects.filter(name="added.png", state="done"))
        if not photos:
            return
        left, top = self._random.uniform(0, 500), self._random.uniform(180, 260)
        with contextlib.suppress(BoxRefused):
            draw_box(
                photo=self._random.choice(photos), box=Box(left, top, left + 60, top + 70), user=self._actor
            )
        process_next_box()

    def _move(self) -> None:
        from recognition.models import Event, Photo
        from recognition.photos.edits import PhotoRefusal, move_photo

        photo = self._random.choice(list(Photo.objects.select_related("event")))
        other = Event.objects.exclude(pk=photo.event_id).first()
        assert other is not None
        with contextlib.suppress(PhotoRefusal):
            move_photo(photo=photo, to=other, user=self._actor)


class _Labeler:
    def __init__(self, random: Random, actor: User) -> None:
        self._random, self._actor = random, actor

    def step(self) -> Decision | None:
        from labeling.decisions import (
            DecisionConflict,
            NameShared,
            NothingToDecide,
            PersonGone,
            ReferenceRefused,
            UndoRefused,
        )
        from labeling.people.merging import SamePerson, TogetherOnPhotos

        ways = [
            self._name,
            self._name,
            self._name_group,
            self._name_group,
            self._verdict,
            self._reject,
            self._split,
        ]
        try:
            return self._random.choice(
                [*ways, self._postpone, self._undo, self._redo, self._merge, self._cover]
            )()
        except (DecisionConflict, NameShared, NothingToDecide, PersonGone, ReferenceRefused, UndoRefused):
            return None
        except (SamePerson, TogetherOnPhotos):
            return None

    def _faces(self, most: int) -> Sequence[Face]:
        from labeling.decisions import NothingToDecide
        from recognition.models import Face

        every = list(Face.objects.values_list("pk", flat=True))
        opened = list(Face.objects.filter(unlabeled__reviewed=False).values_list("pk", flat=True))
        of = opened if opened and self._random.random() < 0.8 else every
        chosen = self._random.sample(of, min(len(of), self._random.randint(1, most)))
        faces = list(Face.objects.filter(pk__in=chosen).select_related("photo"))
        if not faces:
            raise NothingToDecide
        # Somebody reads the card before they press a key.
        time.sleep(self._random.uniform(0, 0.02))
        return faces

    def _one(self, rows: Any) -> Any:
        from labeling.decisions import NothingToDecide

        found = list(rows[:200])
        if not found:
            raise NothingToDecide
        return self._random.choice(found)

    def _person(self) -> Any:
        from recognition.models import Person

        return self._one(Person.objects.current())

    def _name(self) -> Decision:
        from labeling.decisions import label_faces

        faces = self._faces(3)
        versions = {face.pk: face.version for face in faces}
        if self._random.random() < 0.4:
            name = self._random.choice(["Ada", "Bea", "Cleo", "Dora"])
            return label_faces(faces=faces, actor=self._actor, name=name, versions=versions)
        return label_faces(faces=faces, actor=self._actor, person=self._person(), versions=versions)

    def _group(self) -> Any:
        from labeling.desk.group_card import read_group_card
        from labeling.models import Cluster
        from labeling.targets import aim_at_group

        card = read_group_card(self._one(Cluster.objects.filter(open_count__gt=0)), user=self._actor)
        data = {"upto": card.upto, "version": card.cluster.version, "apart": [], "strays": [], "face": []}
        return aim_at_group(card.cluster, data)

    def _name_group(self) -> Decision:
        from labeling.decisions import label_faces

        target = self._group()
        return label_faces(
            faces=target.faces,
            actor=self._actor,
            person=self._person(),
            versions=target.versions,
            cluster=target.cluster,
        )

    def _split(self) -> Decision:
        from labeling.decisions import split_cluster

        target = self._group()
        some = self._random.sample(list(target.faces), self._random.randint(1, len(target.faces)))
        return split_cluster(cluster=target.cluster, faces=some, actor=self._actor, versions=target.versions)

    def _verdict(self) -> Decision:
        from labeling.decisions import record_verdicts

        kind = self._random.choice(["stranger", "not_a_face", "poor", "reopen"])
        return record_verdicts(faces=self._faces(3), kind=kind, actor=self._actor)

    def _postpone(self) -> Decision:
        from labeling.decisions import record_verdicts

        kind, target = self._random.choice(["skip", "ask"]), self._group()
        return record_verdicts(faces=target.faces, kind=kind, actor=self._actor, cluster=target.cluster)

    def _reject(self) -> Decision:
        from labeling.decisions import reject_faces

        return reject_faces(faces=self._faces(3), people=[self._person()], actor=self._actor)

    def _undo(self) -> Decision:
        from labeling.decisions import undo_decision
        from labeling.models import Decision

        made = Decision.objects.filter(undone_at=None).order_by("-pk")
        return undo_decision(decision=self._one(made[:20]), actor=self._actor)

    def _redo(self) -> Decision:
        from labeling.decisions import redo_decision
        from labeling.models import Decision

        undone = Decision.objects.filter(undone_at__isnull=False).order_by("-undone_at")
        return redo_decision(decision=self._one(undone[:5]), actor=self._actor)

    def _merge(self) -> Decision:
        from labeling.people.merging import merge_people

        return merge_people(keep=self._person(), other=self._person(), actor=self._actor, together=True)

    def _cover(self) -> Decision:
        from labeling.people.covers import choose_cover
        from recognition.models import Sighting

        sighting = self._one(Sighting.objects.select_related("face", "person"))
        return choose_cover(person=sighting.person, face=sighting.face, actor=self._actor)


def _tend() -> None:
    from datetime import timedelta

    from labeling.clusters.tending import tend_queue
    from labeling.people.alike import compare_people
    from labeling.people.hidden import remove_hidden_people

    tend_queue(lambda: False)
    remove_hidden_people()
    compare_people(pause=timedelta(0))


def write_beginning() -> None:
    """Two events with faces in photos of ten, a few people known, and a manager."""
    from django.contrib.auth.models import User
    from django.db import transaction

    from recognition.models import Embedding, Sighting, UnlabeledFace
    from recognition.vectors import encode_vector
    from tests.factories import make_event, make_face, make_person, make_photo, unit_vectors
    from tests.fakes import DIMENSION, EMBEDDER_ID

    User.objects.create_superuser("mona")
    random = np.random.default_rng(1)
    centers = unit_vectors(12, DIMENSION, seed=3)
    with transaction.atomic():
        for event in (make_event("One"), make_event("Two")):
            for _ in range(25):
                photo = make_photo(event)
                for number in random.permutation(len(centers))[:6].tolist():
                    vector = centers[number] + random.normal(0, 0.12, DIMENSION)
                    face = make_face(photo)
                    unit = (vector / np.linalg.norm(vector)).astype(np.float32)
                    Embedding.objects.create(face=face, embedder_id=EMBEDDER_ID, vector=encode_vector(unit))
                    if number < 3 and not Sighting.objects.filter(person__name=f"Known {number}").exists():
                        Sighting.objects.create(
                            face=face,
                            person=make_person(f"Known {number}"),
                            decided_by="human",
                            is_reference=True,
                            seen_at=face.created_at,
                        )
                    else:
                        UnlabeledFace.objects.create(face=face, priority=0.5)


def tell_broken(folder: Path) -> None:
    """Tend the queue to its end, and print what is not true then, and which of the decisions that were told is lost."""
    from labeling.clusters.tending import tend_queue
    from labeling.models import Decision
    from tests.labeling.invariants import find_broken

    while tend_queue(lambda: False):
        pass
    sys.stdout.write("".join(f"{line}\n" for line in find_broken()))
    for pk in sorted(read_told(folder) - set(Decision.objects.values_list("pk", flat=True))):
        sys.stdout.write(f"decision {pk} is lost\n")


def read_told(folder: Path) -> set[int]:
    """Decisions that somebody was told are written; of the last line of a killed process perhaps half is there."""
    lines = [line for path in folder.iterdir() for line in path.read_text().splitlines(keepends=True)]
    return {int(line) for line in lines if line.endswith("\n")}


def main(part: str, seed: int = 0, seconds: float = 0.0, folder: str = "") -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "facevault_site.settings")
    import django

    django.setup()
    from recognition.active_embedder import ensure_active_embedder
    from tests.fakes import CHOICE, install_fakes

    install_fakes()
    ensure_active_embedder(lambda: CHOICE)
    if part == "begin":
        write_beginning()
    elif part == "check":
        tell_broken(Path(folder))
    else:
        go_on(part, seed, seconds, Path(folder))


def go_on(part: str, seed: int, seconds: float, folder: Path) -> None:
    from django.contrib.auth.models import User

    from recognition import detection, ingest

    random, actor = Random(seed), User.objects.get()
    detector = _Wobbling(random)
    for module in (detection, ingest):
        setattr(module, "get_detector", lambda: detector)  # noqa: B010 - a name that the module imported
    steps: dict[str, Callable[[], Decision | None]] = {
        "tend": _tend,
        "label": _Labeler(random, actor).step,
        "work": _Worker(random, actor).step,
    }
    end = time.monotonic() + seconds
    with (folder / f"{part}-{seed}-{os.getpid()}").open("w", buffering=1) as told:
        while time.monotonic() < end:
            if (decision := steps[part]()) is not None:
                told.write(f"{decision.pk}\n")


if __name__ == "__main__":
    main(sys.argv[1], *(kind(text) for kind, text in zip((int, float, str), sys.argv[2:], strict=False)))
