"""What attack tests share: requests that leave nothing behind, and everything there is about an event as plain rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.signals import request_finished
from django.db import close_old_connections, connection, models, transaction
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
    LookProbe,
    ManualBox,
    NamedRegion,
    Person,
    Photo,
    PhotoLook,
    Probe,
    RegionReading,
    RosterEntry,
    Sighting,
    Track,
    UnlabeledFace,
    Video,
)
from tests.access.world import Side

Rows = dict[str, list[tuple[Any, ...]]]


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


def watch_rows(side: Side) -> Callable[[], Rows]:
    """Reads every row of the side's event and of what belongs to it: equal before and after, nothing was touched."""
    event = side.event.pk
    watched: dict[str, models.QuerySet[Any]] = {
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
        "look probes": LookProbe.objects.filter(pk=side.look_probe.pk),
        "looks": PhotoLook.objects.filter(photo__event=event),
        "probes": Probe.objects.filter(pk=side.probe.pk),
        "named regions": NamedRegion.objects.filter(photo__event=event),
        "readings": RegionReading.objects.filter(event=event),
        "videos": Video.objects.filter(event=event),
        "tracks": Track.objects.filter(video__event=event),
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
    # Put together once: an attack test reads them with each of a thousand requests.
    statements = {
        name: rows.order_by("pk").values_list().query.sql_with_params() for name, rows in watched.items()
    }

    def read() -> Rows:
        found: Rows = {}
        with connection.cursor() as cursor:
            for name, statement in statements.items():
                cursor.execute(*statement)
                found[name] = cursor.fetchall()
        return found

    return read


def words_about(side: Side) -> list[str]:
    """What is in no answer to somebody who may not see the side's event."""
    return [*side.words, *side.personal_words]
