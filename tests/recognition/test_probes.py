"""A search by photo from the picture to its end: taken in, processed, read, gone."""

from __future__ import annotations

import io
import os
import signal
import sqlite3
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from access.models import EventGrant
from access.roles import VIEWER
from recognition.images import PhotoRefused
from recognition.leases import claim_next, claim_row, ready
from recognition.matching import Verdict
from recognition.models import ActiveEmbedder, Event, Face, Person, Photo, Probe, ProbeFace, Sighting
from recognition.probes import (
    TooManySearches,
    add_probe,
    delete_probe,
    is_search_waiting,
    is_stalled,
    process_next_probe,
    processing,
    read_probe,
    sweep_probes,
)
from recognition.probes import adding as adding_module
from recognition.probes.files import find_picture, probe_crop_path, probe_preview_path
from recognition.tasks import process_photos, process_probes
from tests import fakes
from tests.factories import (
    label_face,
    make_embedding,
    make_event,
    make_face,
    make_person,
    make_photo,
    vector_near,
)
from tests.fakes import draw_photo, vector_of
from tests.new_vault import copy_new_vault, expire_leases
from tests.preloaded import run_preloaded

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("drawn_faces")]
ROOT = Path(__file__).resolve().parents[2]


def search_with(*colors: str, user: User) -> Probe:
    return add_probe(file=io.BytesIO(draw_photo(*colors)), user=user)


def processed(*colors: str, user: User) -> Probe:
    probe = search_with(*colors, user=user)
    assert process_next_probe() == probe
    probe.refresh_from_db()
    return probe


def know(name: str, *vectors: np.ndarray, event: Event | None = None) -> Person:
    """A person with a verified face of each vector, each in a photo of its own."""
    person = make_person(name)
    for vector in vectors:
        with transaction.atomic():
            face = make_face(make_photo(event))
            make_embedding(face, vector, fakes.EMBEDDER_ID)
            label_face(face, person)
    return person


def files_of(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "probes").iterdir())


def expire(probe: Probe) -> None:
    Probe.objects.filter(pk=probe.pk).update(expires_at=timezone.now() - timedelta(seconds=1))


# --- taking it in


def test_a_picture_waits_for_half_an_hour_at_most_and_a_worker_is_asked_for(labeler: User) -> None:
    probe = search_with("red", user=labeler)
    assert (probe.state, probe.width, probe.height) == ("queued", 640, 360)
    assert timedelta(minutes=29) < probe.expires_at - timezone.now() <= timedelta(minutes=30)
    task = DBTaskResult.objects.get()
    assert (task.task_path, task.priority) == (process_probes.module_path, 50)


def test_its_file_is_for_this_account_alone_and_bears_no_name(labeler: User, data_folder: Path) -> None:
    probe = search_with("red", user=labeler)
    assert files_of(data_folder) == [f"{probe.probe_id}.png"]
    assert (data_folder / "probes" / f"{probe.probe_id}.png").stat().st_mode & 0o777 == 0o600
    assert not list((data_folder / "incoming").iterdir())


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"no picture at all" * 50, "not_an_image"),
        (draw_photo("red")[:-200], "truncated"),
    ],
)
def test_what_is_no_picture_is_refused_and_nothing_stays(
    data: bytes, code: str, labeler: User, data_folder: Path
) -> None:
    with pytest.raises(PhotoRefused) as refusal:
        add_probe(file=io.BytesIO(data), user=labeler)
    assert refusal.value.code == code
    assert not Probe.objects.exists()
    assert not [path for path in data_folder.rglob("*") if path.is_file()]


def test_a_picture_over_the_limits_is_refused(labeler: User, settings: object) -> None:
    settings.FACEVAULT_MAX_PIXELS = 1000  # type: ignore[attr-defined]
    with pytest.raises(PhotoRefused) as refusal:
        search_with("red", user=labeler)
    assert refusal.value.code == "too_many_pixels"
    settings.FACEVAULT_MAX_FILE_MB = 0  # type: ignore[attr-defined]
    with pytest.raises(PhotoRefused) as refusal:
        search_with("red", user=labeler)
    assert refusal.value.code == "file_too_large"


def test_the_oldest_finished_search_makes_room(
    labeler: User, manager: User, monkeypatch: pytest.MonkeyPatch, data_folder: Path
) -> None:
    monkeypatch.setattr(adding_module, "MAX_LIVE", 2)
    first, others = processed("red", user=labeler), processed("red", user=manager)
    second, third = search_with("green", user=labeler), search_with("blue", user=labeler)
    assert set(Probe.objects.all()) == {others, second, third}
    assert not [name for name in files_of(data_folder) if name.startswith(str(first.probe_id))]
    with pytest.raises(TooManySearches) as refusal:
        search_with("cyan", user=labeler)
    assert refusal.value.code == "too_many_searches"
    assert Probe.objects.count() == 3
    assert len([name for name in files_of(data_folder) if name.endswith(".png")]) == 2


# --- processing it


def test_two_faces_are_numbered_from_left_to_right(labeler: User, data_folder: Path) -> None:
    probe = processed("blue", "red", user=labeler)
    assert probe.state == "done"
    faces = list(probe.faces.order_by("number"))
    assert [(face.number, face.left, face.width) for face in faces] == [(1, 20, 60), (2, 100, 60)]
    assert [np.frombuffer(bytes(face.vector), "<f4").argmax() for face in faces] == [2, 0]
    assert {face.embedder_id for face in faces} == {fakes.EMBEDDER_ID}
    base = str(probe.probe_id)
    assert files_of(data_folder) == [f"{base}-1.jpg", f"{base}-2.jpg", f"{base}-preview.jpg"]


def test_a_search_leaves_events_gallery_and_queue_alone(labeler: User) -> None:
    processed("red", user=labeler)
    assert not Photo.objects.exists()
    assert not Face.objects.exists()
    assert not Sighting.objects.exists()


def test_a_picture_without_a_face_is_done(labeler: User) -> None:
    probe = processed(user=labeler)
    assert (probe.state, probe.faces.count()) == ("done", 0)
    assert read_probe(probe, labeler).faces == []


def test_of_a_crowd_the_largest_faces_are_compared(labeler: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processing, "MAX_FACES", 2)
    assert processed("red", "green", "blue", user=labeler).faces.count() == 2


def test_a_picture_that_is_gone_fails_at_once(labeler: User) -> None:
    probe = search_with("red", user=labeler)
    picture = find_picture(probe.probe_id)
    assert picture is not None
    picture.unlink()
    process_next_probe()
    probe.refresh_from_db()
    assert (probe.state, probe.failure_code, probe.attempts) == ("failed", "picture_missing", 1)


def test_what_breaks_is_tried_again_and_then_told(
    labeler: User, monkeypatch: pytest.MonkeyPatch, data_folder: Path
) -> None:
    probe = search_with("red", user=labeler)
    monkeypatch.setattr(processing, "cut_crop", lambda *_args, **_options: 1 / 0)
    for _ in range(3):
        Probe.objects.update(lease_until=None)
        assert process_next_probe() == probe
    probe.refresh_from_db()
    assert (probe.state, probe.failure_code, probe.attempts) == ("failed", "processing_error", 3)
    assert f"{probe.probe_id}.png" not in files_of(data_folder)


def test_a_full_disk_costs_no_attempt(labeler: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    probe = search_with("red", user=labeler)
    monkeypatch.setattr(processing, "replace_file", full)
    process_next_probe()
    probe.refresh_from_db()
    assert (probe.state, probe.failure_code, probe.attempts) == ("queued", "no_space", 0)
    assert not is_search_waiting()


def test_a_search_interrupts_a_large_upload(labeler: User) -> None:
    for _ in range(3):
        make_photo(state=Photo.State.QUEUED)
    search_with("red", user=labeler)
    assert process_photos.call() == 1
    assert process_probes.call() == 1
    assert process_photos.call() == 2


def test_a_lease_that_was_lost_writes_nothing(labeler: User) -> None:
    probe = search_with("red", "blue", user=labeler)
    old = claim_row(Probe, probe.pk)
    assert old is not None
    Probe.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    sweep_probes()
    assert process_next_probe() == probe
    processing.process_probe(old)
    probe.refresh_from_db()
    assert (probe.state, probe.attempts, probe.faces.count()) == ("done", 2, 2)


def test_a_search_that_is_deleted_while_a_worker_has_it_leaves_nothing(
    labeler: User, data_folder: Path
) -> None:
    search_with("red", user=labeler)
    claim = claim_next(Probe.objects.all())
    assert claim is not None
    embed = fakes.DrawnEmbedder.embed

    def delete_meanwhile(self: fakes.DrawnEmbedder, inputs: np.ndarray) -> np.ndarray:
        delete_probe(claim.row)
        return embed(self, inputs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fakes.DrawnEmbedder, "embed", delete_meanwhile)
        processing.process_probe(claim)
    assert not Probe.objects.exists()
    assert not ProbeFace.objects.exists()
    assert files_of(data_folder) == []


class Vault:
    """An installation of its own with one search of two faces in it; every command is a process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "vault"
        picture = folder / "picture.png"
        picture.write_bytes(draw_photo("red", "blue"))
        copy_new_vault(self.folder)
        self.shell(
            "from django.contrib.auth.models import User; from recognition.probes import add_probe;"
            f"add_probe(file=open({str(picture)!r}, 'rb'), user=User.objects.create_user('lena'))"
        )

    def run(self, *command: str, crash_at: str = "", expect: int = 0) -> None:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "facevault_site.settings",
            "FACEVAULT_DATA": str(self.folder),
            "FACEVAULT_CRASH_AT": crash_at,
            "FACEVAULT_LEASE_SECONDS": "2",
        }
        environment.pop("DATABASE_URL", None)
        done = run_preloaded("-m", "tests.crash_worker", *command, env=environment)
        assert done.returncode == expect, done.stdout + done.stderr

    def shell(self, code: str) -> None:
        self.run("shell", "-v", "0", "-c", code)

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.folder / "facevault.sqlite3")) as database:
            return database.execute(statement).fetchall()


@pytest.mark.parametrize("point", ["probe_claimed", "probe_files_written", "probe_committed"])
def test_a_worker_killed_at(point: str, tmp_path: Path) -> None:
    """The next one finishes, and the picture itself is gone."""
    vault = Vault(tmp_path)
    vault.run("run_worker", "--batch", crash_at=point, expect=-signal.SIGKILL)
    expire_leases(vault.folder)
    vault.run("run_worker", "--batch")
    assert vault.rows("SELECT state FROM recognition_probe") == [("done",)]
    assert vault.rows("SELECT number FROM recognition_probeface") == [(1,), (2,)]
    left = sorted(path.name[36:] for path in (vault.folder / "probes").iterdir())
    assert left == ["-1.jpg", "-2.jpg", "-preview.jpg"]


def test_the_vectors_are_gone_from_the_file_of_the_database(tmp_path: Path) -> None:
    if os.environ.get("DATABASE_URL", "sqlite").split(":")[0] != "sqlite":
        pytest.skip("of another database the file is not ours to read")
    vault = Vault(tmp_path)
    mark = np.random.default_rng(5).bytes(32)
    vault.run("run_worker", "--batch")
    vault.shell(
        "from recognition.models import ProbeFace;"
        f"ProbeFace.objects.filter(number=1).update(vector=bytes.fromhex({mark.hex()!r}))"
    )
    files = [path for path in vault.folder.iterdir() if path.name.startswith("facevault.sqlite3")]
    assert any(mark in path.read_bytes() for path in files)
    vault.shell(
        "from recognition.models import Probe; from recognition.probes import delete_probe;"
        "delete_probe(Probe.objects.get())"
    )
    files = [path for path in vault.folder.iterdir() if path.name.startswith("facevault.sqlite3")]
    assert not any(mark in path.read_bytes() for path in files)


# --- reading it


def test_each_face_shows_its_people_and_their_photos(labeler: User) -> None:
    alice = know("Alice", vector_of("red"), vector_of("red"))
    know("Bob", vector_of("green"))
    report = read_probe(processed("red", "cyan", user=labeler), labeler)
    red, cyan = report.faces
    assert (red.verdict, red.is_sure, cyan.verdict) == (Verdict.AUTOMATIC, True, Verdict.UNKNOWN)
    (found,) = red.people
    assert (found.person, found.similarity, found.word, found.reference_count) == (alice, 1.0, "strong", 2)
    assert found.photo_count == 2
    assert {photo.pk for photo in found.photos} == set(
        Photo.objects.filter(faces__sighting__person=alice).values_list("pk", flat=True)
    )
    assert {face.pk for face in found.references} == set(alice.sightings.values_list("face", flat=True))
    assert cyan.people == []
    assert report.known == 1


def test_nobody_below_the_line_of_suggestions_is_named(labeler: User) -> None:
    suggest = fakes.THRESHOLDS.suggest
    know("Alice", vector_near(vector_of("red"), suggest - 0.01))
    bob = know("Bob", vector_near(vector_of("green"), suggest + 0.01))
    red, green = read_probe(processed("red", "green", user=labeler), labeler).faces
    assert (red.verdict, red.people) == (Verdict.UNKNOWN, [])
    assert (green.verdict, [found.person for found in green.people]) == (Verdict.SUGGEST, [bob])
    assert not green.is_sure
    assert green.people[0].word == "possible"


def test_two_who_are_equally_near_are_a_close_call(labeler: User) -> None:
    know("Alice", vector_near(vector_of("red"), 0.9, seed=1))
    know("Bob", vector_near(vector_of("red"), 0.88, seed=2))
    (red,) = read_probe(processed("red", user=labeler), labeler).faces
    assert red.verdict is Verdict.SUGGEST
    assert [(found.person.name, found.word, found.band) for found in red.people] == [
        ("Alice", "close call", "close"),
        ("Bob", "close call", "close"),
    ]


def test_a_scoped_viewer_sees_nobody_from_elsewhere(outsider: User) -> None:
    mine, foreign = make_event(), make_event()
    EventGrant.objects.create(user=outsider, event=mine, role=VIEWER)
    # Nearer than Alice, and far more than a search asks for at first.
    stranger = know("Foreign", *[vector_of("red")] * 200, event=foreign)
    alice = know("Alice", vector_near(vector_of("red"), 0.8), event=mine)
    label_face(make_face(make_photo(foreign)), alice)
    report = read_probe(processed("red", user=outsider), outsider)
    (red,) = report.faces
    assert [found.person for found in red.people] == [alice]
    (found,) = red.people
    assert (found.reference_count, found.photo_count) == (1, 1)
    assert {photo.event for photo in found.photos} == {mine}
    assert {face.photo.event for face in found.references} == {mine}
    # The nearer stranger does not make it a close call either: that would tell that somebody is there.
    assert (red.verdict, found.word) == (Verdict.AUTOMATIC, "strong")
    assert stranger.pk not in {other.person.pk for other in red.people}


def test_a_person_who_is_seen_elsewhere_too_answers_with_what_is_here(outsider: User) -> None:
    mine, foreign = make_event(), make_event()
    EventGrant.objects.create(user=outsider, event=mine, role=VIEWER)
    alice = know("Alice", vector_of("red"), event=foreign)
    face = make_face(make_photo(mine))
    make_embedding(face, vector_near(vector_of("red"), 0.5), fakes.EMBEDDER_ID)
    label_face(face, alice)
    (red,) = read_probe(processed("red", user=outsider), outsider).faces
    (found,) = red.people
    assert found.similarity == pytest.approx(0.5, abs=1e-5)
    assert found.references == [face]


def test_a_search_of_another_embedder_is_out_of_date(labeler: User) -> None:
    know("Alice", vector_of("red"))
    probe = processed("red", user=labeler)
    ActiveEmbedder.objects.update(embedder_id="facenet-vggface2")
    report = read_probe(probe, labeler)
    assert (report.outdated, report.faces) == (True, [])


def test_the_number_of_queries_does_not_grow(labeler: User) -> None:
    know("Alice", vector_of("red"))
    one = processed("red", user=labeler)
    for color in list(fakes.COLORS)[1:]:
        know(color, *[vector_of(color)] * 5)
    many = processed(*fakes.COLORS, user=labeler)
    read_probe(one, labeler)
    counts = []
    for probe in (one, many):
        with CaptureQueriesContext(connection) as queries:
            read_probe(probe, User.objects.get(pk=labeler.pk))
        counts.append(len(queries))
    assert counts[0] == counts[1]


# --- waiting for it


def test_a_search_that_nobody_takes_is_stalled_after_a_while(labeler: User) -> None:
    probe = search_with("red", user=labeler)
    assert not is_stalled(probe)
    Probe.objects.update(created_at=timezone.now() - timedelta(seconds=31))
    probe.refresh_from_db()
    assert is_stalled(probe)
    busy = make_photo(state=Photo.State.QUEUED)
    claim_row(Photo, busy.pk)
    assert not is_stalled(probe)


# --- its end


def end_by_hand(probe: Probe) -> None:
    delete_probe(probe)


def end_by_time(probe: Probe) -> None:
    expire(probe)
    assert sweep_probes() == 1


def end_by_the_next_search(probe: Probe) -> None:
    expire(probe)
    delete_probe(search_with("green", user=probe.user))


@pytest.mark.parametrize("end", [end_by_hand, end_by_time, end_by_the_next_search])
@pytest.mark.parametrize("done", [True, False])
def test_nothing_is_left_of_a_search(
    done: bool, end: Callable[[Probe], None], labeler: User, data_folder: Path
) -> None:
    probe = processed("red", user=labeler) if done else search_with("red", user=labeler)
    end(probe)
    assert not Probe.objects.exists()
    assert not ProbeFace.objects.exists()
    assert files_of(data_folder) == []


def test_what_is_over_is_invisible_before_it_is_removed(labeler: User) -> None:
    probe = processed("red", user=labeler)
    assert Probe.objects.visible_to(labeler).exists()
    expire(probe)
    assert not Probe.objects.visible_to(labeler).exists()
    assert not is_search_waiting()


def test_a_search_that_waits_too_long_is_never_processed(labeler: User) -> None:
    expire(search_with("red", user=labeler))
    assert process_next_probe() is None


def test_a_sweep_leaves_a_living_search_alone(labeler: User, data_folder: Path) -> None:
    done, waiting = processed("red", user=labeler), search_with("blue", user=labeler)
    before = files_of(data_folder)
    assert sweep_probes() == 0
    assert files_of(data_folder) == before
    assert set(Probe.objects.all()) == {done, waiting}


def test_files_without_a_row_go_once_they_cannot_be_a_new_search(labeler: User, data_folder: Path) -> None:
    kept = processed("red", user=labeler)
    folder = data_folder / "probes"
    old = [folder / f"{uuid.uuid4()}.png", folder / f"{uuid.uuid4()}-1.jpg", folder / "clutter"]
    for path in old:
        path.write_bytes(b"x")
        os.utime(path, (time.time() - 700, time.time() - 700))
    new = folder / f"{uuid.uuid4()}.png"
    new.write_bytes(b"x")
    sweep_probes()
    assert not [path for path in old if path.exists()]
    assert new.exists()
    assert probe_preview_path(kept.probe_id).exists()
    assert probe_crop_path(kept.probe_id, 1).exists()


def test_the_picture_of_a_search_whose_worker_died_after_it_goes_with_the_sweep(
    labeler: User, data_folder: Path
) -> None:
    probe = processed("red", user=labeler)
    left = data_folder / "probes" / f"{probe.probe_id}.png"
    left.write_bytes(b"x")
    sweep_probes()
    assert not left.exists()


def test_a_deleted_account_leaves_no_search(labeler: User, data_folder: Path) -> None:
    probe = processed("red", user=labeler)
    labeler.delete()
    assert not ProbeFace.objects.exists()
    for path in (data_folder / "probes").iterdir():
        os.utime(path, (time.time() - 700, time.time() - 700))
    sweep_probes()
    assert files_of(data_folder) == []
    assert not Probe.objects.filter(pk=probe.pk).exists()


def test_a_search_without_a_task_gets_one(labeler: User) -> None:
    search_with("red", user=labeler)
    DBTaskResult.objects.all().delete()
    sweep_probes()
    assert DBTaskResult.objects.get().task_path == process_probes.module_path
    assert ready(Probe.objects.all()).count() == 1
