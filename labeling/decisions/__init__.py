"""What people decide about faces, from one door: names, verdicts, undo and redo. Each is a row that can be taken back."""

from labeling.decisions.errors import (
    DecisionConflict,
    NameRefused,
    NameShared,
    NothingToDecide,
    PersonGone,
    ReferenceRefused,
)
from labeling.decisions.names import label_face, label_faces, reject_faces, reject_person, set_reference
from labeling.decisions.reading import decisions_seen_by, find_repeated, latest_decision
from labeling.decisions.undo import UndoRefused, may_undo, redo_decision, undo_decision
from labeling.decisions.verdicts import CLOSING, record_verdict, record_verdicts, split_cluster

__all__ = [
    "CLOSING",
    "DecisionConflict",
    "NameRefused",
    "NameShared",
    "NothingToDecide",
    "PersonGone",
    "ReferenceRefused",
    "UndoRefused",
    "decisions_seen_by",
    "find_repeated",
    "label_face",
    "label_faces",
    "latest_decision",
    "may_undo",
    "record_verdict",
    "record_verdicts",
    "redo_decision",
    "reject_faces",
    "reject_person",
    "set_reference",
    "split_cluster",
    "undo_decision",
]
