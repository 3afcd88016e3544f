"""Cards that were put off: what somebody skipped themselves, and what anybody asked a colleague about."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from labeling.models import DecidedFace, Decision
from labeling.queue.items import QueueItem
from labeling.queue.people import FEWEST, settle_people
from labeling.queue.scope import Scope

# More than anybody skips in a week.
_MOST = 400


def list_skipped(scope: Scope) -> list[QueueItem]:
    """This user's own, the longest ago first; what was skipped again goes to the end."""
    return _list(scope, Decision.objects.filter(actor=scope.user, kind=Decision.Kind.SKIP))


def list_asked(scope: Scope) -> list[QueueItem]:
    """Everybody's questions, the oldest first."""
    return _list(scope, Decision.objects.filter(kind=Decision.Kind.ASK))


def put_off_faces_of(scope: Scope, decisions: QuerySet[Decision]) -> QuerySet[DecidedFace]:
    """The faces of these decisions that are still open and the user's to decide about."""
    return DecidedFace.objects.filter(
        scope.within("face__photo__event"),
        decision__in=decisions.filter(undone_at=None).order_by().values("pk"),
        face__unlabeled__reviewed=False,
    )


def _list(scope: Scope, decisions: QuerySet[Decision]) -> list[QueueItem]:
    rows: QuerySet[DecidedFace, tuple[int | None, int | None, int | None, int, UUID]] = (
        put_off_faces_of(scope, decisions)
        .order_by("-decision", "face")
        .values_list(
            "decision__cluster",
            "decision__person",
            "decision__cluster__open_count",
            "face__pk",
            "face__face_id",
        )
    )
    found: dict[str, QueueItem] = {}
    for cluster, person, open_count, face, face_id in rows[: _MOST * 10]:
        if cluster is not None and open_count is not None and open_count >= FEWEST:
            item = QueueItem(kind="cluster", pk=cluster, count=open_count)
        elif person is not None:
            item = QueueItem(kind="person", pk=person)
        else:
            item = QueueItem(kind="face", pk=face, face_id=face_id)
        found.setdefault(item.card, item)
    items = list(found.values())[:_MOST]
    people = [item.pk for item in items if item.kind == "person"]
    still = {one.person_pk: one.item for one in settle_people(scope, people)} if people else {}
    # The newest came first, and each card once: the longest ago is last.
    return [still.get(item.pk, item) for item in reversed(items) if item.kind != "person" or item.pk in still]
