"""Who gives roles in an event, and what giving and taking does."""

import pytest
from django.contrib.auth.models import User

from access.grants import grant_role
from access.models import EventGrant
from access.roles import LABELER, MANAGER, VIEWER
from tests.conftest import make_user, signed_in
from tests.factories import make_event

pytestmark = pytest.mark.django_db


@pytest.fixture
def local(db: None) -> tuple[User, int]:
    """A manager of one event, and that event."""
    event, user = make_event("Mine"), make_user("mara")
    grant_role(user=user, event_pk=event.pk, role=MANAGER, actor=user)
    return user, event.pk


def test_a_manager_of_the_event_gives_and_takes_roles(local: tuple[User, int], outsider: User) -> None:
    user, event_pk = local
    client = signed_in(user)
    assert client.post(f"/events/{event_pk}/access/", {"user": "otto", "role": VIEWER}).status_code == 302
    grant = EventGrant.objects.get(user=outsider)
    assert (grant.role, grant.granted_by) == (VIEWER, user)
    assert b"otto" in client.get(f"/events/{event_pk}/access/").content
    assert signed_in(outsider).get(f"/events/{event_pk}/").status_code == 200
    assert client.post(f"/events/{event_pk}/access/{grant.pk}/take/").status_code == 302
    assert signed_in(outsider).get(f"/events/{event_pk}/").status_code == 403


def test_a_role_is_given_once(local: tuple[User, int], outsider: User) -> None:
    user, event_pk = local
    for _ in range(2):
        signed_in(user).post(f"/events/{event_pk}/access/", {"user": "otto", "role": VIEWER})
    assert EventGrant.objects.filter(user=outsider).count() == 1


def test_a_wrong_account_or_role_is_told(local: tuple[User, int], outsider: User) -> None:
    user, event_pk = local
    for data in ({"user": "nobody", "role": VIEWER}, {"user": "otto", "role": "boss"}, {}):
        assert signed_in(user).post(f"/events/{event_pk}/access/", data).status_code == 422
    assert not EventGrant.objects.filter(user=outsider).exists()


def test_nobody_else_gives_roles(local: tuple[User, int], labeler: User) -> None:
    _, event_pk = local
    elsewhere = make_user("eva")
    grant_role(user=elsewhere, event_pk=make_event().pk, role=MANAGER, actor=elsewhere)
    assert (
        signed_in(labeler).post(f"/events/{event_pk}/access/", {"user": "lena", "role": MANAGER}).status_code
        == 403
    )
    assert (
        signed_in(elsewhere).post(f"/events/{event_pk}/access/", {"user": "eva", "role": MANAGER}).status_code
        == 404
    )
    assert not EventGrant.objects.filter(event=event_pk, user__in=[labeler, elsewhere]).exists()


def test_a_grant_is_taken_through_its_own_event_alone(local: tuple[User, int], labeler: User) -> None:
    user, event_pk = local
    foreign = grant_role(user=labeler, event_pk=make_event().pk, role=LABELER, actor=labeler)
    assert signed_in(user).post(f"/events/{event_pk}/access/{foreign.pk}/take/").status_code == 404
    assert EventGrant.objects.filter(pk=foreign.pk).exists()


def test_a_labeler_of_the_event_sees_it_but_not_its_access(local: tuple[User, int], outsider: User) -> None:
    user, event_pk = local
    grant_role(user=outsider, event_pk=event_pk, role=LABELER, actor=user)
    assert signed_in(outsider).get(f"/events/{event_pk}/access/").status_code == 403
