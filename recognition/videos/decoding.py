"""The one door from a recording to frames: checked by content, decoded in a process that may crash or hang by itself.

Only local files of a few containers are opened, only their picture is decoded, and nothing that a file names is followed.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from recognition.images import PhotoRefused

# A decoder that says nothing for so long hangs.
_SILENCE_SECONDS = 60.0
_PIPE_BYTES = 1024 * 1024
_HEAD_BYTES = 4096
_REASONS = {
    "not_a_video": "This is no video that FaceVault knows. Save it as MP4, MOV, MKV, WebM, AVI or MPEG-TS.",
    "no_picture": "The file has no picture that can be played. Check it in a player and add it again.",
    "too_many_pixels": "The picture of this video is too large. Save it smaller, such as 1920 x 1080, and add it again.",
    "damaged": "The video is damaged and cannot be played. Copy it from the camera again.",
    "too_long": "The video is longer than {minutes} minutes. Cut it into parts and add these.",
    "decoder_hangs": "The video cannot be decoded: the decoder takes for ever. Convert it to MP4 and add it again.",
    "decoder_died": "The video cannot be decoded: it broke the decoder. Convert it to MP4 and add it again.",
}


class VideoRefused(PhotoRefused):
    """The recording is not taken; `code` is stable, `message` says what to do."""

    def __init__(self, code: str, *, minutes: int = 0) -> None:
        super().__init__(code, _REASONS[code].format(minutes=minutes))


class DecoderDied(Exception):
    """The decoder's process ended without a word, or hung: this attempt is lost."""

    def __init__(self, code: str) -> None:
        super().__init__(_REASONS[code])
        self.code = code
        self.reason = _REASONS[code]


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoInfo:
    """What a recording says of itself; `width` and `height` are upright pixels."""

    width: int
    height: int
    duration_ms: int
    frame_ms: float
    started_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """Upright pixels (h, w, 3) of the recording's frame `number`, shown `at_ms` after its beginning."""

    number: int
    at_ms: int
    rgb: NDArray[np.uint8]


def find_container(file: BinaryIO) -> str:
    """By its first bytes and not by its name, the demuxer of a file of a container that is taken; empty for any other."""
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    if head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide"} or (
        head[4:8] in {b"free", b"skip"} and b"moov" in head
    ):
        return "" if head[8:12] in _PICTURE_BRANDS and head[4:8] == b"ftyp" else "mp4"
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "matroska"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "avi"
    # Plain packets of 188 bytes, or with the four of a camera's time before each.
    for first, step in ((0, 188), (4, 192)):
        marks = head[first::step][:8]
        if len(marks) == 8 and set(marks) == {0x47}:
            return "mpegts"
    return ""


# HEIC and AVIF photos are boxes of the same kind.
_PICTURE_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif", b"avis"}


def is_video(file: BinaryIO) -> bool:
    return bool(find_container(file))


def read_video_info(path: Path, *, max_pixels: int, max_minutes: int) -> VideoInfo:
    """The facts of the header, checked by decoding the first frame. Raises VideoRefused, DecoderDied, OSError."""
    with _decoder(path, max_pixels=max_pixels, wants="info") as decoder:
        facts, _ = decoder.read()
    if facts["duration_ms"] > max_minutes * 60_000:
        raise VideoRefused("too_long", minutes=max_minutes)
    return VideoInfo(
        width=facts["width"],
        height=facts["height"],
        # A single picture has a duration, too: that of one frame.
        duration_ms=max(facts["duration_ms"], round(facts["frame_ms"]), 1),
        frame_ms=facts["frame_ms"],
        started_at=_read_time(facts["created"]),
    )


class FrameReader:
    """Frames one by one; after the last, whether the file is damaged and up to which moment it could be read."""

    def __init__(self, decoder: _Decoder) -> None:
        self._decoder = decoder
        self.damaged = False
        self.end_ms = 0

    def __iter__(self) -> Iterator[Frame]:
        while True:
            message, rgb = self._decoder.read()
            if rgb is None:
                self.damaged, self.end_ms = message["damaged"], message["at_ms"]
                return
            yield Frame(number=message["number"], at_ms=message["at_ms"], rgb=rgb)


@contextmanager
def sample_frames(
    path: Path, *, interval_ms: int, after: tuple[int, int] | None, max_pixels: int, max_minutes: int
) -> Iterator[FrameReader]:
    """The first frame of every interval, behind the frame `after` (number, milliseconds) that was read before.

    The same file gives the same frames, numbers and moments, wherever it is begun.
    """
    wishes = {"interval_ms": interval_ms, "after": after, "max_ms": max_minutes * 60_000}
    with _decoder(path, max_pixels=max_pixels, wants="sampled", **wishes) as decoder:
        yield FrameReader(decoder)


@contextmanager
def pick_frames(path: Path, *, wanted: Sequence[tuple[int, int]], max_pixels: int) -> Iterator[FrameReader]:
    """These frames (number, milliseconds) again, in their order; one that is not there any more is left out."""
    with _decoder(path, max_pixels=max_pixels, wants="wanted", wanted=list(wanted)) as decoder:
        yield FrameReader(decoder)


@contextmanager
def _decoder(path: Path, *, max_pixels: int, wants: str, **wishes: object) -> Iterator[_Decoder]:
    with path.open("rb") as file:
        demuxer = find_container(file)
    if not demuxer:
        raise VideoRefused("not_a_video")
    request = {"path": str(path.resolve()), "demuxer": demuxer, "max_pixels": max_pixels, "wants": wants}
    # -P: its own folder is no place to import from. Nothing of our environment is its business.
    command = [
        sys.executable,
        "-P",
        str(Path(__file__).with_name("_decoder.py")),
        json.dumps({**request, **wishes}),
    ]
    environment = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    process = subprocess.Popen(  # noqa: S603 - our own script
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        env=environment,
    )
    assert process.stdout is not None
    try:
        with suppress(OSError):
            fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        yield _Decoder(process.stdout)
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


class _Decoder:
    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe

    def read(self) -> tuple[dict[str, Any], NDArray[np.uint8] | None]:
        """The next message that is more than a sign of life, with the pixels of a frame."""
        while True:
            length = int.from_bytes(self._take(4), "big")
            message: dict[str, Any] = json.loads(bytes(self._take(length)))
            if message["kind"] == "refused":
                raise VideoRefused(message["code"])
            if message["kind"] == "frame":
                shape = (message["height"], message["width"], 3)
                pixels = np.frombuffer(self._take(shape[0] * shape[1] * 3), dtype=np.uint8)
                return message, pixels.reshape(shape)
            if message["kind"] != "still":
                return message, None

    def _take(self, size: int) -> bytearray:
        data = bytearray(size)
        rest = memoryview(data)
        end = time.monotonic() + _SILENCE_SECONDS
        while rest:
            ready, _, _ = select.select([self._pipe], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                raise DecoderDied("decoder_hangs")
            read = os.readv(self._pipe.fileno(), [rest])
            if not read:
                raise DecoderDied("decoder_died")
            rest = rest[read:]
        return data


def _read_time(text: str) -> datetime | None:
    """Cameras write UTC; one without a clock writes its first day."""
    with suppress(ValueError):
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        moment = moment.replace(tzinfo=moment.tzinfo or UTC)
        if moment.year > 1990:
            return moment
    return None
