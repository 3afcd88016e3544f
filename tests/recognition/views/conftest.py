"""What the tests of the pages share."""

from django.test import Client

from access.models import EventGrant
from recognition.models import Event
from tests.conftest import make_user, signed_in

__all__ = ["signed_in", "viewer_of"]


def viewer_of(event: Event) -> Client:
    """The browser of somebody who may look at this event alone."""
    user = make_user("vera")
    EventGrant.objects.create(user=user, event=event, role="viewer")
    return signed_in(user)
