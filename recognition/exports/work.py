"""Large exports: asked for, kept for a while, removed. A worker writes them, see writing.py."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from zipfile import BadZipFile

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from access.roles import MANAGER
from recognition.exports.selection import ExportScope, summarize
from recognition.exports.zip_stream import read_events
from recognition.leases import request_task, take_up_dropped
from recognition.models import Event, Export, Photo, Probe
from recognition.models._work import MAX_ATTEMPTS
from recognition.storage import export_path, list_exports, remove_export
from recognition.tasks import process_exports

# One person's unfinished exports: each may be as large as all of an event's photos.
MAX_OPEN = 5
# After so long without a sign of work the pages ask whether the worker runs.
_QUIET = timedelta(seconds=60)
_DIED = (
    f"The worker stopped or hung {MAX_ATTEMPTS} times while it wrote this export. Delete it and ask for a smaller one, "
    "such as one event of the person."
)


class TooManyExports(Exception):
    """The user waits for so many exports already that another one would only make them all later."""


def request_export(*, user: User, scope: ExportScope) -> Export:
    """Have a worker make the ZIP. The same request again, while it is still being made, gives the same export.

    What is in it, and whether the user may still have it, is decided when the worker writes it.
    """
    photos = summarize(user=user, scope=scope).photos
    with transaction.atomic():
        waiting = Export.objects.visible_to(user).filter(
            state__in=[Export.State.QUEUED, Export.State.PROCESSING]
        )
        same = waiting.filter(
            event=scope.event,
            person=scope.person,
            with_machine=scope.with_machine,
            with_names=scope.with_names,
        ).first()
        if same is not None:
            return same
        if waiting.count() >= MAX_OPEN:
            raise TooManyExports
        export = Export.objects.create(
            user=user,
            event=scope.event,
            person=scope.person,
            with_machine=scope.with_machine,
            with_names=scope.with_names,
            photos_total=photos,
            expires_at=new_expiry(),
        )
        request_export_processing()
    return export


def request_export_processing() -> None:
    """Have a worker look for waiting exports."""
    request_task(process_exports)


def scope_of(export: Export) -> ExportScope:
    return ExportScope(
        event=export.event,
        person=export.person,
        with_machine=export.with_machine,
        with_names=export.with_names,
    )


def find_export_file(*, user: User, export: Export) -> Path | None:
    """The finished file, if the user still manages every event whose photos are in it; none otherwise."""
    path = export_path(export.export_id)
    if export.state != Export.State.DONE:
        return None
    try:
        with path.open("rb") as file:
            events = read_events(file)
    except (OSError, BadZipFile):
        return None
    managed = Event.objects.for_role(user, MANAGER).filter(pk__in=events)
    return path if managed.count() == len(events) else None


def is_stalled(exports: Iterable[Export]) -> bool:
    """Whether one of these waits for longer than it should while no worker has anything in hand."""
    now = timezone.now()
    open_states = {Export.State.QUEUED, Export.State.PROCESSING}
    if not any(
        export.state in open_states
        and max(export.created_at, export.lease_until or export.created_at) < now - _QUIET
        for export in exports
    ):
        return False
    return not any(
        rows.filter(state="processing", lease_until__gt=now).exists()
        for rows in (Photo.objects, Probe.objects, Export.objects)
    )


def delete_export(export: Export) -> None:
    """Remove an export before its time. Whoever writes it now finds its lease gone."""
    Export.objects.filter(pk=export.pk).delete()
    remove_export(export.export_id)


def sweep_exports() -> int:
    """Take up exports whose worker died and remove what expired; returns how many were removed.

    The row goes first, then the file: a kill in between leaves a file without a row, which the next sweep finds.
    """
    expired = Export.objects.filter(expires_at__lte=timezone.now())
    # Asked first: a deletion takes the database's write lock, and this runs every few seconds.
    removed = expired.delete()[0] if expired.exists() else 0
    take_up_dropped(Export.objects.all(), process_exports, reason=_DIED)
    on_disk = list_exports()
    known = set(Export.objects.filter(export_id__in=on_disk).values_list("export_id", flat=True))
    for export_id in on_disk - known:
        remove_export(export_id)
    return removed


def new_expiry() -> datetime:
    return timezone.now() + timedelta(hours=settings.FACEVAULT_EXPORT_HOURS)
