"""One decision in full: every face, what FaceVault named because of it, and what stands in the way of its undo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.paginator import Page, Paginator

from access.roles import LABELER, MANAGER
from labeling.decisions import decisions_seen_by, faces_of, find_caused, find_later, find_left_behind
from labeling.history.rows import Row, read_rows
from labeling.models import DecidedFace, Decision
from labeling.words import long_words
from recognition.models import Face, Sighting

FACES_PER_PAGE = 96
# So many crops of what it caused; the others are counted.
CAUSED_SHOWN = 48
# Up to so many names are taken back by the undo button itself, and told afterwards.
AT_ONCE = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """`caused` are names that an undo takes back, `left_behind` names whose reference this decision took away,
    `taken_back` faces that an undo put back and a redo names again; of a take-back those that it put back itself. Each as
    far as the reader labels there."""

    row: Row
    page: Page[Face]
    caused: list[Sighting]
    left_behind: list[Sighting]
    taken_back: list[Face]
    later: str

    @property
    def caused_shown(self) -> list[Sighting]:
        return self.caused[:CAUSED_SHOWN]

    @property
    def left_behind_shown(self) -> list[Sighting]:
        return self.left_behind[:CAUSED_SHOWN]

    @property
    def taken_back_shown(self) -> list[Face]:
        return self.taken_back[:CAUSED_SHOWN]


def read_decision(decision: Decision, *, user: User, page: str | None) -> Told:
    """What its page shows. The decision comes with actor, person and undone_by."""
    faces = faces_of(decision, user=user).select_related("photo__event").order_by("pk")
    later = find_later(decision) if decision.kind not in Decision.POSTPONING else None
    if later is not None and not decisions_seen_by(user).filter(pk=later.pk).exists():
        # About a face of it at another event.
        later = None
    undone = decision.undone
    return Told(
        row=read_rows([decision], user=user)[0],
        page=Paginator(faces, FACES_PER_PAGE).get_page(page),
        caused=read_caused(decision, user=user),
        left_behind=read_left_behind(decision, user=user),
        taken_back=read_taken_back(decision, user=user) if undone != _takes_back(decision) else [],
        later=long_words(later) if later else "",
    )


def count_taken_back(decision: Decision, *, user: User) -> int:
    """How many names the undo took back with the decision, of faces that the user may decide about."""
    return 0 if _takes_back(decision) else len(read_taken_back(decision, user=user))


def shows_first(decision: Decision, *, user: User) -> bool:
    """Whether so much was named because of it that one looks at it before the undo."""
    return len(read_caused(decision, user=user)) > AT_ONCE


def read_caused(decision: Decision, *, user: User) -> list[Sighting]:
    """Names that an undo takes back with the decision, of faces that the user may decide about."""
    return [] if decision.undone else _within(find_caused(decision), user)


def read_left_behind(decision: Decision, *, user: User) -> list[Sighting]:
    """Names that still stand although the decision took their reference away, of faces that the user may decide about."""
    return [] if decision.undone else _within(find_left_behind(decision), user)


def read_taken_back(decision: Decision, *, user: User) -> list[Face]:
    """Faces that lost the machine's name with it, of those that the user may decide about."""
    rows = DecidedFace.objects.filter(decision=decision, caused=True).order_by().values("face")
    return list(Face.objects.for_role(user, LABELER, MANAGER).filter(pk__in=rows).order_by("pk"))


def _within(sightings: Sequence[Sighting], user: User) -> list[Sighting]:
    if not sightings:
        return []
    labeled = set(
        Face.objects.for_role(user, LABELER, MANAGER)
        .filter(sighting__in=[sighting.pk for sighting in sightings])
        .values_list("pk", flat=True)
    )
    return [sighting for sighting in sightings if sighting.face_id in labeled]


def _takes_back(decision: Decision) -> bool:
    return decision.kind == Decision.Kind.TAKE_BACK
