"""Place: which queue somebody works on, and the addresses of its cards."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from labeling.queue import Queue, QueueItem
from recognition.models import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Part of every address of the desk."""

    event: Event | None = None
    queue: Queue = ""

    @property
    def query(self) -> str:
        return self.query_with()

    def query_with(self, **more: str | int) -> str:
        values = {"event": self.event.pk if self.event else "", "queue": self.queue, **more}
        given = urlencode({name: value for name, value in values.items() if value})
        return f"?{given}" if given else ""

    def url(self, item: QueueItem | None = None, **more: str | int) -> str:
        """The address of a card, or of whatever comes next."""
        return card_path(item) + self.query_with(**more)

    def tab(self, queue: Queue) -> str:
        """The address of another queue of the same event."""
        return Place(event=self.event, queue=queue).url()


def card_path(item: QueueItem | None) -> str:
    if item is None:
        return reverse("label")
    if item.kind == "cluster":
        return reverse("label-group", args=[item.pk])
    if item.kind == "person":
        return reverse("label-person", args=[item.pk])
    return reverse("label-face", args=[item.face_id])


def read_card_name(name: str) -> QueueItem | None:
    """The card of a name such as "cluster-12"; none of anything else. Whether there is such a card is not asked."""
    found = re.fullmatch(r"(cluster|person|face)-([0-9]{1,15})", name)
    if found is None:
        return None
    kind = found.group(1)
    pk = int(found.group(2))
    if kind == "cluster":
        return QueueItem(kind="cluster", pk=pk)
    return QueueItem(kind="person", pk=pk) if kind == "person" else QueueItem(kind="face", pk=pk)
