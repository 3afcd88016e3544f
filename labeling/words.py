"""What the pages say about decisions, in one voice."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.utils import timezone

from labeling.models import Decision
from recognition.text import clean_name

_DONE = {
    Decision.Kind.SKIP: "skipped this face",
    Decision.Kind.STRANGER: "called this face a stranger",
    Decision.Kind.NOT_A_FACE: "said that this is not a face",
    Decision.Kind.REFERENCE: "made this face a reference",
    Decision.Kind.UNREFERENCE: "said that this face is no reference",
}
_SHORT = {
    Decision.Kind.SKIP: "Skipped",
    Decision.Kind.STRANGER: "Stranger",
    Decision.Kind.NOT_A_FACE: "Not a face",
    Decision.Kind.REFERENCE: "Reference",
    Decision.Kind.UNREFERENCE: "No reference",
}


def short_words(decision: Decision) -> str:
    """For a list: the name, or the verdict."""
    if decision.kind == Decision.Kind.LABEL:
        return decision.person.name if decision.person else "A name that is gone"
    if decision.kind == Decision.Kind.REJECT:
        return f"Not {decision.person.name}" if decision.person else "Not somebody who is gone"
    words = _SHORT[Decision.Kind(decision.kind)]
    return f"{words} of {decision.person.name}" if decision.person else words


def long_words(decision: Decision) -> str:
    """ "Lena named this face Alice 5 s ago"."""
    who = user_words(decision.actor)
    if decision.kind == Decision.Kind.LABEL:
        what = f"named this face {decision.person.name}" if decision.person else "named this face"
    elif decision.kind == Decision.Kind.REJECT:
        what = f"said that this is not {decision.person.name}" if decision.person else "rejected a name"
    else:
        what = _DONE[Decision.Kind(decision.kind)]
    return f"{who} {what} {ago(decision.created_at)}"


def user_words(user: User | None) -> str:
    """The full name of an account, else its name; of one that was deleted, somebody."""
    if user is None:
        return "Somebody"
    return clean_name(user.get_full_name()) or user.get_username()


def ago(moment: datetime) -> str:
    """ "just now", "5 s ago", "3 min ago", "2 h ago"; from a day on the date."""
    seconds = int((timezone.now() - moment).total_seconds())
    if seconds < 1:
        return "just now"
    for limit, unit, word in ((60, 1, "s"), (3600, 60, "min"), (86_400, 3600, "h")):
        if seconds < limit:
            return f"{seconds // unit} {word} ago"
    return f"on {timezone.localtime(moment):%-d %b %Y}"
