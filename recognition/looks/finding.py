"""Photos that look like something: the nearest ones that a user may see, and how far apart in pose and in colors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from django.db.models import Q, QuerySet
from numpy.typing import NDArray

from access.roles import SEEING, User, sees_everything
from recognition.geometry import Box
from recognition.looks.descriptor import LOOK, mirror_look, person_region
from recognition.looks.index import get_look_index
from recognition.looks.plan import LookPlan, Weights
from recognition.looks.poses import POSE
from recognition.models import Face, Photo, PhotoLook
from recognition.querysets import PhotoQuerySet
from recognition.vectors import decode_vector

PAGE = 24
MOST = 240
# Squared distances below it are rounding and noise: the same picture, perhaps mirrored or darker, or one of the next moment.
_SAME = 2e-3
# Half of all pairs of photos are nearer than about this; a bar is full there.
_FAR = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class LookFilter:
    """Which photos may answer. Days are those on which a photo was taken, or came where its file does not say."""

    event: int | None = None
    since: date | None = None
    until: date | None = None

    @property
    def is_empty(self) -> bool:
        return self.event is None and self.since is None and self.until is None

    def apply(self, photos: PhotoQuerySet) -> PhotoQuerySet:
        if self.event is not None:
            photos = photos.filter(event=self.event)
        if self.since is not None:
            photos = photos.filter(
                Q(captured_at__date__gte=self.since) | Q(captured_at=None, uploaded_at__date__gte=self.since)
            )
        if self.until is not None:
            photos = photos.filter(
                Q(captured_at__date__lte=self.until) | Q(captured_at=None, uploaded_at__date__lte=self.until)
            )
        return photos


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLook:
    """A photo, or the person around `face` on it, and how far it is: `pose` and `color` are their parts of `distance`."""

    photo: Photo
    face: Face | None
    distance: float
    pose: float
    color: float

    @property
    def region(self) -> Box | None:
        """Where the person is, in pixels of the photo; none for the whole of it."""
        if self.face is None:
            return None
        return person_region(self.face.box, self.photo.width, self.photo.height)

    @property
    def pose_percent(self) -> int:
        return 0 if self.is_same else round(100 * self.pose / max(self.distance, 1e-12))

    @property
    def color_percent(self) -> int:
        return 0 if self.is_same else 100 - self.pose_percent

    @property
    def is_same(self) -> bool:
        return self.distance < _SAME

    @property
    def pose_length(self) -> float:
        """Of the bar, in hundredths of what is far apart."""
        return round(self._length * self.pose_percent / 100, 1)

    @property
    def color_length(self) -> float:
        return round(self._length * self.color_percent / 100, 1)

    @property
    def word(self) -> str:
        return "nearly the same" if self.is_same else f"{self.distance**0.5:.2f} apart"

    @property
    def _length(self) -> float:
        return float(100 * min(1.0, (self.distance / _FAR) ** 0.5))


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLooks:
    found: list[FoundLook]
    more: bool


def find_looks(
    looks: NDArray[np.float32],
    *,
    plan: LookPlan,
    user: User,
    k: int = PAGE,
    weights: Weights | None = None,
    only: LookFilter | None = None,
    without: int | None = None,
) -> FoundLooks:
    """The k photos nearest to any of these looks (n, 578) or their mirror images, of those that the user sees.

    `without` is a photo that shall not answer: the one that is searched with. Not inside a transaction.
    """
    only = only or LookFilter()
    weights = weights or plan.weights
    if not looks[:, :POSE].any():
        # A gown on a hanger: whoever wears it stands somehow, and must not be further away for it.
        weights = Weights(0.0, 1.0)
    index = get_look_index(plan)
    queries = np.concatenate([looks, mirror_look(looks)]) if plan.has_pose else looks
    wanted = k + 1 + (without is not None)
    visible = only.apply(Photo.objects.for_role(user, *SEEING))
    among: set[int] | None = None
    if not (only.is_empty and sees_everything(user)):
        among = set(visible.order_by().values_list("pk", flat=True))
    while True:
        hits = index.search(queries, wanted, weights=weights, among=among)
        shown = _load([hit.look_pk for hit in hits], visible)
        found = [
            FoundLook(
                photo=shown[hit.look_pk].photo,
                face=shown[hit.look_pk].face,
                distance=hit.distance,
                pose=weights.pose * hit.pose,
                color=weights.color * hit.color,
            )
            for hit in hits
            if hit.look_pk in shown and hit.photo_pk != without
        ]
        # Those of an event that is being deleted answer nobody, and are still in the index.
        if len(found) > k or len(hits) < wanted:
            return FoundLooks(found=found[:k], more=len(found) > k)
        wanted *= 4


def look_of_photo(photo: Photo, plan: LookPlan) -> NDArray[np.float32] | None:
    """What is stored of the whole photo (1, 578); none where it was not looked at, or could not be."""
    return _stored(PhotoLook.objects.filter(photo=photo, face__isnull=True), plan)


def look_of_face(face: Face, plan: LookPlan) -> NDArray[np.float32] | None:
    """The same of the person around a face."""
    return _stored(PhotoLook.objects.filter(face=face), plan)


def _stored(rows: QuerySet[PhotoLook], plan: LookPlan) -> NDArray[np.float32] | None:
    vector = rows.filter(descriptor_id=plan.descriptor_id).values_list("vector", flat=True).first()
    if not vector:
        return None
    return decode_vector(bytes(vector), LOOK)[np.newaxis]


def _load(look_pks: list[int], visible: PhotoQuerySet) -> dict[int, PhotoLook]:
    rows = PhotoLook.objects.filter(pk__in=look_pks, photo__in=visible.values("pk"))
    return {row.pk: row for row in rows.select_related("photo__event", "face").defer("vector")}
