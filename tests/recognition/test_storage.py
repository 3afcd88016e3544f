"""Files: whole or not at all, addressed by content, durable before anything names them."""

import errno
import io
import os
import time
from pathlib import Path

import pytest

from recognition.storage import (
    SourceUnreadable,
    TooManyBytes,
    receive,
    remove_stale_uploads,
    write_crop,
    write_file,
)


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_crop_is_written_once_under_its_sum(data_folder: Path) -> None:
    first, second = write_crop(b"pixels"), write_crop(b"pixels")
    assert first == second
    assert files_in(data_folder) == [f"{first}.jpg"]


def test_a_failed_write_leaves_nothing(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError("disk")

    (data_folder / "crops").mkdir(parents=True)
    monkeypatch.setattr("recognition.storage.os.fsync", fail)
    with pytest.raises(OSError, match="disk"):
        write_file(data_folder / "crops" / "a.jpg", b"pixels")
    assert files_in(data_folder) == []


def test_data_is_on_disk_before_its_name_and_the_folder_after(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        order.append("folder" if Path(f"/proc/self/fd/{descriptor}").resolve().is_dir() else "data")
        real_fsync(descriptor)

    def replace(self: Path, target: Path) -> Path:
        order.append("name")
        return real_replace(self, target)

    data_folder.mkdir()
    monkeypatch.setattr("recognition.storage.os.fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    write_file(data_folder / "a.jpg", b"pixels")
    assert order == ["data", "name", "folder"]


def test_a_new_folder_is_on_disk_before_anything_is_put_into_it(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data_folder / "crops").mkdir(parents=True)
    synced: list[str] = []
    real_fsync = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").resolve().name)
        real_fsync(descriptor)

    monkeypatch.setattr("recognition.storage.os.fsync", fsync)
    write_file(data_folder / "crops" / "ab" / "1.jpg", b"pixels")
    write_file(data_folder / "crops" / "ab" / "2.jpg", b"pixels")
    folders = [name for name in synced if not name.endswith(".part")]
    assert folders == ["crops", "ab", "ab"]


def test_a_source_that_cannot_be_read_is_told_apart_from_our_own_disk(data_folder: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(SourceUnreadable, match="Input/output"), receive(Broken(), max_bytes=5):
        pass
    assert files_in(data_folder) == []


def test_an_upload_that_is_not_kept_is_deleted(data_folder: Path) -> None:
    with receive(io.BytesIO(b"pixels"), max_bytes=100) as incoming:
        assert incoming.path.read_bytes() == b"pixels"
    assert files_in(data_folder) == []


def test_an_upload_over_its_limit_is_cut_off_and_deleted(data_folder: Path) -> None:
    with pytest.raises(TooManyBytes), receive(io.BytesIO(b"pixels"), max_bytes=5):
        pass
    assert files_in(data_folder) == []


def test_what_dead_processes_left_is_removed_after_a_day(data_folder: Path) -> None:
    folder = data_folder / "incoming"
    folder.mkdir(parents=True)
    for name, age in [("old.part", 2000), ("old.upload.jpg", 2000), ("new.part", 60), ("new.upload", 60)]:
        (folder / name).write_bytes(b"x")
        os.utime(folder / name, (time.time() - age, time.time() - age))
    assert remove_stale_uploads() == 2
    assert files_in(data_folder) == ["new.part", "new.upload"]
