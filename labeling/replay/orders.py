"""In which order a walk meets the cards: as the desk gives them, the largest groups first, or each face for itself."""

from __future__ import annotations

import random

from django.contrib.auth.models import User
from django.db.models import QuerySet

from labeling.models import Cluster
from labeling.replay.cards import read_desk_card, show_cluster, show_face
from labeling.replay.labeler import ShownCard
from labeling.replay.report import BEST, SINGLES, SIZE
from labeling.replay.walk import NextCard
from recognition.models import Face, UnlabeledFace


def next_card_in(order: str, *, user: User, seed: int | None = None) -> NextCard:
    if order == BEST:
        return lambda: read_desk_card(user)
    if order == SIZE:
        return lambda: _largest(user)
    if order == SINGLES:
        return _best_face if seed is None else _Shuffled(seed).next_card
    raise ValueError(f"no order is called {order}")


def _largest(user: User) -> ShownCard | None:
    """No list of suggestions, no other order than the number of faces; then the faces that are left, the best first."""
    cluster = Cluster.objects.filter(open_count__gt=1).order_by("-open_count", "pk").first()
    return show_cluster(cluster, user) if cluster is not None else _best_face()


def _best_face() -> ShownCard | None:
    face = _open_faces().order_by("-unlabeled__priority", "pk").first()
    return show_face(face) if face is not None else None


class _Shuffled:
    def __init__(self, seed: int) -> None:
        pks = list(_open_faces().order_by("pk").values_list("pk", flat=True))
        random.Random(seed).shuffle(pks)  # noqa: S311 - an order of faces, no secret
        self._places = {pk: place for place, pk in enumerate(pks)}

    def next_card(self) -> ShownCard | None:
        first = min(
            _open_faces(), key=lambda face: self._places.get(face.pk, len(self._places)), default=None
        )
        return show_face(first) if first is not None else None


def _open_faces() -> QuerySet[Face]:
    return Face.objects.filter(unlabeled__in=UnlabeledFace.objects.open()).select_related("photo")
