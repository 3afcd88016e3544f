"""Write people as a list that import_people reads, with their best portraits beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from recognition.models import Event
from recognition.people.csv_out import (
    LIST,
    MOST_PORTRAITS,
    PeopleScope,
    count_people,
    count_unclear,
    write_people_folder,
)
from recognition.text import clean_name

_AGAIN = "Run the same command again: it writes the whole list anew."


class Command(BaseCommand):
    help = "Write people.csv and portraits into a folder, for import_people of another installation."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "folder", type=Path, metavar="DIR", help="a new folder, or that of an earlier run"
        )
        parser.add_argument("--event", metavar="NAME", help="only people who were seen at this event")
        parser.add_argument(
            "--portraits",
            type=int,
            default=3,
            metavar="N",
            help=f"at most so many verified faces of each, 0 to {MOST_PORTRAITS} (3)",
        )

    def handle(self, *args: Any, folder: Path, event: str | None, portraits: int, **options: Any) -> None:
        if not 0 <= portraits <= MOST_PORTRAITS:
            raise CommandError(f"--portraits is 0 to {MOST_PORTRAITS}.")
        _check_folder(folder)
        scope = PeopleScope(
            user=None, event=_find_event(event) if event is not None else None, portraits=portraits
        )
        total = count_people(scope)
        if not total:
            raise CommandError("There are no people to write.")
        try:
            with tqdm(total=total, desc="People", unit="person", disable=None) as bar:
                written = write_people_folder(scope, folder, tell=lambda done: _advance(bar, done))
        except KeyboardInterrupt:
            raise CommandError(f"Stopped. {_AGAIN}", returncode=130) from None
        except OSError as error:
            raise CommandError(f"{folder} cannot be written ({error.strerror}). {_AGAIN}") from error
        self.stdout.write(f"{total} people and {written} portraits: {folder / LIST}")
        self.stdout.write(
            f"{folder} holds names and faces. Give it to nobody who may not have them, and delete it after use."
        )
        if unclear := count_unclear(scope):
            self.stdout.write(
                f"{unclear} of them share their name and have no external id. An import takes the first of a name alone: "
                "give them ids first."
            )


def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise CommandError(f"{folder} is not a folder.")
    if folder.is_dir() and any(folder.iterdir()):
        known = {LIST, "portraits", f".{LIST}.part"}
        if not {path.name for path in folder.iterdir()} <= known:
            raise CommandError(f"{folder} holds other files. Name a new folder.")


def _advance(bar: tqdm[Any], done: int) -> None:
    bar.update(done - bar.n)


def _find_event(name: str) -> Event:
    found = Event.objects.filter(name__iexact=clean_name(name), deleted_at=None).first()
    if found is None:
        raise CommandError(f"There is no event of the name {name}.")
    return found
