"""Leases: who has which card open, so that the queue gives everybody else another one. They steer and never lock.

A labeler holds one card, the last that they were shown. Two minutes without a card or a decision give it back.
"""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from access.models import EventGrant
from access.roles import LABELER, MANAGER, reach_of
from labeling.models import Lease
from labeling.words import user_words

LEASE = timedelta(minutes=2)
# A card that is drawn again this early writes nothing.
_RENEW_AFTER = timedelta(seconds=20)
# The list of one person holds other faces for whoever labels other events.
_LIST = "person-"


def leased_by_others(user: User) -> set[str]:
    """Cards that a colleague has open, such as "cluster-12": the queue offers this user other ones."""
    held = Lease.objects.filter(expires_at__gt=timezone.now()).exclude(user=user)
    return set(held.filter(_told_to(user)).values_list("card", flat=True))


def take_lease(*, user: User, card: str) -> str | None:
    """Take or renew a card, and give back what the user had open before. Call it for every card that is shown.

    Returns None, or who else has the card open: then the lease stays theirs, the queue looks for another card, and
    whoever came by the card's own address may decide all the same.
    """
    now = timezone.now()
    held = list(Lease.objects.filter(Q(user=user) | Q(card=card), expires_at__gt=now).select_related("user"))
    for lease in held:
        if lease.card == card and lease.user_id != user.pk:
            return _words_for(user, lease)
    fresh = now + LEASE - _RENEW_AFTER
    if len(held) == 1 and held[0].card == card and held[0].expires_at > fresh:
        return None
    if _write_lease(user, card):
        return None
    # Somebody was first between the look and the write.
    theirs = Lease.objects.filter(card=card).select_related("user").first()
    return _words_for(user, theirs) if theirs is not None and theirs.user_id != user.pk else None


def release_leases(*, user: User, card: str | None = None) -> None:
    """Hand back whatever the user has open, or only that card: they left the desk.

    A page that closes names its own card, for the next one may be open by the time its word arrives.
    """
    held = Lease.objects.filter(user=user)
    (held if card is None else held.filter(card=card)).delete()


def _words_for(user: User, lease: Lease) -> str | None:
    """Who has the card open, or None where the user is not to know that they are at work."""
    if lease.card.startswith(_LIST) and not Lease.objects.filter(_told_to(user), pk=lease.pk).exists():
        return None
    return user_words(lease.user)


def _told_to(user: User) -> Q:
    """Leases that the user may know of: on a person's list, those of colleagues who label at an event where they do."""
    reach = reach_of(user, LABELER, MANAGER)
    if reach.everywhere:
        return Q()
    granted = EventGrant.objects.filter(event__in=reach.events, role__in=(LABELER, MANAGER))
    everywhere = Group.objects.filter(name__in=(LABELER, MANAGER))
    return (
        ~Q(card__startswith=_LIST)
        | Q(user__in=granted.order_by().values("user"))
        | Q(user__in=User.objects.filter(groups__in=everywhere).order_by().values("pk"))
        | Q(user__is_superuser=True)
    )


def _write_lease(user: User, card: str) -> bool:
    """Whether the lease is this user's now: of two who ask at one moment the unique card lets one in."""
    now = timezone.now()
    with transaction.atomic():
        Lease.objects.filter(Q(expires_at__lte=now) | (Q(user=user) & ~Q(card=card))).delete()
        Lease.objects.bulk_create(
            [Lease(card=card, user=user, expires_at=now + LEASE)], ignore_conflicts=True
        )
        return bool(Lease.objects.filter(card=card, user=user).update(expires_at=now + LEASE))
