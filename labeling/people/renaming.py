"""Faces of one person that are somebody else: who may it be, and give them that name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import numpy as np
from django.contrib.auth.models import User

from labeling.decisions import NameRefused, PersonGone, label_faces, reject_faces
from labeling.models import Decision
from recognition.active_embedder import NoActiveEmbedder
from recognition.embedders import EmbedderUnknown
from recognition.models import Face, Person, Sighting
from recognition.people.audit import read_person_vectors
from recognition.people.loading import load_people
from recognition.search import events_to_search, find_top_k_batch
from recognition.text import clean_name, fold
from recognition.vectors import BadVector, normalize

SUGGESTED = 5


class NameAsked(Exception):
    """It is unclear whom the name means: several people have it, one has it already, or nobody does."""

    def __init__(self, name: str, people: Sequence[Person]) -> None:
        super().__init__("It is unclear whom the name means.")
        self.name, self.people = name, list(people)


def rename_faces(
    *,
    person: Person,
    faces: Sequence[Face],
    actor: User,
    chosen: Person | None = None,
    name: str = "",
    new: bool = False,
    another: bool = False,
    versions: Mapping[int, int],
    key: UUID,
) -> Decision:
    """Give these faces of `person` to somebody else, in one decision. A typed name creates nobody unless `new`, and a second
    person of a name only with `another`.

    Raises NameAsked, NameRefused, and what label_faces raises.
    """
    if chosen is None:
        typed = clean_name(name)
        if not typed:
            raise NameRefused("Type the name first.")
        known = list(Person.objects.named(typed))
        if another or (new and not known):
            return label_faces(faces=faces, name=typed, new=True, actor=actor, versions=versions, key=key)
        if new or len(known) != 1 or known[0].pk == person.pk:
            raise NameAsked(typed, [one for one in known if one.pk != person.pk])
        chosen = known[0]
    if chosen.pk == person.pk:
        raise NameRefused(f"These faces are {person.name} already. Choose somebody else.")
    return label_faces(faces=faces, person=chosen, actor=actor, versions=versions, key=key)


def may_choose(chosen: Person, *, typed: str, user: User) -> bool:
    """Somebody the user sees, or whose exact name they typed: else names of other events could be had by counting ids."""
    if Person.objects.visible_to(user).filter(pk=chosen.pk).exists():
        return True
    return bool(typed) and fold(typed) == fold(chosen.name)


def put_back(
    *, person: Person, faces: Sequence[Face], actor: User, versions: Mapping[int, int], key: UUID
) -> Decision:
    """They are not this person, and who they are is not known: into the queue, and never suggested so again."""
    if not Person.objects.current().filter(pk=person.pk).exists():
        raise PersonGone
    return reject_faces(faces=faces, people=[person], actor=actor, versions=versions, key=key)


def suggest_names(sightings: Sequence[Sighting], *, person: Person, user: User) -> list[Person]:
    """Who these faces may be, all together, best first; of people whom the user sees. Searches: not in a transaction."""
    found = read_person_vectors(Sighting.objects.filter(pk__in=[sighting.pk for sighting in sightings]))
    if found is None:
        return []
    try:
        center = normalize(found.vectors.mean(axis=0, dtype=np.float64))
        asked = find_top_k_batch(center[np.newaxis], SUGGESTED + 1, events=events_to_search(user))
    except (BadVector, NoActiveEmbedder, EmbedderUnknown):
        return []
    likely = [score.person_id for score in asked.scores[0] if score.similarity >= found.thresholds.suggest]
    seen = set(Person.objects.visible_to(user).filter(pk__in=likely).values_list("pk", flat=True))
    return load_people([pk for pk in likely if pk in seen and pk != person.pk][:SUGGESTED], user=user)
