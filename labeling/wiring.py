"""What labeling does when recognition or a decision says that something happened, and its chores in the worker."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_out

from labeling.checks import draw_name, settle_checks
from labeling.clusters.relooking import forget_at, forget_between
from labeling.clusters.sweeping import leave_photo, sweep_clusters
from labeling.clusters.tending import request_tending, sweep_queue
from labeling.decisions.taking_back import register_taking_back
from labeling.enrolment import remove_old_imports, sweep_enrolments
from labeling.models import DecidedFace, Decision, DifferentPeople
from labeling.people.alike import compare_people
from labeling.people.covers import register_covers
from labeling.people.hidden import remove_hidden_people
from labeling.people.merging import register_merges
from labeling.signals import decided
from labeling.team.leases import release_leases
from recognition.embedders import Thresholds
from recognition.models import Photo, Sighting
from recognition.signals import (
    chores,
    cleaning_chores,
    different_people,
    embedder_switched,
    faces_leaving,
    faces_queued,
    lines_moved,
    machine_named,
    photo_moved,
    roster_changed,
)


def wire() -> None:
    """Once, when the apps are ready."""
    decided.connect(_tend_soon, dispatch_uid="tend after a decision")
    decided.connect(_settle_checks, dispatch_uid="answer checks by a decision")
    machine_named.connect(_draw_name, dispatch_uid="draw names to check")
    faces_queued.connect(_tend_soon, dispatch_uid="tend after a photo")
    faces_leaving.connect(_keep_decided, dispatch_uid="keep faces that somebody decided about")
    roster_changed.connect(_forget_names_at, dispatch_uid="look again where a roster changed")
    lines_moved.connect(_look_again, dispatch_uid="look again where the lines moved")
    # What was noted of open faces is in the old embedder's words: tending sees that by itself, and begins anew.
    embedder_switched.connect(_tend_soon, dispatch_uid="tend after a change of the embedder")
    photo_moved.connect(_leave_clusters, dispatch_uid="leave clusters with a photo")
    user_logged_out.connect(_hand_back_cards, dispatch_uid="hand back cards at sign-out")
    register_merges()
    register_covers()
    register_taking_back()
    chores.extend([sweep_queue, sweep_enrolments, compare_people])
    different_people.append(_read_different_people)
    cleaning_chores.extend([sweep_clusters, remove_old_imports, remove_hidden_people])


def _tend_soon(**kwargs: Any) -> None:
    request_tending()


def _settle_checks(decision: Decision, **kwargs: Any) -> None:
    settle_checks(decision)


def _draw_name(sighting: Sighting, **kwargs: Any) -> None:
    draw_name(sighting)


def _forget_names_at(event_pks: Sequence[int], **kwargs: Any) -> None:
    forget_at(event_pks)
    request_tending()


def _look_again(old: Thresholds, new: Thresholds, **kwargs: Any) -> None:
    if forget_between(old, new):
        request_tending()


def _read_different_people() -> Iterable[tuple[int, int]]:
    return DifferentPeople.objects.values_list("first", "second")


def _keep_decided(face_pks: Sequence[int], **kwargs: Any) -> set[int]:
    """Put off by somebody, asked about, or of a decision that was undone and may be redone."""
    return set(DecidedFace.objects.filter(face__in=face_pks).values_list("face_id", flat=True))


def _leave_clusters(photo: Photo, **kwargs: Any) -> None:
    leave_photo(photo)
    request_tending()


def _hand_back_cards(user: User | None, **kwargs: Any) -> None:
    if user is not None:
        release_leases(user=user)
