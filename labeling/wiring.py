"""What labeling does when recognition or a decision says that something happened, and its chores in the worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_out

from labeling.clusters.sweeping import leave_photo, sweep_clusters
from labeling.clusters.tending import request_tending, sweep_queue
from labeling.enrolment import remove_old_imports, sweep_enrolments
from labeling.models import DecidedFace
from labeling.people.alike import compare_people
from labeling.people.covers import register_covers
from labeling.people.hidden import remove_hidden_people
from labeling.people.merging import register_merges
from labeling.signals import decided
from labeling.team.leases import release_leases
from recognition.models import Photo
from recognition.signals import chores, cleaning_chores, faces_leaving, faces_queued, photo_moved


def wire() -> None:
    """Once, when the apps are ready."""
    decided.connect(_tend_soon, dispatch_uid="tend after a decision")
    faces_queued.connect(_tend_soon, dispatch_uid="tend after a photo")
    faces_leaving.connect(_keep_decided, dispatch_uid="keep faces that somebody decided about")
    photo_moved.connect(_leave_clusters, dispatch_uid="leave clusters with a photo")
    user_logged_out.connect(_hand_back_cards, dispatch_uid="hand back cards at sign-out")
    register_merges()
    register_covers()
    chores.extend([sweep_queue, sweep_enrolments, compare_people])
    cleaning_chores.extend([sweep_clusters, remove_old_imports, remove_hidden_people])


def _tend_soon(**kwargs: Any) -> None:
    request_tending()


def _keep_decided(face_pks: Sequence[int], **kwargs: Any) -> set[int]:
    """Put off by somebody, asked about, or of a decision that was undone and may be redone."""
    return set(DecidedFace.objects.filter(face__in=face_pks).values_list("face_id", flat=True))


def _leave_clusters(photo: Photo, **kwargs: Any) -> None:
    leave_photo(photo)
    request_tending()


def _hand_back_cards(user: User | None, **kwargs: Any) -> None:
    if user is not None:
        release_leases(user=user)
