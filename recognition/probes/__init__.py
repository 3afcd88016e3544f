"""Search by photo: a picture comes in, a worker finds its faces, its user reads who they may be, and all of it goes."""

from recognition.probes.adding import MAX_LIVE, TooManySearches, add_probe, request_search
from recognition.probes.processing import is_search_waiting, process_next_probe
from recognition.probes.removal import delete_probe, remove_expired, sweep_probes
from recognition.probes.report import Lookalike, ProbedFace, ProbeReport, is_stalled, read_probe

__all__ = [
    "MAX_LIVE",
    "Lookalike",
    "ProbeReport",
    "ProbedFace",
    "TooManySearches",
    "add_probe",
    "delete_probe",
    "is_search_waiting",
    "is_stalled",
    "process_next_probe",
    "read_probe",
    "remove_expired",
    "request_search",
    "sweep_probes",
]
