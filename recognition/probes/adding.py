"""A new search: the picture passes the same gate as every upload, and a worker is asked for at once."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import BinaryIO, TypeVar

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from recognition.images import PhotoRefused
from recognition.leases import request_task
from recognition.models import LookProbe, Probe
from recognition.models._work import Work
from recognition.probes.files import picture_path, remove_files, remove_picture
from recognition.probes.removal import remove_expired
from recognition.tasks import process_probes
from recognition.uploads.adding import check_incoming
from recognition.uploads.receiving import receive_or_refuse

P = TypeVar("P", Probe, LookProbe)

LIFETIME = timedelta(minutes=30)
# Searches of one user that are kept at a time. It caps what lies here, not how often somebody asks: whoever deletes one
# may search again at once.
MAX_LIVE = 20


class TooManySearches(PhotoRefused):
    """Every search that this user may have at a time still waits."""

    def __init__(self) -> None:
        super().__init__(
            "too_many_searches",
            f"{MAX_LIVE} searches of yours are waiting. Wait until one is done, or delete one; then search again.",
        )


def add_probe(*, file: BinaryIO, user: User) -> Probe:
    """Take a picture to search faces with; its name is nobody's business. Raises PhotoRefused.

    The oldest finished search of the user makes room where there are MAX_LIVE of them. Not inside a transaction.
    """
    return take_picture(Probe, file=file, user=user)


def take_picture(kind: type[P], *, file: BinaryIO, user: User) -> P:
    """The same for either kind of search."""
    remove_expired()
    with receive_or_refuse(file) as incoming:
        info = check_incoming(incoming)
        probe_id = uuid.uuid4()
        incoming.move_to(picture_path(probe_id, info.format))
        try:
            probe, displaced = _create(
                kind(
                    probe_id=probe_id,
                    user=user,
                    byte_size=incoming.byte_size,
                    width=info.width,
                    height=info.height,
                    expires_at=timezone.now() + LIFETIME,
                )
            )
        except BaseException:
            remove_picture(probe_id)
            raise
    remove_files(displaced)
    return probe


def request_search() -> None:
    """Have a worker look for searches that wait."""
    request_task(process_probes)


def _create(probe: P) -> tuple[P, list[uuid.UUID]]:
    """The row, and the searches that made room for it: their files go after the commit."""
    rows = type(probe).objects
    with transaction.atomic():
        # One new search of a user at a time, or two would both be the last that fits.
        User.objects.select_for_update().get(pk=probe.user_id)
        live = rows.visible_to(probe.user)
        displaced: list[uuid.UUID] = []
        surplus = live.count() - MAX_LIVE + 1
        if surplus > 0:
            finished = live.filter(state__in=[Work.State.DONE, Work.State.FAILED]).order_by("pk")
            oldest = list(finished.values_list("pk", "probe_id")[:surplus])
            if len(oldest) < surplus:
                raise TooManySearches
            rows.filter(pk__in=[pk for pk, _ in oldest]).delete()
            displaced = [probe_id for _, probe_id in oldest]
        probe.save(force_insert=True)
        request_search()
    return probe, displaced
