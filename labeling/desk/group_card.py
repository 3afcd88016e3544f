"""A group's card: its best and its farthest faces, all of them, or how it would be split, and who it may be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import numpy as np
from django.contrib.auth.models import User
from django.utils import timezone

from labeling.clusters.faces import propose_parts
from labeling.clusters.graph import ALONE
from labeling.desk.candidates import CANDIDATES, TEXT_LINES, Candidates
from labeling.desk.shown import Shown, choose_shown
from labeling.evidence import WEIGHED, read_vectors, weigh_faces
from labeling.models import Cluster
from labeling.queue import QueueItem
from labeling.regions.saying import Said, read_said
from labeling.suggestions import Suggestion, suggest_for_group
from recognition.active_embedder import find_active_info
from recognition.models import Face
from recognition.photos.boxes import DrawnPhoto, draw_preview

PER_PAGE = 200
# So many faces are asked about: more take longer and say the same.
_ASKED = 8
# A proposal of more parts is no help.
_PARTS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFace:
    face: Face
    far: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Faces that would stay together. The first part stays in the group; of `alone` none is like another."""

    faces: list[Face]
    alone: bool = False

    @property
    def value(self) -> str:
        """What the part's button posts."""
        return ",".join(str(face.face_id) for face in self.faces)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCard(Candidates):
    """`count` open faces up to the member `upto`: those that join later are not decided about. `view` is "", "all" or "split"."""

    kind = "cluster"
    cluster: Cluster
    item: QueueItem
    key: UUID
    upto: int
    count: int
    mixed: bool
    view: str
    page: int
    pages: int
    faces: list[ShownFace]
    parts: list[Part]
    suggestions: list[Suggestion]
    drawn: DrawnPhoto | None
    ahead: list[Face] = field(default_factory=list)
    asked_by: list[str] = field(default_factory=list)
    told: list[Said] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.count > 0

    @property
    def hero(self) -> Face | None:
        return self.faces[0].face if self.faces else None

    @property
    def hidden(self) -> int:
        """Faces that one key names and that are not on the card."""
        return self.count - len(self.faces)

    @property
    def far_count(self) -> int:
        return sum(shown.far for shown in self.faces)

    @property
    def doubtful(self) -> bool:
        """Whether it must be looked at before one key may name it."""
        return self.mixed and not self.view and self.count > 1

    @property
    def barred(self) -> str:
        if not self.is_open:
            return "Every face of this group is decided. Go on to the next."
        if self.doubtful:
            return "These faces may be of several people. Split the group, or look at all of them first."
        return ""

    @property
    def beside_words(self) -> str:
        return "is named in a photo of this group already. Some of these faces are somebody else."

    @property
    def rejectable(self) -> Suggestion | None:
        """Whose person one key says that none of these is."""
        return self.suggestions[0] if self.suggestions and self.is_open else None

    @property
    def title(self) -> str:
        if not self.is_open:
            return "Nothing left in this group"
        return "Who is this?" if self.count == 1 else f"{self.count} faces, one person?"


def read_group_card(
    cluster: Cluster,
    *,
    user: User,
    view: str = "",
    page: int = 1,
    ahead: dict[int, Shown] | None = None,
    seen: bool = True,
) -> GroupCard:
    """Searches the gallery, so call it outside transactions. Once `seen` the worker takes no face out of the group."""
    if seen and cluster.seen_at is None:
        Cluster.objects.filter(pk=cluster.pk, seen_at=None).update(seen_at=timezone.now())
    shown = (ahead or {}).get(cluster.pk) or choose_shown([cluster.pk])[cluster.pk]
    order = [*shown.best, *shown.farthest]
    parts = _propose(shown) if view == "split" else []
    pages = max(1, -(-len(shown.members) // PER_PAGE))
    page = min(max(page, 1), pages)
    listed = order
    if view == "all":
        # Best first, so that the farthest are looked at together.
        ranked = sorted(shown.members, key=lambda member: (-member.closeness, member.pk))
        listed = [member.face_pk for member in ranked[(page - 1) * PER_PAGE : page * PER_PAGE]]
    elif parts:
        listed = [pk for part in parts for pk in part[1]]
    faces = Face.objects.select_related("photo__event").in_bulk([*listed, *order[:1]])
    asked = [faces[pk] for pk in shown.best[:_ASKED] if pk in faces]
    if len(asked) < min(_ASKED, len(shown.best)):
        asked = list(Face.objects.filter(pk__in=shown.best[:_ASKED]))
    evidence = weigh_faces(asked, WEIGHED) if asked else {}
    far = set(shown.farthest)
    hero = faces.get(order[0]) if order else None
    return GroupCard(
        cluster=cluster,
        item=QueueItem(kind="cluster", pk=cluster.pk, count=len(shown.members)),
        key=uuid4(),
        upto=max((member.pk for member in shown.members), default=0),
        count=len(shown.members),
        mixed=shown.mixed or cluster.mixed,
        view=view,
        page=page,
        pages=pages if view == "all" else 1,
        faces=[ShownFace(face=faces[pk], far=pk in far) for pk in listed if pk in faces],
        parts=[Part(faces=[faces[pk] for pk in pks if pk in faces], alone=alone) for alone, pks in parts],
        suggestions=suggest_for_group(
            evidence,
            CANDIDATES,
            user=user,
            faces=[(member.face_pk, member.photo_pk) for member in shown.members],
            event_pk=cluster.event_id,
            poor=all(face.poor for face in asked),
        )
        if evidence
        else [],
        drawn=draw_preview(hero.photo, lines=TEXT_LINES) if hero is not None and not view else None,
        told=read_said([member.face_pk for member in shown.members], user=user),
    )


def _propose(shown: Shown) -> list[tuple[bool, list[int]]]:
    """The parts as (alone, faces), the largest first; what is like nothing else comes last, together."""
    info = find_active_info()
    vectors = read_vectors([member.face_pk for member in shown.members], info) if info is not None else {}
    known = [member for member in shown.members if member.face_pk in vectors]
    if info is None or len(known) < 2:
        return []
    labels = propose_parts(
        vectors=np.stack([vectors[member.face_pk] for member in known]),
        photos=np.array([member.photo_pk for member in known], dtype=np.int64),
        thresholds=info.shipped,
    ).tolist()
    sizes = Counter(label for label in labels if label != ALONE)
    largest = [label for label, _ in sizes.most_common(_PARTS)]
    parts = [
        (False, [member.face_pk for member, mine in zip(known, labels, strict=True) if mine == label])
        for label in largest
    ]
    placed = {pk for _, pks in parts for pk in pks}
    alone = [member.face_pk for member in shown.members if member.face_pk not in placed]
    return [*parts, *([(True, alone)] if alone else [])]
