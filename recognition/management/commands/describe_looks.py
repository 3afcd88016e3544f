"""Look at photos for search by look now, instead of waiting for the worker."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from recognition.looks._mediapipe import PoseUnavailable
from recognition.looks.describing import describe_photo, photos_to_describe, photos_with_looks
from recognition.looks.plan import get_pose_finder, is_look_search_on, read_plan
from recognition.models import Event, Photo
from recognition.text import clean_name

_AGAIN = "Run the same command again: it goes on where it stopped."


class Command(BaseCommand):
    help = "Note what processed photos and the people on them look like: body pose and colors."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--event", metavar="NAME", help="only the photos of this event")
        parser.add_argument("--all", action="store_true", help="also photos that were looked at already")

    def handle(self, *args: Any, event: str | None, all: bool, **options: Any) -> None:
        if not is_look_search_on():
            raise CommandError("Search by look is off. Set FACEVAULT_LOOK_SEARCH=yes first.")
        try:
            plan = read_plan()
            get_pose_finder(plan)
        except PoseUnavailable as error:
            raise CommandError(str(error)) from error
        if not plan.has_pose:
            self.stderr.write("Colors alone are noted: FACEVAULT_POSE_MODEL is empty.")
        photos = Photo.objects.all() if event is None else Photo.objects.filter(event=_find_event(event))
        wanted = photos_with_looks(photos) if all else photos_to_describe(plan, photos)
        pks = list(wanted.order_by("pk").values_list("pk", flat=True))
        seen = unread = 0
        try:
            for pk in tqdm(pks, desc="Looking", unit="photo", disable=None):
                photo = photos_with_looks(Photo.objects.filter(pk=pk)).first()
                if photo is None:
                    continue
                if describe_photo(photo, plan):
                    seen += 1
                else:
                    unread += 1
                    self.stderr.write(f"{clean_name(photo.name)} (photo {pk}): its file cannot be read")
        except KeyboardInterrupt:
            raise CommandError(f"Stopped after {seen} photos. {_AGAIN}", returncode=130) from None
        if not pks:
            self.stdout.write("Every photo was looked at already. To look at all of them again: --all")
            return
        self.stdout.write(f"{seen} photos looked at{f', {unread} could not be read' if unread else ''}.")


def _find_event(name: str) -> Event:
    found = Event.objects.filter(name__iexact=clean_name(name), deleted_at=None).first()
    if found is None:
        raise CommandError(f"There is no event of the name {name}.")
    return found
