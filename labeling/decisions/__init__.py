"""What people decide about faces, from one door: names, verdicts, undo and redo. Each is a row that can be taken back."""

from labeling.decisions.caused import find_caused, find_left_behind
from labeling.decisions.errors import (
    DecisionConflict,
    NameRefused,
    NameShared,
    NothingToDecide,
    PersonGone,
    ReferenceRefused,
    UndoRefused,
)
from labeling.decisions.names import (
    label_face,
    label_faces,
    reject_faces,
    reject_person,
    set_reference,
    set_references,
)
from labeling.decisions.reading import (
    decisions_seen_by,
    faces_of,
    find_later,
    find_repeated,
    find_repeated_about,
    latest_decision,
    may_undo,
    overtaken,
    undoable_by,
)
from labeling.decisions.resting import HumanName, Resting, Why, find_resting
from labeling.decisions.taking_back import take_back
from labeling.decisions.undo import redo_decision, register_kind, undo_decision
from labeling.decisions.verdicts import CLOSING, record_verdict, record_verdicts, split_cluster

__all__ = [
    "CLOSING",
    "DecisionConflict",
    "HumanName",
    "NameRefused",
    "NameShared",
    "NothingToDecide",
    "PersonGone",
    "ReferenceRefused",
    "Resting",
    "UndoRefused",
    "Why",
    "decisions_seen_by",
    "faces_of",
    "find_caused",
    "find_later",
    "find_left_behind",
    "find_repeated",
    "find_repeated_about",
    "find_resting",
    "label_face",
    "label_faces",
    "latest_decision",
    "may_undo",
    "overtaken",
    "record_verdict",
    "record_verdicts",
    "redo_decision",
    "register_kind",
    "reject_faces",
    "reject_person",
    "set_reference",
    "set_references",
    "split_cluster",
    "take_back",
    "undo_decision",
    "undoable_by",
]
