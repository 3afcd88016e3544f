import threading
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError

from recognition.gallery_journal import (
    lock_gallery_state,
    prune_journal,
    read_gallery_state,
    start_new_epoch,
    touch_gallery,
)
from recognition.models import GalleryChange, GalleryState


def journal() -> list[tuple[int, int]]:
    return list(GalleryChange.objects.order_by("version", "face").values_list("version", "face"))


@pytest.mark.django_db
def test_a_touch_moves_the_version_and_journals_each_face_once() -> None:
    with transaction.atomic():
        first = touch_gallery([7, 3, 7])
        second = touch_gallery(iter([3]))
    assert (first, second) == (1, 2)
    assert journal() == [(1, 3), (1, 7), (2, 3)]
    assert read_gallery_state().version == 2


@pytest.mark.django_db
def test_a_touch_without_faces_still_moves_the_version() -> None:
    with transaction.atomic():
        assert touch_gallery([]) == 1
    assert journal() == []


@pytest.mark.django_db(transaction=True)
def test_a_touch_outside_a_transaction_is_refused() -> None:
    with pytest.raises(TransactionManagementError):
        touch_gallery([1])
    with pytest.raises(TransactionManagementError):
        lock_gallery_state()
    assert not GalleryState.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_touch_leaves_no_trace() -> None:
    with transaction.atomic():
        touch_gallery([1])
    before = read_gallery_state()
    with transaction.atomic():
        touch_gallery([2])
        transaction.set_rollback(True)
    assert read_gallery_state() == before
    assert journal() == [(1, 1)]


@pytest.mark.django_db(transaction=True)
def test_reading_the_state_before_the_first_write_writes_nothing() -> None:
    state = read_gallery_state()
    assert (state.epoch.int, state.version, state.floor) == (0, 0, 0)
    assert not GalleryState.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_first_writers_at_the_same_moment_share_one_row_and_no_version() -> None:
    barrier = threading.Barrier(4)
    versions: list[int] = []

    def write(face: int) -> None:
        try:
            barrier.wait()
            for _ in range(5):
                with transaction.atomic():
                    versions.append(touch_gallery([face]))
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(face,)) for face in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(versions) == list(range(1, 21))
    assert GalleryState.objects.count() == 1
    assert [version for version, _ in journal()] == list(range(1, 21))


@pytest.mark.django_db
def test_a_new_epoch_also_moves_the_version() -> None:
    with transaction.atomic():
        touch_gallery([1])
    before = read_gallery_state()
    epoch = start_new_epoch()
    after = read_gallery_state()
    assert after.epoch == epoch != before.epoch
    assert after.version == before.version + 1


@pytest.mark.django_db
def test_the_lock_returns_what_the_state_says_and_changes_nothing() -> None:
    with transaction.atomic():
        touch_gallery([1])
        assert lock_gallery_state() == read_gallery_state()
    assert read_gallery_state().version == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("keep", "left", "floor"), [(0, [], 5), (2, [4, 5], 3), (5, [1, 2, 3, 4, 5], 0), (9, [1, 2, 3, 4, 5], 0)]
)
def test_pruning_keeps_the_newest_versions_and_raises_the_floor(
    keep: int, left: list[int], floor: int
) -> None:
    for face in range(5):
        with transaction.atomic():
            touch_gallery([face])
    assert prune_journal(keep_versions=keep) == 5 - len(left)
    assert [version for version, _ in journal()] == left
    assert read_gallery_state().floor == floor


@pytest.mark.django_db
def test_the_floor_never_sinks() -> None:
    for face in range(5):
        with transaction.atomic():
            touch_gallery([face])
    prune_journal(keep_versions=1)
    assert prune_journal(keep_versions=4) == 0
    assert read_gallery_state().floor == 4
    with pytest.raises(ValueError, match="negative"):
        prune_journal(keep_versions=-1)


@pytest.mark.django_db
@pytest.mark.parametrize("row", [{"pk": 2}, {"pk": 1, "version": 1, "floor": 2}])
def test_the_database_refuses_a_second_row_and_a_floor_above_the_version(row: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        GalleryState.objects.create(**row)
