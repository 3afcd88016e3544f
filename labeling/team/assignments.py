"""Assignments: which labeler begins with which event."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from access.roles import LABELER, MANAGER
from access.roles import User as Visitor
from labeling.models import Assignment, Decision
from recognition.models import Event
from recognition.querysets import EventQuerySet


def assigned_events(user: Visitor) -> EventQuerySet:
    """Events that were assigned to the user and that they may label; of a role that was taken away nothing is left."""
    return Event.objects.for_role(user, LABELER, MANAGER).filter(assignments__user=user.pk)


def labelers_of(event: Event) -> QuerySet[User]:
    """Accounts that may decide about the event's faces, by a role there or everywhere."""
    roles = (LABELER, MANAGER)
    may = (
        Q(is_superuser=True)
        | Q(groups__name__in=roles)
        | Q(event_grants__event=event, event_grants__role__in=roles)
    )
    return User.objects.filter(may, is_active=True).distinct().order_by("username")


def assignments_of(event: Event) -> QuerySet[Assignment]:
    """Who is to label the event, with the `decisions` of each there that are in force."""
    made = (
        Decision.objects.filter(actor=OuterRef("user"), undone_at=None, face__photo__event=event)
        .order_by()
        .values("actor")
        .annotate(number=Count("pk"))
        .values("number")
    )
    return (
        Assignment.objects.filter(event=event)
        .select_related("user", "assigned_by")
        .annotate(decisions=Coalesce(Subquery(made), 0))
        .order_by("user__username")
    )


def assign_labeler(*, event: Event, user: User, actor: User) -> Assignment:
    """Given twice it is one."""
    assignment, _ = Assignment.objects.get_or_create(event=event, user=user, defaults={"assigned_by": actor})
    return assignment


def unassign_labeler(assignment: Assignment) -> None:
    """Their queue no longer begins with the event; what they decided stays."""
    Assignment.objects.filter(pk=assignment.pk).delete()
