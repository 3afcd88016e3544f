"""Leases: two labelers never get the same card from the queue, and nobody is blocked by one."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import close_old_connections, connection
from django.test import Client
from django.utils import timezone

from labeling.models import Lease
from labeling.team.leases import leased_by_others, release_leases, take_lease
from tests.conftest import make_user, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def nora(db: None) -> User:
    user = make_user("nora", "labeler")
    user.first_name = "Nora"
    user.save(update_fields=["first_name"])
    return user


def test_a_card_that_is_open_is_leased_for_the_others_alone(labeler: User, nora: User) -> None:
    assert take_lease(user=labeler, card="cluster-12") is None
    assert leased_by_others(nora) == {"cluster-12"}
    assert leased_by_others(labeler) == set()


def test_whoever_comes_second_is_told_who_has_it_open_and_takes_nothing(labeler: User, nora: User) -> None:
    take_lease(user=nora, card="cluster-12")
    assert take_lease(user=labeler, card="cluster-12") == "Nora"
    assert Lease.objects.get().user == nora


def test_the_next_card_gives_the_last_one_back(labeler: User, nora: User) -> None:
    take_lease(user=labeler, card="cluster-12")
    take_lease(user=labeler, card="face-3")
    assert leased_by_others(nora) == {"face-3"}


def test_after_two_minutes_without_work_it_is_anybodys(labeler: User, nora: User) -> None:
    take_lease(user=nora, card="cluster-12")
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert leased_by_others(labeler) == set()
    assert take_lease(user=labeler, card="cluster-12") is None
    assert Lease.objects.get().user == labeler


def test_expired_leases_are_removed_in_passing(labeler: User, nora: User) -> None:
    Lease.objects.create(card="face-1", user=nora, expires_at=timezone.now() - timedelta(hours=1))
    take_lease(user=labeler, card="face-2")
    assert list(Lease.objects.values_list("card", flat=True)) == ["face-2"]


def test_working_on_renews_it(labeler: User) -> None:
    take_lease(user=labeler, card="face-2")
    Lease.objects.update(expires_at=timezone.now() + timedelta(seconds=30))
    take_lease(user=labeler, card="face-2")
    assert Lease.objects.get().expires_at > timezone.now() + timedelta(seconds=100)


def test_a_card_that_is_drawn_again_at_once_writes_nothing(
    labeler: User, django_assert_num_queries: object
) -> None:
    take_lease(user=labeler, card="face-2")
    with django_assert_num_queries(1):  # type: ignore[operator]
        take_lease(user=labeler, card="face-2")


def test_leaving_hands_back_the_card_that_was_left_and_no_other(as_labeler: Client, labeler: User) -> None:
    take_lease(user=labeler, card="face-2")
    assert as_labeler.post("/label/leave/", {"card": "face-1"}).status_code == 204
    assert Lease.objects.exists()
    assert as_labeler.post("/label/leave/", {"card": "face-2"}).status_code == 204
    assert not Lease.objects.exists()


def test_nobody_hands_back_the_card_of_somebody_else(as_labeler: Client, nora: User) -> None:
    take_lease(user=nora, card="face-2")
    as_labeler.post("/label/leave/", {"card": "face-2"})
    assert Lease.objects.get().user == nora


def test_leaving_takes_the_token_of_the_page(labeler: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(labeler)
    assert browser.post("/label/leave/", {"card": "face-2"}).status_code == 403


def test_who_does_not_label_has_no_desk_to_leave(as_uploader: Client) -> None:
    assert as_uploader.post("/label/leave/", {"card": "face-2"}).status_code == 403


def test_signing_out_hands_back_everything(labeler: User) -> None:
    take_lease(user=labeler, card="face-2")
    signed_in(labeler).post("/logout/")
    assert not Lease.objects.exists()


def test_release_without_a_card_is_for_all(labeler: User, nora: User) -> None:
    take_lease(user=labeler, card="face-2")
    take_lease(user=nora, card="face-3")
    release_leases(user=labeler)
    assert Lease.objects.get().user == nora


@pytest.mark.django_db(transaction=True)
def test_of_sixteen_who_ask_at_one_moment_one_gets_the_card() -> None:
    users = [make_user(f"labeler {number}", "labeler") for number in range(16)]
    barrier = threading.Barrier(len(users))
    told: list[str | None] = []

    def ask(user: User) -> None:
        barrier.wait()
        try:
            told.append(take_lease(user=user, card="cluster-1"))
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=ask, args=(user,)) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winner = Lease.objects.get().user.username
    assert told.count(None) == 1
    assert told.count(winner) == 15
