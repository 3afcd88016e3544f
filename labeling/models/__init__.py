"""What people decided about faces, and what the queue needs to ask them well."""

from labeling.models.checks import NameCheck
from labeling.models.clusters import Cluster, ClusterMember, Look, QueueState
from labeling.models.decisions import DecidedFace, Decision, Rejection
from labeling.models.people import (
    AlikePeople,
    AlikeState,
    DifferentPeople,
    Enrolment,
    PeopleImport,
    TwiceRight,
)
from labeling.models.team import Assignment, EventReview, Lease, Preferences, SecondOpinion

__all__ = [
    "AlikePeople",
    "AlikeState",
    "Assignment",
    "Cluster",
    "ClusterMember",
    "DecidedFace",
    "Decision",
    "DifferentPeople",
    "Enrolment",
    "EventReview",
    "Lease",
    "Look",
    "NameCheck",
    "PeopleImport",
    "Preferences",
    "QueueState",
    "Rejection",
    "SecondOpinion",
    "TwiceRight",
]
