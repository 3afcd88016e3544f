"""Look for the faces of processed photos again, after a change of the detector; whatever people decided stays."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from recognition.faults import GalleryBusy
from recognition.images import PhotoRefused
from recognition.management.commands.run_worker import load_models
from recognition.models import Event, Photo
from recognition.redetection import PhotoGone, Redetected, photos_to_redetect, redetect_photo
from recognition.text import clean_name

_AGAIN = "Run the same command again: it goes on where it stopped."


class Command(BaseCommand):
    help = "Find and embed the faces of processed photos again. Names, verdicts and rejections stay."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--event", metavar="NAME", help="only the photos of this event")
        parser.add_argument(
            "--all", action="store_true", help="also photos whose faces this very detector found"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would change, and change nothing"
        )

    def handle(self, *args: Any, event: str | None, all: bool, dry_run: bool, **options: Any) -> None:
        load_models()
        photos = Photo.objects.all() if event is None else Photo.objects.filter(event=_find_event(event))
        # Numbers alone: so many rows would take more memory than the nets.
        pks = list(photos_to_redetect(photos, everything=all).order_by("pk").values_list("pk", flat=True))
        total, done, failed = Redetected(), 0, 0
        try:
            with tqdm(pks, desc="Looking again", unit="photo", disable=None) as bar:
                for pk in bar:
                    photo = Photo.objects.filter(pk=pk).first()
                    if photo is None:
                        continue
                    try:
                        total += redetect_photo(photo, dry_run=dry_run)
                        done += 1
                    except PhotoGone:
                        continue
                    except (PhotoRefused, GalleryBusy, OSError) as error:
                        failed += 1
                        self.stderr.write(f"{clean_name(photo.name)} (photo {pk}): {_words_of(error)}")
        except KeyboardInterrupt:
            self._report(total, done, failed, dry_run=dry_run)
            raise CommandError(f"Stopped. {_AGAIN}", returncode=130) from None
        self._report(total, done, failed, dry_run=dry_run)

    def _report(self, total: Redetected, done: int, failed: int, *, dry_run: bool) -> None:
        if not done and not failed:
            self.stdout.write(
                "Every photo was looked at by this detector already. To look at all of them again: --all"
            )
            return
        would = "would be " if dry_run else ""
        self.stdout.write(
            f"{done} photos looked at: {total.matched} faces matched ({total.changed} of them {would}measured anew), "
            f"{total.added} {would}added, {total.removed} {would}removed, {total.kept} not found any more and kept."
        )
        if failed:
            self.stdout.write(
                f"{failed} photos could not be looked at; their faces are as they were. {_AGAIN}"
            )


def _find_event(name: str) -> Event:
    found = Event.objects.filter(name__iexact=clean_name(name), deleted_at=None).first()
    if found is None:
        raise CommandError(f"There is no event of the name {name}.")
    return found


def _words_of(error: Exception) -> str:
    if isinstance(error, PhotoRefused):
        return error.message
    if isinstance(error, GalleryBusy):
        return "faces were being named all the time; run the command again"
    if isinstance(error, FileNotFoundError):
        return "the file of this photo is gone from the server; upload it to its event again"
    return f"it cannot be read ({error})"
