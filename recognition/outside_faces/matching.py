"""Which of the faces that came may be named by the machine, and what the gallery says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from recognition.found_faces import FoundFace
from recognition.ingest import Matched, match_vectors
from recognition.outside_faces.describing import DescribedPhoto

# The places of the asked faces in their photo, and the faces with the vector that is asked about.
Wanted = dict[int, FoundFace]


def want_photo(photo: DescribedPhoto, active: str) -> Wanted:
    """The unnamed faces that have a vector of the active embedder; of no other is anything known to compare with."""
    wanted: Wanted = {}
    for place, face in enumerate(photo.faces):
        vector = face.given.vectors.get(active)
        if vector is None and face.embedder_id == active:
            vector = face.found.vector
        if vector is not None and face.given.person_pk is None and face.given.waits:
            wanted[place] = replace(face.found, vector=vector)
    return wanted


def match_wanted(wanted: Wanted, event_pk: int, active: str) -> Matched | None:
    """None where nothing is asked. Not inside a transaction."""
    return match_vectors(list(wanted.values()), event_pk, embedder_id=active) if wanted else None


def all_hold(matched: Sequence[Matched | None], event_pk: int) -> bool:
    """Asked under the gallery's lock."""
    return all(one.still_holds(event_pk) for one in matched if one is not None)
