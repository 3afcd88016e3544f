"""Photos that failed, over all events where somebody may try them again, grouped by the reason."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Max

from access.roles import MANAGER, UPLOADER, User
from recognition.models import Photo
from recognition.querysets import PhotoQuerySet


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Photos that failed alike; `advice` says what to do."""

    code: str
    photos: int
    advice: str

    @property
    def title(self) -> str:
        return self.code.replace("_", " ").capitalize()


def failed_photos(user: User) -> PhotoQuerySet:
    """Those that the user may have tried again."""
    return Photo.objects.for_role(user, UPLOADER, MANAGER).filter(state=Photo.State.FAILED)


def count_reasons(photos: PhotoQuerySet) -> list[Reason]:
    """The most frequent first."""
    rows = (
        photos.order_by()
        .values_list("failure_code")
        .annotate(photos=Count("pk"), advice=Max("failure_reason"))
        .order_by("-photos", "failure_code")
    )
    return [Reason(code=code, photos=count, advice=advice) for code, count, advice in rows]
