"""Roles in one event: giving and taking them."""

from __future__ import annotations

from django.contrib.auth.models import User

from access.models import EventGrant


def grant_role(*, user: User, event_pk: int, role: str, actor: User) -> EventGrant:
    """Give a role in one event; given twice it is one."""
    grant, _ = EventGrant.objects.get_or_create(
        user=user, event_id=event_pk, role=role, defaults={"granted_by": actor}
    )
    return grant


def take_role(grant: EventGrant) -> None:
    """From the next request on the account has the role there no more."""
    EventGrant.objects.filter(pk=grant.pk).delete()
