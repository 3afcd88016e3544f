"""Conflicts: the lists of names that contradict each other, with how many there are."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.urls import reverse

from labeling.disputes import disputes_seen_by
from labeling.people.conflicts import count_conflicts
from labeling.team.opinions import differing_opinions


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    name: str
    words: str
    url: str
    count: int


def list_conflicts(user: User) -> list[Conflict]:
    found = count_conflicts(user)
    disputed = disputes_seen_by(user).count()
    # Only beside a change of the embedder, which most never see.
    changing = [
        Conflict(
            name="Disputed names",
            words="Another embedder would give these faces to somebody else.",
            url=reverse("disputed-faces"),
            count=disputed,
        )
    ]
    return [
        *(changing if disputed else []),
        Conflict(
            name="Second opinions that differ",
            words="Somebody was asked again without seeing the name, and said something else.",
            url=reverse("differing-opinions"),
            count=differing_opinions(user).count(),
        ),
        Conflict(
            name="Twice on a photo",
            words="One of the two faces is somebody else, or a mirror.",
            url=reverse("twice-on-photo"),
            count=found.twice,
        ),
        Conflict(
            name="May be one",
            words="Two people who look alike: merge them, or say that they are two.",
            url=reverse("may-be-one"),
            count=found.may_be_one,
        ),
    ]
