"""What the tests of the pages share."""

from django.test import Client

from access.roles import VIEWER
from recognition.models import Event
from tests.conftest import make_local, signed_in


def viewer_of(event: Event) -> Client:
    """The browser of somebody who may look at this event alone."""
    return signed_in(make_local("vera", VIEWER, event))
