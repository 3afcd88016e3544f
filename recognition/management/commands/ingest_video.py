"""Add the recording of an event and look at its frames here, with a bar; run again, it goes on where it stopped."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from recognition.images import PhotoRefused
from recognition.leases import claim_next
from recognition.management.commands.ingest_photos import EVENT_GONE, PATIENCE_SECONDS, POLL_SECONDS
from recognition.management.commands.run_worker import load_models
from recognition.management.event_named import check_event_name, event_named
from recognition.models import Event, Face, Photo, Track, Video
from recognition.videos.adding import AddedVideo, add_video_in_place
from recognition.videos.decoding import VideoRefused, is_video
from recognition.videos.words import clock

# How long a claim is kept before it is renewed anew: well within the longest attempt that a lease allows.
_SLICE_SECONDS = 120.0
_PATH_LENGTH = 1000
_AGAIN = "Run the same command again: it goes on where it stopped."


class Command(BaseCommand):
    help = (
        "Add the recording of an event: its faces are followed, and each appearance is named or queued once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="stays where it is and is read there")
        parser.add_argument(
            "--event", required=True, metavar="NAME", help="created if there is none of this name"
        )
        parser.add_argument(
            "--interval",
            type=_interval,
            metavar="SECONDS",
            help="between two frames that are looked at (0.2); fixed once the video is added",
        )
        parser.add_argument(
            "--no-process", action="store_true", help="leave the processing to the running worker"
        )

    def handle(
        self,
        *args: Any,
        file: Path,
        event: str,
        interval: int | None,
        no_process: bool,
        **options: Any,
    ) -> None:
        if not file.is_file():
            raise CommandError(f"{file} is not a file.")
        if len(str(file.resolve())) > _PATH_LENGTH:
            raise CommandError(f"The path of {file.name} is too long. Move it to a shorter one.")
        name = check_event_name(event)
        self._check(file)
        try:
            added = self._add(event_named(name), file, interval)
            if not no_process:
                self._process(added.video)
            self._report(added.video, processed=not no_process)
        except KeyboardInterrupt:
            raise CommandError(f"Stopped. {_AGAIN}", returncode=130) from None

    def _check(self, file: Path) -> None:
        """Before there is an event of the name: a slip in the file's name makes none."""
        try:
            with file.open("rb") as opened:
                if not is_video(opened):
                    raise CommandError(f"{file.name}: {VideoRefused('not_a_video').message}")
        except OSError as error:
            raise CommandError(f"{file} cannot be read ({error.strerror}). {_AGAIN}") from error

    def _add(self, event: Event, file: Path, interval: int | None) -> AddedVideo:
        try:
            with tqdm(
                total=file.stat().st_size, desc="Reading", unit="B", unit_scale=True, disable=None
            ) as bar:
                added = add_video_in_place(event=event, path=file, interval_ms=interval, on_bytes=bar.update)
        except PhotoRefused as refusal:
            raise CommandError(f"{file.name}: {refusal.message}") from refusal
        except OSError as error:
            raise CommandError(f"{file} cannot be read ({error.strerror}). {_AGAIN}") from error
        video = added.video
        if added.outcome == "duplicate":
            state = "" if video.state == Video.State.DONE else " and is not finished"
            self._say(f"{video.name} is in the event already{state}.")
        else:
            self._say(f"{video.name}: {clock(video.duration_ms)}, {video.width} x {video.height} pixels.")
        if interval is not None and interval != video.interval_ms:
            self._say(f"It was added with an interval of {video.interval_ms / 1000:g} s, which stays.")
        return added

    def _process(self, video: Video) -> None:
        from recognition.videos.work import process_claimed_video, sweep_videos

        this = Video.objects.filter(pk=video.pk, event__deleted_at=None)
        if _now(video).state == Video.State.DONE:
            return
        load_models()
        seen, moved_at = -1, time.monotonic()
        with tqdm(
            total=video.frames_total,
            initial=_now(video).frames_done,
            desc="Looking",
            unit="frame",
            disable=None,
        ) as bar:

            def show() -> bool:
                bar.update(_now(video).frames_done - bar.n)
                return False

            while (now := _now(video)).state in {Video.State.QUEUED, Video.State.PROCESSING}:
                if time.monotonic() - moved_at >= PATIENCE_SECONDS:
                    break
                # A running worker may be at it, too: whoever claims it first has it for a slice.
                if claim := claim_next(this):
                    process_claimed_video(claim, seconds=_SLICE_SECONDS, interrupted=show)
                else:
                    time.sleep(POLL_SECONDS)
                    sweep_videos()
                show()
                progress = now.frames_done + Photo.objects.filter(video=video).count()
                if progress != seen:
                    seen, moved_at = progress, time.monotonic()

    def _report(self, video: Video, *, processed: bool) -> None:
        now = _now(video)
        if now.state == Video.State.FAILED:
            raise CommandError(f"{now.name}: {now.failure_reason or now.failure_code}")
        if now.state != Video.State.DONE:
            if processed and now.failure_reason:
                self._say(f"Why it waits: {now.failure_reason}")
            self._say(
                f"{now.frames_done} of about {now.frames_total} frames looked at. The worker goes on with it "
                f"(`manage.py run_worker`). {_AGAIN if processed else ''}".rstrip()
            )
            return
        if now.failure_reason:
            self._say(now.failure_reason)
        faces = Face.objects.filter(track__video=video)
        named = faces.filter(sighting__isnull=False).count()
        self._say(
            f"{now.frames_done} frames looked at; {Track.objects.filter(video=video).count()} appearances in "
            f"{Photo.objects.filter(video=video).count()} photos, {named} named, "
            f"{faces.filter(unlabeled__reviewed=False).count()} for the queue."
        )

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _now(video: Video) -> Video:
    now = Video.objects.filter(pk=video.pk, event__deleted_at=None).first()
    if now is None:
        raise CommandError("The video or its event was deleted meanwhile.", returncode=EVENT_GONE)
    return now


def _interval(text: str) -> int:
    """Milliseconds."""
    seconds = float(text)
    if not 0.02 <= seconds <= 60:
        raise ValueError
    return round(seconds * 1000)
