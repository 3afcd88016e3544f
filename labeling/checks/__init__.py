"""Checks of the machine's names: a random sample that people look at, so that its precision is known and not guessed."""

from labeling.checks.asking import (
    Answered,
    answer_check,
    checks_to_ask,
    find_check,
    next_check,
    reopen_check,
)
from labeling.checks.precision import Precision, Report, measure_precision, read_report
from labeling.checks.sampling import draw_name
from labeling.checks.settling import settle_checks

__all__ = [
    "Answered",
    "Precision",
    "Report",
    "answer_check",
    "checks_to_ask",
    "draw_name",
    "find_check",
    "measure_precision",
    "next_check",
    "read_report",
    "reopen_check",
    "settle_checks",
]
