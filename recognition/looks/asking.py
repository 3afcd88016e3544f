"""What somebody asks of a search by look, from the parameters of an address, and what the page shows for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from access.roles import SEEING, User
from recognition.events.listing import newest_first
from recognition.forms import LookForm
from recognition.geometry import Box
from recognition.looks._mediapipe import PoseUnavailable
from recognition.looks.descriptor import has_pose, person_region
from recognition.looks.finding import MOST, PAGE, LookFilter, find_looks
from recognition.looks.plan import LookPlan, Weights, read_plan
from recognition.models import Event

Looks = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureOfSearch:
    """What is searched with, in its own pixels; `face` is around whom the search is."""

    address: str
    width: int
    height: int
    face: Box | None = None

    @property
    def region(self) -> Box | None:
        return person_region(self.face, self.width, self.height) if self.face else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A person of the picture that somebody may search with instead of the whole of it."""

    number: int
    box: Box


def outline_of(number: int, look: Mapping[str, Any]) -> Outline:
    return Outline(number=number, box=Box(*look["box"]))


def is_poseless() -> bool:
    """Whether colors alone are compared, or nothing can be."""
    try:
        return not read_plan().has_pose
    except PoseUnavailable:
        return True


def find_by_address(
    parameters: Mapping[str, str],
    *,
    looks: Looks | Callable[[LookPlan], Looks | None],
    user: User,
    descriptor_id: str | None = None,
    without: int | None = None,
) -> dict[str, Any]:
    """The context of the page: what was asked, and the photos. Rubbish in the address is left out.

    `looks` are those of a picture, of which the address chooses one, or what reads the one that is stored.
    `descriptor_id` is what made them; another one than now, and nothing can be compared.
    """
    try:
        plan = read_plan()
    except PoseUnavailable:
        return {"unavailable": True}
    asked = _read(parameters)
    chosen = asked.get("look") or 0
    context: dict[str, Any] = {
        "poseless": not plan.has_pose,
        "outdated": descriptor_id not in {None, plan.descriptor_id},
        "events": newest_first(Event.objects.for_role(user, *SEEING)),
        "asked": asked,
        "pose_percent": _percent(plan, asked),
        "chosen": chosen,
    }
    rows = looks(plan) if callable(looks) else looks
    if rows is None or context["outdated"]:
        return {**context, "unseen": rows is None}
    one = rows[chosen : chosen + 1] if chosen < len(rows) else rows[:1]
    shown = asked.get("shown") or PAGE
    found = find_looks(
        one,
        plan=plan,
        user=user,
        k=shown,
        weights=_weights(plan, asked),
        only=LookFilter(event=asked.get("event"), since=asked.get("since"), until=asked.get("until")),
        without=without,
    )
    return {
        **context,
        "found": found.found,
        "standing": has_pose(one[0]),
        "next_shown": min(MOST, shown + PAGE) if found.more and shown < MOST else None,
    }


def _read(parameters: Mapping[str, str]) -> dict[str, Any]:
    form = LookForm(parameters)
    form.is_valid()
    return {name: value for name, value in form.cleaned_data.items() if value is not None}


def _percent(plan: LookPlan, asked: Mapping[str, Any]) -> int:
    percent: int = asked.get("pose", round(100 * plan.weights.pose))
    return percent if plan.has_pose else 0


def _weights(plan: LookPlan, asked: Mapping[str, Any]) -> Weights:
    percent = _percent(plan, asked)
    if not plan.has_pose or percent == round(100 * plan.weights.pose):
        return plan.weights
    return Weights(percent / 100, 1 - percent / 100)
