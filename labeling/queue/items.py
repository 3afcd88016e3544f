"""QueueItem: one card of the queue, whatever it shows: a group of faces, a person's suggestions, or one face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Kind = Literal["cluster", "person", "face"]
# Of the same worth, a group comes before a list and a list before a face.
_RANK: dict[str, int] = {"cluster": 0, "person": 1, "face": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """`pk` is the cluster's, the person's or the face's; `face_id` only a face's.

    `worth` is how many faces one decision about it is expected to settle, `count` how many it shows.
    """

    kind: Kind
    pk: int
    face_id: UUID | None = None
    count: int = 1
    worth: float = 0.0

    @property
    def card(self) -> str:
        """The name of the card, as leases know it."""
        return f"{self.kind}-{self.pk}"

    @property
    def rank(self) -> tuple[float, int, int]:
        """Smaller comes first."""
        return (-self.worth, _RANK[self.kind], self.pk)
