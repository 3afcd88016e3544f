"""Why a decision was not written. Nothing of it was."""

from __future__ import annotations

from labeling.models import Decision
from recognition.models import Person


class DecisionConflict(Exception):
    """Somebody else decided about the face first; nothing was written. `latest` is theirs, if it is still in force."""

    def __init__(self, latest: Decision | None) -> None:
        super().__init__("Somebody else decided about this face first.")
        self.latest = latest


class UndoRefused(Exception):
    """Nothing was changed; the message says why. `later` is the decision that stands in the way, if one does."""

    def __init__(self, message: str, *, later: Decision | None = None) -> None:
        super().__init__(message)
        self.later = later


class NameShared(Exception):
    """Several people have that name: say which of them."""

    def __init__(self, people: list[Person]) -> None:
        super().__init__("Several people have this name.")
        self.people = people


class NameRefused(Exception):
    """No name, or one that is too long to store."""


class PersonGone(Exception):
    """The person was removed, or merged into another one, since the page was drawn."""


class NothingToDecide(Exception):
    """None of the faces is left to decide about: each was, or the person is on all of their photos already."""


class ReferenceRefused(Exception):
    """Only a face that a person has named teaches FaceVault; a guess of the machine must not spread."""
