"""The door for recordings: exact frames wherever one begins, and nothing opened that is no video of ours."""

from __future__ import annotations

import hashlib
import io
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream

from recognition.videos import decoding
from recognition.videos.decoding import (
    DecoderDied,
    VideoInfo,
    VideoRefused,
    find_container,
    pick_frames,
    read_video_info,
    sample_frames,
)
from tests.fakes import draw_photo
from tests.photos import PHOTOS, needs_photos
from tests.recognition.videos.drawn import walk, write_video

MANY = 50_000_000


def info(path: Path, *, max_pixels: int = MANY, max_minutes: int = 10) -> VideoInfo:
    return read_video_info(path, max_pixels=max_pixels, max_minutes=max_minutes)


def sample(
    path: Path, *, after: tuple[int, int] | None = None, interval_ms: int = 200
) -> tuple[list[tuple[int, int, str]], bool]:
    with sample_frames(path, interval_ms=interval_ms, after=after, max_pixels=MANY, max_minutes=10) as reader:
        found = [(one.number, one.at_ms, hashlib.sha256(one.rgb.tobytes()).hexdigest()) for one in reader]
        return found, reader.damaged


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "walk.mkv", walk(20), created="2026-05-01T12:00:00Z")


def test_the_header_says_size_length_and_when(video: Path) -> None:
    assert info(video) == VideoInfo(
        width=480,
        height=240,
        duration_ms=2000,
        frame_ms=100.0,
        started_at=datetime(2026, 5, 1, 12, tzinfo=UTC),
    )


def test_the_first_frame_of_every_interval_is_read(video: Path) -> None:
    found, damaged = sample(video)
    assert [(number, at_ms) for number, at_ms, _ in found] == [(2 * at, 200 * at) for at in range(10)]
    assert not damaged


def test_frames_that_come_unevenly_keep_their_own_moments(tmp_path: Path) -> None:
    uneven = write_video(tmp_path / "v.mkv", walk(5), moments=[0, 100, 900, 1000, 1700])
    found, _ = sample(uneven)
    assert [(number, at_ms) for number, at_ms, _ in found] == [(0, 0), (2, 900), (3, 1000), (4, 1700)]


@pytest.mark.parametrize("done", [1, 5, 9])
def test_wherever_it_goes_on_the_same_frames_follow(video: Path, done: int) -> None:
    whole, _ = sample(video)
    number, at_ms, _ = whole[done - 1]
    assert sample(video, after=(number, at_ms))[0] == whole[done:]


@needs_photos
def test_a_real_recording_goes_on_with_the_same_pixels() -> None:
    """Its frames rest on each other: one in the middle is decoded from the one that stands for itself."""
    path = PHOTOS / "video.mp4"
    whole, _ = sample(path, interval_ms=1000)
    assert [number for number, _, _ in whole] == [0, 25, 50, 75, 100]
    assert sample(path, after=whole[2][:2], interval_ms=1000)[0] == whole[3:]
    with pick_frames(path, wanted=[whole[0][:2], whole[3][:2]], max_pixels=MANY) as reader:
        picked = [(one.number, hashlib.sha256(one.rgb.tobytes()).hexdigest()) for one in reader]
    assert picked == [(whole[0][0], whole[0][2]), (whole[3][0], whole[3][2])]


def test_a_transport_stream_that_cannot_be_sought_exactly_goes_on_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "v.ts"
    with av.open(str(path), "w", format="mpegts") as container:
        stream = container.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(60):
            shade = np.full((240, 320, 3), 4 * number, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shade, format="rgb24")))
        container.mux(stream.encode(None))
    whole, _ = sample(path)
    assert len(whole) == 12
    assert sample(path, after=whole[6][:2])[0] == whole[7:]


def test_a_recording_that_stands_on_its_side_is_turned_upright(tmp_path: Path) -> None:
    path = tmp_path / "phone.mov"
    plain = write_video(tmp_path / "v.mkv", walk(2))
    with av.open(str(plain)) as source, av.open(str(path), "w", format="mov") as target:
        stream = target.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 480, 240, "yuv420p"
        for frame in source.decode(video=0):
            target.mux(stream.encode(frame.reformat(format="yuv420p")))
        target.mux(stream.encode(None))
    data = bytearray(path.read_bytes())
    # The matrix of the track header, which no encoder here writes: a quarter turn.
    at = data.index(b"tkhd") + 4 + 4 + 4 + 4 + 4 + 4 + 4 + 8 + 2 + 2 + 2 + 2
    one = (1 << 16).to_bytes(4, "big")
    minus = ((1 << 32) - (1 << 16)).to_bytes(4, "big")
    none = bytes(4)
    data[at : at + 36] = none + one + none + minus + none + none + none + none + (1 << 30).to_bytes(4, "big")
    path.write_bytes(data)
    assert (info(path).width, info(path).height) == (240, 480)


def refuse(path: Path) -> str:
    with pytest.raises(VideoRefused) as caught:
        info(path)
    assert caught.value.message
    return caught.value.code


@pytest.mark.parametrize(
    "content",
    [
        b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
        b"<?xml version='1.0'?><MPD><Period/></MPD>",
        b"just text, whatever it is called",
        b"",
    ],
)
def test_a_list_of_other_files_is_never_opened(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "video.mp4"
    path.write_bytes(content)
    monkeypatch.setattr(subprocess, "Popen", None)  # the decoder is not even asked
    assert refuse(path) == "not_a_video"


def test_a_photo_is_no_video() -> None:
    assert find_container(io.BytesIO(draw_photo("red"))) == ""
    assert find_container(io.BytesIO(b"\x00\x00\x00\x18ftypheic" + bytes(100))) == ""


def test_a_file_that_only_begins_like_a_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    path.write_bytes(b"\x00\x00\x00\x18ftypmp42" + b"nonsense" * 1000)
    assert refuse(path) == "damaged"


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sound.mkv"
    with av.open(str(path), "w", format="matroska") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        assert isinstance(stream, AudioStream)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), dtype=np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert refuse(path) == "no_picture"


def test_a_picture_of_too_many_pixels_is_refused(video: Path) -> None:
    with pytest.raises(VideoRefused) as caught:
        info(video, max_pixels=10_000)
    assert caught.value.code == "too_many_pixels"


def test_a_header_that_claims_a_huge_picture_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mkv", walk(2))
    data = path.read_bytes()
    # Matroska's PixelWidth and PixelHeight, 480 x 240 in two bytes and one.
    for old, new in ((b"\xb0\x82\x01\xe0", b"\xb0\x82\xff\xff"), (b"\xba\x81\xf0", b"\xba\x81\xff")):
        assert data.count(old) == 1
        data = data.replace(old, new)
    path.write_bytes(data)
    with pytest.raises(VideoRefused) as caught:
        info(path, max_pixels=1_000_000)
    assert caught.value.code == "too_many_pixels"


def test_a_recording_that_is_too_long_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mkv", walk(2), moments=[0, 61_000])
    with pytest.raises(VideoRefused) as caught:
        info(path, max_minutes=1)
    assert caught.value.code == "too_long"
    assert "1 minutes" in caught.value.message


def test_a_recording_without_a_frame_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mkv", walk(10))
    path.write_bytes(path.read_bytes()[:900])
    assert refuse(path) == "no_picture"


def test_of_a_file_that_is_cut_off_everything_readable_is_read(video: Path) -> None:
    whole, _ = sample(video)
    data = video.read_bytes()
    video.write_bytes(data[: len(data) * 2 // 5])
    found, damaged = sample(video)
    assert damaged
    assert 1 < len(found) < len(whole)
    assert found == whole[: len(found)]


def test_a_decoder_that_hangs_costs_the_attempt_alone(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = subprocess.Popen

    def hang(command: list[str], **options: Any) -> object:
        return real(["sleep", "60"], **options)

    monkeypatch.setattr(subprocess, "Popen", hang)
    monkeypatch.setattr(decoding, "_SILENCE_SECONDS", 0.2)
    began = time.monotonic()
    with pytest.raises(DecoderDied) as caught:
        info(video)
    assert caught.value.code == "decoder_hangs"
    assert time.monotonic() - began < 10


def test_a_decoder_that_crashes_costs_the_attempt_alone(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = subprocess.Popen

    def crash(command: list[str], **options: Any) -> object:
        return real(["sh", "-c", "kill -SEGV $$"], **options)

    monkeypatch.setattr(subprocess, "Popen", crash)
    with pytest.raises(DecoderDied) as caught:
        info(video)
    assert caught.value.code == "decoder_died"
