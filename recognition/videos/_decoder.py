"""The native decoder's process: reads one local recording and writes its facts and frames to standard output.

Run by decoding.py as a script, in a process of its own: whatever a hostile file does to the decoder ends here. Knows
nothing of the installation. Each message is its length (4 bytes, big-endian), JSON, and for a frame its RGB bytes.
"""

from __future__ import annotations

import json
import re
import resource
import sys
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

_MEMORY = 6 * 1024**3
_FILES = 64
# So many packets that cannot be decoded in a row end the recording.
_MOST_ERRORS = 200
# A word to the parent while frames are only passed over.
_TELL_EVERY = 100
# A frame further ahead than this is sought and not decoded to.
_FAR_MS = 5_000
# So much of the picture may be missing at the end of a whole file.
_SHORT_MS = 1_000
# What is sought begins so long before: some containers find the picture after the one that was meant.
_BEFORE_MS = 1_000


class Refused(Exception):
    """The file is no recording that is taken; the argument is the code."""


class Recording:
    """The picture of one file, from its beginning or from somewhere before a moment."""

    def __init__(self, request: dict[str, Any]) -> None:
        self._request = request
        self._max_pixels: int = request["max_pixels"]
        self.damaged = False
        self.container, self.stream = self._open()

    def _open(self) -> tuple[InputContainer, VideoStream]:
        demuxer: str = self._request["demuxer"]
        options = {"protocol_whitelist": "file", "format_whitelist": demuxer, "max_streams": "64"}
        # The scheme is said, so that no name is taken for an address of something else.
        container = av.open("file:" + self._request["path"], "r", format=demuxer, options=options)
        pictures = [one for one in container.streams.video if not one.disposition & Disposition.attached_pic]
        if not pictures:
            raise Refused("no_picture")
        stream = pictures[0]
        self._check_size(stream.codec_context.width, stream.codec_context.height)
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = 2
        return container, stream

    def reopen(self) -> None:
        self.container.close()
        self.container, self.stream = self._open()

    def _check_size(self, width: int, height: int) -> None:
        if width * height > self._max_pixels:
            raise Refused("too_many_pixels")

    def frames(self, *, near_ms: int | None = None) -> Iterator[tuple[int, VideoFrame]]:
        """(milliseconds, frame) in the order in which they are shown; near a moment if the file allows to seek."""
        if near_ms is not None and self.stream.time_base is not None:
            offset = int(max(0, near_ms - _BEFORE_MS) / 1000 / self.stream.time_base) + self._zero
            self.container.seek(offset, stream=self.stream, backward=True)
        last, errors = 0, 0
        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets)
                found = packet.decode()
                errors = 0
            except StopIteration:
                return
            except FFmpegError as error:
                # The end of a damaged file, or one packet of it.
                self.damaged = self.damaged or not isinstance(error, av.error.EOFError)
                errors += 1
                if errors > _MOST_ERRORS or isinstance(error, av.error.EOFError):
                    return
                continue
            for frame in found:
                self._check_size(frame.width, frame.height)
                last = max(last, self._moment(frame, last))
                yield last, frame

    @property
    def _zero(self) -> int:
        return self.stream.start_time or 0

    def _moment(self, frame: VideoFrame, last: int) -> int:
        stamp = frame.pts if frame.pts is not None else frame.dts
        if stamp is None or self.stream.time_base is None:
            return last + round(1000 / float(self.stream.average_rate or 25))
        return max(0, round((stamp - self._zero) * self.stream.time_base * 1000))

    @property
    def picture_ms(self) -> int:
        """How long the picture is, as the header says; 0 where it does not."""
        if self.stream.duration and self.stream.time_base:
            return round(self.stream.duration * self.stream.time_base * 1000)
        # Matroska's own words for it.
        told = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", self.stream.metadata.get("DURATION", ""))
        if not told:
            return 0
        hours, minutes, seconds = told.groups()
        return round((int(hours) * 3600 + int(minutes) * 60 + float(seconds)) * 1000)

    @property
    def duration_ms(self) -> int:
        """The same, else of the longest of picture and sound."""
        return self.picture_ms or round((self.container.duration or 0) / 1000)

    def measure(self) -> int:
        """The last moment of the picture, read packet by packet."""
        last = 0
        for told, packet in enumerate(self.container.demux(self.stream), 1):
            if packet.pts is not None and self.stream.time_base is not None:
                last = max(last, round((packet.pts - self._zero) * self.stream.time_base * 1000))
            if told % (100 * _TELL_EVERY) == 0:
                tell({"kind": "still"})
        return last


def tell_info(recording: Recording) -> None:
    for _, frame in recording.frames():
        first = to_rgb(frame)
        break
    else:
        raise Refused("no_picture")
    duration = recording.duration_ms
    if not duration:
        recording.reopen()
        duration = recording.measure()
    rate = recording.stream.average_rate
    tell(
        {
            "kind": "info",
            "width": first.shape[1],
            "height": first.shape[0],
            "duration_ms": duration,
            "frame_ms": 1000 / float(rate) if rate else 40.0,
            "created": recording.container.metadata.get("creation_time", ""),
        }
    )


def tell_sampled(recording: Recording, *, interval_ms: int, after: list[int] | None, max_ms: int) -> None:
    """The first frame of every interval; behind the frame `after` (number, milliseconds) if there is one."""
    due = 0 if after is None else _next_due(after[1], interval_ms)
    last = 0
    for number, at_ms, frame in _behind(recording, after):
        last = at_ms
        if at_ms > max_ms:
            recording.damaged = True
            break
        if at_ms >= due and not frame.is_corrupt:
            tell_frame(number, at_ms, frame)
            due = _next_due(at_ms, interval_ms)
        elif number % _TELL_EVERY == 0:
            tell({"kind": "still"})
    damaged = recording.damaged or recording.picture_ms - last > _SHORT_MS
    tell({"kind": "end", "damaged": damaged, "at_ms": last})


def tell_wanted(recording: Recording, wanted: list[list[int]]) -> None:
    """These frames (number, milliseconds), in their order."""
    position: int | None = None
    frames: Iterator[tuple[int, int, VideoFrame]] = iter(())
    for number, at_ms in wanted:
        if position is None or at_ms - position > _FAR_MS:
            frames = _behind(recording, [number, at_ms], including=True)
        for found, moment, frame in frames:
            position = moment
            if found == number:
                tell_frame(number, at_ms, frame)
            if found >= number:
                break
    tell({"kind": "end", "damaged": recording.damaged, "at_ms": position or 0})


def _next_due(at_ms: int, interval_ms: int) -> int:
    return (at_ms // interval_ms + 1) * interval_ms


def _behind(
    recording: Recording, anchor: list[int] | None, *, including: bool = False
) -> Iterator[tuple[int, int, VideoFrame]]:
    """(number, milliseconds, frame) behind a frame whose number and moment are known; all of them without one."""
    if anchor is not None:
        number, at_ms = anchor
        found = False
        try:
            for moment, frame in recording.frames(near_ms=at_ms):
                if found:
                    number += 1
                    yield number, moment, frame
                elif moment == at_ms and not frame.is_corrupt:
                    found = True
                    if including:
                        yield number, moment, frame
                elif moment > at_ms:
                    break
        except FFmpegError:
            if found:
                raise
        if found:
            return
        # Cannot be sought: counted from the beginning.
        recording.reopen()
        recording.damaged = False
    for number, (moment, frame) in enumerate(recording.frames()):
        if anchor is None or number > anchor[0] or (including and number == anchor[0]):
            yield number, moment, frame
        elif number % _TELL_EVERY == 0:
            tell({"kind": "still"})


def to_rgb(frame: VideoFrame) -> np.ndarray[Any, Any]:
    """Upright pixels (h, w, 3)."""
    turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), turns))


def tell_frame(number: int, at_ms: int, frame: VideoFrame) -> None:
    rgb = to_rgb(frame)
    height, width = rgb.shape[:2]
    tell({"kind": "frame", "number": number, "at_ms": at_ms, "width": width, "height": height}, rgb)


def tell(message: dict[str, Any], pixels: np.ndarray[Any, Any] | None = None) -> None:
    data = json.dumps(message).encode()
    sys.stdout.buffer.write(len(data).to_bytes(4, "big") + data)
    if pixels is not None:
        sys.stdout.buffer.write(pixels.data.cast("B"))
    sys.stdout.buffer.flush()


def main() -> None:
    request: dict[str, Any] = json.loads(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))
    try:
        recording = Recording(request)
        if request["wants"] == "info":
            tell_info(recording)
        elif request["wants"] == "sampled":
            tell_sampled(
                recording,
                interval_ms=request["interval_ms"],
                after=request["after"],
                max_ms=request["max_ms"],
            )
        else:
            tell_wanted(recording, request["wanted"])
    except Refused as refusal:
        tell({"kind": "refused", "code": str(refusal)})
    except MemoryError:
        tell({"kind": "refused", "code": "too_many_pixels"})
    except (FFmpegError, ValueError, IndexError):
        tell({"kind": "refused", "code": "damaged"})


if __name__ == "__main__":
    main()
