"""Large exports: made by a worker, fenced by a lease, kept for a while, removed without a trace."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4
from zipfile import ZipFile

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import OperationalError
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from access.models import EventGrant
from recognition.exports import (
    ExportScope,
    TooManyExports,
    delete_export,
    find_export_file,
    process_next_export,
    request_export,
    stream_zip,
    sweep_exports,
    work,
    writing,
)
from recognition.leases import claim_next, stopping
from recognition.models import Event, Export
from recognition.storage import export_part_path, export_path, publish_export, scratch_folder
from recognition.tasks import process_exports
from tests.factories import make_event, make_person
from tests.recognition.exports.making import add_photo, manager_of, name_face

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(db: None) -> Event:
    event = make_event("Ball")
    for number in range(3):
        add_photo(event, bytes([number]) * 1000, name=f"{number}.jpg")
    return event


@pytest.fixture(autouse=True)
def not_stopping() -> Iterator[None]:
    stopping.clear()
    yield
    stopping.clear()


def leftovers() -> list[str]:
    return sorted(path.name for path in scratch_folder().iterdir())


def make(user: User, event: Event) -> Export:
    export = request_export(user=user, scope=ExportScope(event=event))
    process_next_export()
    export.refresh_from_db()
    return export


def test_an_export_is_made_by_the_worker(manager: User, event: Event) -> None:
    export = request_export(user=manager, scope=ExportScope(event=event))
    assert (export.state, export.photos_total) == ("queued", 3)
    process_exports.func()
    export.refresh_from_db()
    assert (export.state, export.photos_done, export.photos_total) == ("done", 3, 3)
    with ZipFile(export_path(export.export_id)) as archive:
        assert archive.read("1.jpg") == b"\x01" * 1000
    assert export.byte_size == export_path(export.export_id).stat().st_size
    assert leftovers() == []


def test_one_task_is_asked_for_and_a_second_while_exports_wait(manager: User, event: Event) -> None:
    request_export(user=manager, scope=ExportScope(event=event))
    request_export(user=manager, scope=ExportScope(event=event, with_machine=True))
    tasks = DBTaskResult.objects.filter(task_path=process_exports.module_path)
    assert tasks.count() == 1
    tasks.delete()
    process_exports.func()
    assert Export.objects.filter(state="queued").count() == 1
    assert tasks.count() == 1


def test_it_expires_a_day_after_it_was_made(manager: User, event: Event) -> None:
    export = request_export(user=manager, scope=ExportScope(event=event))
    Export.objects.update(expires_at=timezone.now() + timedelta(minutes=5))
    process_next_export()
    export.refresh_from_db()
    assert timedelta(hours=23) < export.expires_at - timezone.now() <= timedelta(hours=24)


def test_the_same_request_again_is_the_same_export(manager: User, event: Event) -> None:
    first = request_export(user=manager, scope=ExportScope(event=event))
    assert request_export(user=manager, scope=ExportScope(event=event)).pk == first.pk
    assert request_export(user=manager, scope=ExportScope(event=event, with_names=True)).pk != first.pk
    process_next_export()
    assert request_export(user=manager, scope=ExportScope(event=event)).pk != first.pk


def test_nobody_waits_for_more_than_a_few(manager: User) -> None:
    for _ in range(work.MAX_OPEN):
        request_export(user=manager, scope=ExportScope(event=make_event()))
    with pytest.raises(TooManyExports):
        request_export(user=manager, scope=ExportScope(event=make_event()))


def test_a_role_that_was_taken_before_the_worker_came_exports_nothing(event: Event) -> None:
    anna = manager_of(event)
    request_export(user=anna, scope=ExportScope(event=event))
    EventGrant.objects.all().delete()
    export = process_next_export()
    assert export is not None
    export.refresh_from_db()
    assert (export.state, export.failure_code) == ("failed", "nothing_to_export")
    assert not export_path(export.export_id).exists()


def test_a_role_that_was_taken_afterwards_closes_the_file(event: Event) -> None:
    alice, other = make_person(), make_event()
    for place in (event, other):
        name_face(add_photo(place, name="alice.jpg"), alice)
    anna = manager_of(event, other)
    request_export(user=anna, scope=ExportScope(person=alice))
    export = process_next_export()
    assert export is not None
    export.refresh_from_db()
    assert find_export_file(user=User.objects.get(pk=anna.pk), export=export) is not None
    EventGrant.objects.filter(event=other).delete()
    assert find_export_file(user=User.objects.get(pk=anna.pk), export=export) is None


def test_an_event_that_was_deleted_afterwards_closes_the_file(manager: User, event: Event) -> None:
    export = make(manager, event)
    Event.objects.update(deleted_at=timezone.now())
    assert find_export_file(user=User.objects.get(pk=manager.pk), export=export) is None


def test_a_worker_that_is_asked_to_stop_gives_the_export_back(manager: User, event: Event) -> None:
    export = request_export(user=manager, scope=ExportScope(event=event))
    stopping.set()
    process_next_export()
    export.refresh_from_db()
    assert (export.state, export.attempts, leftovers()) == ("queued", 0, [])
    stopping.clear()
    process_next_export()
    export.refresh_from_db()
    assert export.state == "done"


def test_a_worker_that_lost_its_lease_writes_nothing(
    manager: User, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = request_export(user=manager, scope=ExportScope(event=event))
    real, thief = stream_zip, uuid4()

    def steal(**arguments: Any) -> Iterator[bytes]:
        for piece in real(**arguments):
            Export.objects.update(lease=thief)
            yield piece

    monkeypatch.setattr(writing, "stream_zip", steal)
    process_next_export()
    export.refresh_from_db()
    assert (export.state, export.lease) == ("processing", thief)
    assert not export_path(export.export_id).exists()
    assert leftovers() == []


def test_an_export_that_is_deleted_while_it_is_written_leaves_nothing(
    manager: User, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = request_export(user=manager, scope=ExportScope(event=event))
    real = stream_zip

    def delete(**arguments: Any) -> Iterator[bytes]:
        for piece in real(**arguments):
            delete_export(export)
            yield piece

    monkeypatch.setattr(writing, "stream_zip", delete)
    process_next_export()
    assert not Export.objects.exists()
    assert leftovers() == []
    assert not export_path(export.export_id).exists()


def test_a_full_disk_costs_no_attempt_and_the_export_goes_on_later(
    manager: User, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **kwargs: object) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(writing, "publish_export", full)
        export = make(manager, event)
    assert (export.state, export.attempts, export.failure_code) == ("queued", 0, "no_space")
    assert export.lease_until is not None
    assert export.lease_until > timezone.now()
    assert leftovers() == []
    assert process_next_export() is None
    Export.objects.update(lease_until=None)
    process_next_export()
    export.refresh_from_db()
    assert (export.state, export.failure_code) == ("done", "")


def test_an_export_never_takes_the_databases_last_room(
    manager: User, event: Event, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FACEVAULT_MIN_FREE_MB = 100
    free = 100 * 1024**2 + 2000
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(0, 0, free))
    assert make(manager, event).failure_code == "no_space"


def test_a_database_that_does_not_answer_costs_no_attempt(
    manager: User, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(**arguments: Any) -> NoReturn:
        raise OperationalError("database is locked")

    monkeypatch.setattr(writing, "stream_zip", silent)
    export = make(manager, event)
    assert (export.state, export.attempts, export.failure_code) == ("queued", 0, "database_unavailable")


def test_an_export_that_breaks_is_tried_three_times(
    manager: User, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**arguments: Any) -> NoReturn:
        raise RuntimeError

    monkeypatch.setattr(writing, "stream_zip", broken)
    request_export(user=manager, scope=ExportScope(event=event))
    states = []
    for _ in range(3):
        process_next_export()
        states.append(Export.objects.get().state)
        Export.objects.update(lease_until=None)
    assert states == ["queued", "queued", "failed"]
    assert Export.objects.get().failure_code == "export_error"


def test_progress_is_told_while_it_is_written(
    manager: User, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_TELL_SECONDS", 0)
    export, seen = request_export(user=manager, scope=ExportScope(event=event)), set()
    real = stream_zip

    def look(**arguments: Any) -> Iterator[bytes]:
        for piece in real(**arguments):
            seen.add(Export.objects.get(pk=export.pk).photos_done)
            yield piece

    monkeypatch.setattr(writing, "stream_zip", look)
    process_next_export()
    assert {0, 1, 2} <= seen


def test_somebody_who_searches_does_not_wait_for_the_whole_export(
    manager: User, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = [object()]
    monkeypatch.setattr(writing, "_TELL_SECONDS", 0)
    monkeypatch.setattr(writing, "is_search_waiting", lambda: bool(waiting))
    monkeypatch.setattr(writing, "process_next_probe", lambda: waiting.pop())
    export = make(manager, event)
    assert (waiting, export.state) == ([], "done")


def test_an_expired_export_is_removed_with_its_file(manager: User, event: Event) -> None:
    export = make(manager, event)
    assert sweep_exports() == 0
    assert export_path(export.export_id).exists()
    Export.objects.update(expires_at=timezone.now())
    assert sweep_exports() == 1
    assert not Export.objects.exists()
    assert not export_path(export.export_id).exists()


def test_an_expired_export_is_made_no_more(manager: User, event: Event) -> None:
    request_export(user=manager, scope=ExportScope(event=event))
    Export.objects.update(expires_at=timezone.now())
    assert process_next_export() is None


def test_an_export_that_takes_longer_than_it_is_kept_is_finished(
    manager: User, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_TELL_SECONDS", 0)
    export, real = request_export(user=manager, scope=ExportScope(event=event)), stream_zip

    def expire_and_sweep(**arguments: Any) -> Iterator[bytes]:
        Export.objects.update(expires_at=timezone.now() + timedelta(milliseconds=200))
        for number, piece in enumerate(real(**arguments)):
            if number == 1:
                time.sleep(0.3)
                assert sweep_exports() == 0
            yield piece

    monkeypatch.setattr(writing, "stream_zip", expire_and_sweep)
    process_next_export()
    export.refresh_from_db()
    assert export.state == "done"


def test_files_without_a_row_are_removed(manager: User, event: Event, data_folder: Path) -> None:
    export = make(manager, event)
    orphan, part = uuid4(), export_part_path(uuid4(), uuid4())
    with (scratch_folder() / "orphan.part").open("wb") as file:
        publish_export(file, orphan)
    part.write_bytes(b"half")
    (data_folder / "exports" / "notes.txt").write_text("somebody's own")
    sweep_exports()
    assert not export_path(orphan).exists()
    assert not part.exists()
    assert export_path(export.export_id).exists()
    assert (data_folder / "exports" / "notes.txt").exists()


def test_an_export_of_a_dead_worker_is_taken_up_again(manager: User, event: Event) -> None:
    request_export(user=manager, scope=ExportScope(event=event))
    claim = claim_next(Export.objects.all())
    assert claim is not None
    export_part_path(claim.row.export_id, claim.lease).write_bytes(b"half")
    Export.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    DBTaskResult.objects.all().delete()
    sweep_exports()
    assert DBTaskResult.objects.filter(task_path=process_exports.module_path).count() == 1
    process_exports.func()
    assert Export.objects.get().state == "done"
    assert leftovers() == []
