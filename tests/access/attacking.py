"""What attack tests share: requests that leave nothing behind, and everything there is about an event as plain rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.signals import request_finished
from django.db import close_old_connections, models, transaction
from django.http import HttpResponseBase

from access.models import ApiToken, EventGrant
from labeling.models import (
    Assignment,
    Cluster,
    ClusterMember,
    Decision,
    DifferentPeople,
    EventReview,
    NameCheck,
    PeopleImport,
    Rejection,
    SecondOpinion,
    TwiceRight,
)
from recognition.models import (
    DisputedFace,
    Event,
    Export,
    Face,
    ManualBox,
    Person,
    Photo,
    Probe,
    RosterEntry,
    Sighting,
    UnlabeledFace,
)
from tests.access.world import Side


@contextmanager
def rolled_back() -> Iterator[None]:
    """What is written inside is forgotten; searches, which refuse business transactions, run nevertheless."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]
    with block:
        yield
        transaction.set_rollback(True)


def read_body(answer: HttpResponseBase) -> bytes:
    """All of an answer, streamed or not."""
    body: bytes = answer.getvalue() if hasattr(answer, "getvalue") else b""
    # Closing a streamed answer tells Django that the request is over, which would end the connection with the test's data.
    request_finished.disconnect(close_old_connections)
    try:
        answer.close()
    finally:
        request_finished.connect(close_old_connections)
    return body


def rows_about(side: Side) -> dict[str, list[dict[str, Any]]]:
    """Every row of the side's event and of what belongs to it; equal before and after means that nothing was touched."""
    event = side.event.pk
    found: dict[str, models.QuerySet[Any]] = {
        "event": Event.objects.filter(pk=event),
        "photos": Photo.objects.filter(
            models.Q(event=event) | models.Q(pk__in=[side.photo.pk, side.failed.pk])
        ),
        "faces": Face.objects.filter(photo__event=event),
        "sightings": Sighting.objects.filter(
            models.Q(face__photo__event=event) | models.Q(person=side.person.pk)
        ),
        "queue": UnlabeledFace.objects.filter(face__photo__event=event),
        "people": Person.objects.filter(pk=side.person.pk),
        "decisions": Decision.objects.filter(
            models.Q(face__photo__event=event)
            | models.Q(person=side.person.pk)
            | models.Q(key=side.decision.key)
        ),
        "rejections": Rejection.objects.filter(person=side.person.pk),
        "grants": EventGrant.objects.filter(event=event),
        "tokens": ApiToken.objects.filter(pk=side.token.pk),
        "exports": Export.objects.filter(models.Q(event=event) | models.Q(person=side.person.pk)),
        "probes": Probe.objects.filter(pk=side.probe.pk),
        "clusters": Cluster.objects.filter(event=event),
        "members": ClusterMember.objects.filter(face__photo__event=event),
        "boxes": ManualBox.objects.filter(photo__event=event),
        "opinions": SecondOpinion.objects.filter(face__photo__event=event),
        "checks": NameCheck.objects.filter(face__photo__event=event),
        "assignments": Assignment.objects.filter(event=event),
        "roster": RosterEntry.objects.filter(event=event),
        "disputes": DisputedFace.objects.filter(face__photo__event=event),
        "reviews": EventReview.objects.filter(event=event),
        "imports": PeopleImport.objects.filter(pk=side.imported.pk),
        "right twice": TwiceRight.objects.filter(person=side.person.pk),
        "two people": DifferentPeople.objects.filter(
            models.Q(first=side.person.pk) | models.Q(second=side.person.pk)
        ),
    }
    return {name: list(rows.order_by("pk").values()) for name, rows in found.items()}


def words_about(side: Side) -> list[str]:
    """What is in no answer to somebody who may not see the side's event."""
    return [*side.words, *side.personal_words]
