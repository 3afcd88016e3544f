"""What the pages say about decisions, in one voice."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.utils import timezone

from labeling.models import Decision
from recognition.text import clean_name

# What somebody did to "this face" or "these faces".
_DONE = {
    Decision.Kind.SKIP: "skipped {}",
    Decision.Kind.ASK: "asked a colleague about {}",
    Decision.Kind.STRANGER: "called {} a stranger",
    Decision.Kind.NOT_A_FACE: "said that {} is no face",
    Decision.Kind.POOR: "called {} too poor",
    Decision.Kind.REOPEN: "put {} back into the queue",
    Decision.Kind.SPLIT: "took {} out of a group",
    Decision.Kind.REFERENCE: "made {} a reference",
    Decision.Kind.UNREFERENCE: "said that {} is no reference",
    Decision.Kind.COVER: "chose {} as a cover",
    Decision.Kind.TAKE_BACK: "took back the name of {} and all it caused",
}
# Where there are several, and one word of it changes.
_DONE_TO_MANY = {
    Decision.Kind.STRANGER: "called {} strangers",
    Decision.Kind.NOT_A_FACE: "said that {} are no faces",
}
_SHORT = {
    Decision.Kind.SKIP: "Skipped",
    Decision.Kind.ASK: "Asked a colleague",
    Decision.Kind.STRANGER: "Stranger",
    Decision.Kind.NOT_A_FACE: "Not a face",
    Decision.Kind.POOR: "Too poor",
    Decision.Kind.REOPEN: "Put back",
    Decision.Kind.SPLIT: "Taken out of a group",
    Decision.Kind.REFERENCE: "Reference",
    Decision.Kind.UNREFERENCE: "No reference",
    Decision.Kind.MERGE: "Merged",
    Decision.Kind.COVER: "Cover",
    Decision.Kind.TAKE_BACK: "Taken back",
}
# How the name follows, for kinds that may carry one.
_SHORT_NAMED = {
    Decision.Kind.LABEL: "{}",
    Decision.Kind.REJECT: "Not {}",
    Decision.Kind.SKIP: "Skipped: may be {}",
    Decision.Kind.ASK: "Asked: is it {}?",
    Decision.Kind.MERGE: "Merged into {}",
    Decision.Kind.REFERENCE: "Reference of {}",
    Decision.Kind.UNREFERENCE: "No reference of {}",
    Decision.Kind.COVER: "Cover of {}",
    Decision.Kind.TAKE_BACK: "Taken back: {}",
}
# For a choice of kinds.
KINDS = {
    Decision.Kind.LABEL: "Named",
    Decision.Kind.REJECT: "Not this person",
    Decision.Kind.STRANGER: "Stranger",
    Decision.Kind.NOT_A_FACE: "Not a face",
    Decision.Kind.POOR: "Too poor",
    Decision.Kind.SKIP: "Skipped",
    Decision.Kind.ASK: "Asked a colleague",
    Decision.Kind.REOPEN: "Put back",
    Decision.Kind.SPLIT: "Taken out of a group",
    Decision.Kind.REFERENCE: "Reference",
    Decision.Kind.UNREFERENCE: "No reference",
    Decision.Kind.MERGE: "Merged people",
    Decision.Kind.COVER: "Cover",
    Decision.Kind.TAKE_BACK: "Taken back with all it caused",
}


def short_words(decision: Decision) -> str:
    """For a list: the name, or the verdict."""
    kind = Decision.Kind(decision.kind)
    if decision.person is not None and kind in _SHORT_NAMED:
        return _SHORT_NAMED[kind].format(decision.person.name)
    if kind == Decision.Kind.LABEL:
        return "A name that is gone"
    if kind == Decision.Kind.REJECT:
        return "Not somebody who is gone"
    return _SHORT[kind]


def long_words(decision: Decision) -> str:
    """ "Lena named this face Alice 5 s ago". Of many faces no count: some may be of events that the reader does not see."""
    kind, many = Decision.Kind(decision.kind), decision.face_count > 1
    faces = "these faces" if many else "this face"
    name = decision.person.name if decision.person else ""
    if kind == Decision.Kind.LABEL:
        what = f"named {faces} {name}".rstrip()
    elif kind == Decision.Kind.REJECT:
        what = f"said that {'these are' if many else 'this is'} not {name}" if name else "rejected a name"
    elif kind == Decision.Kind.MERGE:
        what = f"merged somebody into {name}" if name else "merged two people"
    else:
        phrase = _DONE_TO_MANY.get(kind, _DONE[kind]) if many else _DONE[kind]
        what = phrase.format(faces)
    return f"{user_words(decision.actor)} {what} {ago(decision.created_at)}"


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
