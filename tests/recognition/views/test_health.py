"""healthz: for monitoring, without a session."""

import pytest
from django.db import DatabaseError
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from recognition.models import GalleryState

pytestmark = pytest.mark.django_db


def test_it_says_that_all_is_well_and_which_version_the_gallery_has(client: Client) -> None:
    GalleryState.objects.update_or_create(pk=1, defaults={"version": 7})
    response = client.get("/healthz/")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "database": "ok", "index_version": 7}
    assert not response.cookies


def test_a_database_that_does_not_answer_is_told_without_details(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise DatabaseError("no such host: db.internal.example")

    monkeypatch.setattr("recognition.views.health.GalleryState.objects.values_list", fail)
    response = client.get("/healthz/")
    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "database": "error"}


def test_one_cheap_query_is_enough(client: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        client.get("/healthz/")


def test_it_is_read_only(client: Client) -> None:
    assert client.head("/healthz/").status_code == 200
    assert client.post("/healthz/").status_code == 405
