"""People brought in by a list, and their portraits as references: nothing is guessed, and every refusal says why."""

from labeling.enrolment.enrolling import enroll_waiting, is_enrolment_due, request_enrolling, sweep_enrolments
from labeling.enrolment.report import ImportCounts, count_import, write_report
from labeling.enrolment.running import find_event, import_list, remove_old_imports

__all__ = [
    "ImportCounts",
    "count_import",
    "enroll_waiting",
    "find_event",
    "import_list",
    "is_enrolment_due",
    "remove_old_imports",
    "request_enrolling",
    "sweep_enrolments",
    "write_report",
]
