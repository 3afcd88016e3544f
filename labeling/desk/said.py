"""What the desk says after a decision: to the eye in a line, and to a screen reader in the same words."""

from __future__ import annotations

from labeling.decisions import DecisionConflict
from labeling.models import Decision
from labeling.words import long_words, short_words


def result_words(decision: Decision, *, asked: int = 0) -> str:
    """ "Named Alice, 23 faces." `asked` is about how many faces it was to be: some may have been left open."""
    count = decision.face_count
    many = f", {count} faces" if count > 1 else ""
    words = short_words(decision)
    if decision.kind != Decision.Kind.LABEL:
        return f"{words}: {count} faces." if count > 1 else f"{words}."
    left = asked - count
    name = decision.person.name if decision.person else "This person"
    if left <= 0:
        return f"Named {words}{many}."
    stay = "1 stays open" if left == 1 else f"{left} stay open"
    return f"Named {words}{many}; {stay}, because {name} is on the photo already."


def conflict_words(conflict: DecisionConflict, *, many: bool = False) -> str:
    """Who was first; nothing was written."""
    what = "these faces" if many else "this face"
    first = long_words(conflict.latest) if conflict.latest else f"Somebody changed {what} meanwhile"
    return f"{first}. Nothing of yours was saved."
