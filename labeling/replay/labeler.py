"""A labeler who knows the truth and looks only at what the card shows. Each answer is one decision, as at the desk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from labeling.decisions import (
    NothingToDecide,
    label_face,
    label_faces,
    record_verdict,
    record_verdicts,
    reject_faces,
    split_cluster,
)
from labeling.models import Cluster, Decision
from recognition.models import Face, Person


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCard:
    """A card as the desk shows it: a group of faces (`cluster`), a person's suggestions (`person`), or one face.

    `shown` are the faces on it at first sight, `faces` all that it is about: one key shows the rest. A card that says
    `mixed` has the labeler look at all of them first.
    """

    faces: Sequence[Face]
    shown: Sequence[Face]
    cluster: Cluster | None = None
    person: Person | None = None
    mixed: bool = False


class SimulatedLabeler:
    """`owners` tells the identity of each face that the truth knows. Whatever else was detected is a stranger."""

    def __init__(self, user: User, owners: Mapping[int, str]) -> None:
        self.user = user
        self._owners = owners
        self._people: dict[str, Person] = {}
        self._identities: dict[int, str] = {}

    def decide(self, card: ShownCard) -> Decision:
        if card.person is not None:
            return self._answer_list(card.faces, card.person)
        if card.cluster is not None:
            return self._answer_group(card, card.cluster)
        return self._answer_face(card.faces[0])

    def identity_of(self, person_pk: int) -> str | None:
        """Whom the labeler means by that person."""
        return self._identities.get(person_pk)

    def _answer_group(self, card: ShownCard, cluster: Cluster) -> Decision:
        """Whoever is not like the others is taken out before the group gets a name. What is not shown is not seen."""
        if card.mixed or len({self._who(face) for face in card.shown}) > 1:
            counts = Counter(self._who(face) for face in card.faces)
            most = max(counts, key=lambda who: (counts[who], who))
            others = [face for face in card.faces if self._who(face) != most]
            if others:
                return split_cluster(cluster=cluster, faces=others, actor=self.user)
        identity = self._owners.get(card.shown[0].pk)
        if identity is None:
            return record_verdicts(faces=card.faces, kind="stranger", actor=self.user, cluster=cluster)
        try:
            return self._keep(
                identity,
                label_faces(faces=card.faces, actor=self.user, cluster=cluster, **self._named(identity)),
            )
        except NothingToDecide:
            # The photo of each shows the person already, by somebody's mistake: each is looked at for itself.
            return self._answer_face(card.faces[0])

    def _answer_list(self, faces: Sequence[Face], person: Person) -> Decision:
        """Confirm those who are this person; where nobody is, say so."""
        identity = self._identities.get(person.pk)
        right = [face for face in faces if self._owners.get(face.pk) == identity]
        if identity is None or not right:
            return reject_faces(faces=faces, people=[person], actor=self.user)
        try:
            return label_faces(faces=right, person=person, actor=self.user)
        except NothingToDecide:
            return self._answer_face(right[0])

    def _answer_face(self, face: Face) -> Decision:
        identity = self._owners.get(face.pk)
        if identity is None:
            return record_verdict(face=face, kind="stranger", actor=self.user)
        return self._keep(identity, label_face(face=face, actor=self.user, **self._named(identity)))

    def _who(self, face: Face) -> str:
        """An identity; empty for everything that the truth does not know: nobody wants to tell strangers apart."""
        return self._owners.get(face.pk, "")

    def _named(self, identity: str) -> dict[str, Any]:
        known = self._people.get(identity)
        # Two identities may be spelled alike, but for their case.
        return {"person": known} if known is not None else {"name": identity, "new": True}

    def _keep(self, identity: str, decision: Decision) -> Decision:
        if decision.person is not None and identity not in self._people:
            self._people[identity] = decision.person
            self._identities[decision.person.pk] = identity
        return decision
