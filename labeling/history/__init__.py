"""The history: earlier decisions as the pages list them and show one, with their faces, what they caused and the way back."""

from labeling.history.filters import HistoryForm, find_decisions
from labeling.history.one import FACES_PER_PAGE, Told, read_decision
from labeling.history.rows import Row, read_rows

__all__ = [
    "FACES_PER_PAGE",
    "HistoryForm",
    "Row",
    "Told",
    "find_decisions",
    "read_decision",
    "read_rows",
]
