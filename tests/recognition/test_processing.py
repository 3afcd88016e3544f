"""Claims, leases, attempts and the sweep."""

import io
import threading
import time
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from recognition import leases
from recognition.leases import (
    Claim,
    LeaseLost,
    claim_next,
    claim_row,
    fail_claim,
    finish_claim,
    keep_lease,
    release_claim,
)
from recognition.models import Photo
from recognition.processing import retry_photos, sweep, waiting_photos
from tests.factories import make_event, make_photo

pytestmark = pytest.mark.django_db


def expire(photo: Photo) -> None:
    Photo.objects.filter(pk=photo.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_the_oldest_waiting_photo_is_claimed_first() -> None:
    first, _second = make_photo(state="queued"), make_photo(state="queued")
    claim = claim_next(waiting_photos())
    assert claim is not None
    assert claim.row == first
    assert (claim.row.state, claim.row.attempts) == ("processing", 1)


def test_a_photo_is_claimed_once() -> None:
    photo = make_photo(state="queued")
    assert claim_row(Photo, photo.pk) is not None
    assert claim_row(Photo, photo.pk) is None
    assert claim_next(waiting_photos()) is None


def test_a_worker_that_lost_its_lease_may_not_finish() -> None:
    photo = make_photo(state="queued")
    old = claim_row(Photo, photo.pk)
    assert old is not None
    expire(photo)
    assert sweep() == 1
    new = claim_row(Photo, photo.pk)
    assert new is not None
    with pytest.raises(LeaseLost):
        finish_claim(old)
    finish_claim(new)
    photo.refresh_from_db()
    assert (photo.state, photo.attempts) == ("done", 2)


def test_a_late_failure_of_the_old_worker_changes_nothing() -> None:
    photo = make_photo(state="queued")
    old = claim_row(Photo, photo.pk)
    assert old is not None
    expire(photo)
    sweep()
    new = claim_row(Photo, photo.pk)
    fail_claim(old, code="processing_error", reason="late", final=True)
    photo.refresh_from_db()
    assert new is not None
    assert (photo.state, photo.lease) == ("processing", new.lease)


def test_a_failed_attempt_waits_and_is_tried_three_times() -> None:
    photo = make_photo(state="queued")
    for attempt in (1, 2, 3):
        claim = claim_row(Photo, photo.pk)
        assert claim is not None
        assert claim.row.attempts == attempt
        fail_claim(claim, code="processing_error", reason="It broke.", final=False)
        assert claim_next(waiting_photos()) is None
        expire(photo)
    photo.refresh_from_db()
    assert (photo.state, photo.failure_code, photo.failure_reason) == (
        "failed",
        "processing_error",
        "It broke.",
    )


def test_three_dead_workers_list_the_photo_as_failed_with_its_reason() -> None:
    photo = make_photo(state="queued")
    for _ in range(3):
        assert claim_row(Photo, photo.pk) is not None
        expire(photo)
        sweep()
    photo.refresh_from_db()
    assert (photo.state, photo.failure_code) == ("failed", "worker_died")
    assert "memory" in photo.failure_reason


def test_the_sweep_leaves_a_living_lease_alone() -> None:
    photo = make_photo(state="queued")
    assert claim_row(Photo, photo.pk) is not None
    assert sweep() == 0
    photo.refresh_from_db()
    assert photo.state == "processing"


def test_the_sweep_brings_a_task_for_photos_that_wait_without_one() -> None:
    make_photo(state="queued")
    sweep()
    sweep()
    assert DBTaskResult.objects.filter(status="READY").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_long_photo_keeps_its_lease(settings: object) -> None:
    settings.FACEVAULT_LEASE_SECONDS = 0.3  # type: ignore[attr-defined]
    claim = claim_row(Photo, make_photo(state="queued").pk)
    assert claim is not None
    with keep_lease(claim):
        deadline = timezone.now() + timedelta(seconds=10)
        first = claim.row.lease_until
        while timezone.now() < deadline:
            claim.row.refresh_from_db()
            if claim.row.lease_until != first:
                break
    assert claim.row.lease_until != first
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_lease_is_renewed_again_after_the_database_was_away(
    settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FACEVAULT_LEASE_SECONDS = 0.3  # type: ignore[attr-defined]
    claim = claim_row(Photo, make_photo(state="queued").pk)
    assert claim is not None
    held, asked = leases._held, []

    def held_over_a_broken_connection(claim: Claim[Photo]) -> QuerySet[Photo]:
        if threading.current_thread().name.startswith("lease-"):
            asked.append(1)
            if len(asked) == 1:
                connection.ensure_connection()
                connection.connection.close()  # as a restart of the database does
        return held(claim)

    monkeypatch.setattr(leases, "_held", held_over_a_broken_connection)
    first = claim.row.lease_until
    with keep_lease(claim):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and claim.row.lease_until == first:
            time.sleep(0.05)
            claim.row.refresh_from_db()
    assert len(asked) > 1
    assert claim.row.lease_until != first
    connection.close()


def test_a_row_that_goes_while_it_is_claimed_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = make_photo(state="queued")
    update = QuerySet.update

    def update_then_lose(rows: QuerySet[Photo], **changes: object) -> int:
        done = update(rows, **changes)
        monkeypatch.undo()
        Photo.objects.all().delete()
        return done

    monkeypatch.setattr(QuerySet, "update", update_then_lose)
    assert claim_row(Photo, photo.pk) is None


@pytest.mark.django_db(transaction=True)
def test_a_photo_that_hangs_loses_its_lease_in_the_end(
    settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FACEVAULT_LEASE_SECONDS = 0.3  # type: ignore[attr-defined]
    monkeypatch.setattr("recognition.leases.MAX_PROCESSING_SECONDS", 0.2)
    claim = claim_row(Photo, make_photo(state="queued").pk)
    assert claim is not None
    with keep_lease(claim):
        (renewing,) = [one for one in threading.enumerate() if one.name == f"lease-{claim.row.pk}"]
        renewing.join(timeout=10)
        assert not renewing.is_alive()
        expire(claim.row)
        assert sweep() == 1
    with pytest.raises(LeaseLost):
        finish_claim(claim)
    connection.close()


def fail(photo: Photo) -> Photo:
    for _ in range(3):
        claim = claim_row(Photo, photo.pk)
        assert claim is not None
        fail_claim(claim, code="processing_error", reason="It broke.", final=False)
    photo.refresh_from_db()
    assert photo.state == "failed"
    return photo


def test_a_failed_photo_is_retried_as_if_for_the_first_time() -> None:
    failed, done = fail(make_photo(state="queued")), make_photo(state="done")
    assert retry_photos(Photo.objects.all()) == 1
    failed.refresh_from_db()
    done.refresh_from_db()
    assert (failed.state, failed.attempts, failed.lease_until) == ("queued", 0, None)
    assert (failed.failure_code, failed.failure_reason, done.state) == ("", "", "done")
    assert DBTaskResult.objects.filter(status="READY").count() == 1
    assert retry_photos(Photo.objects.all()) == 0
    assert claim_next(waiting_photos()) is not None


def test_only_the_given_photos_are_retried() -> None:
    one, other = fail(make_photo(state="queued")), fail(make_photo(state="queued"))
    assert retry_photos(Photo.objects.filter(event__name=one.event.name).order_by("name")[:1]) == 1
    other.refresh_from_db()
    assert other.state == "failed"


def test_a_released_photo_has_not_been_tried() -> None:
    photo = make_photo(state="queued")
    for _ in range(5):
        claim = claim_row(Photo, photo.pk)
        assert claim is not None
        release_claim(claim)
    photo.refresh_from_db()
    assert (photo.state, photo.attempts, photo.lease, photo.lease_until) == ("queued", 0, None, None)


def test_a_late_release_of_the_old_worker_changes_nothing() -> None:
    photo = make_photo(state="queued")
    old = claim_row(Photo, photo.pk)
    assert old is not None
    expire(photo)
    sweep()
    assert claim_row(Photo, photo.pk) is not None
    release_claim(old)
    photo.refresh_from_db()
    assert (photo.state, photo.attempts) == ("processing", 2)


def test_the_command_retries_all_or_one_event() -> None:
    one, other = (fail(make_photo(make_event(name), state="queued")) for name in ("Party", "Fair"))
    out = io.StringIO()
    call_command("retry_photos", event="PARTY", stdout=out)
    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.state, other.state) == ("queued", "failed")
    call_command("retry_photos", stdout=out)
    call_command("retry_photos", stdout=out)
    assert [line.split()[0] for line in out.getvalue().splitlines()] == ["1", "1", "No"]
    with pytest.raises(CommandError, match="no event named 'Nowhere'"):
        call_command("retry_photos", event="Nowhere")
