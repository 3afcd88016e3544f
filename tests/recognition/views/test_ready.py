"""readyz: what a supervisor asks; each check says what is wrong, to anybody, so without names, paths and secrets."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from recognition import readiness
from recognition.models import ActiveEmbedder, Photo
from tests.factories import make_photo

pytestmark = pytest.mark.django_db
NAMES = ["database", "migrations", "index", "disk", "worker"]


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    readiness.forget_migrations()
    yield
    readiness.forget_migrations()


def ask(client: Client, *, status: int) -> dict[str, Any]:
    response = client.get("/readyz/")
    assert response.status_code == status, response.content
    body: dict[str, Any] = response.json()
    assert body["status"] == ("ready" if status == 200 else "not ready")
    checks: dict[str, Any] = body["checks"]
    return checks


@pytest.mark.usefixtures("drawn_faces")
def test_all_is_well(client: Client) -> None:
    assert ask(client, status=200) == dict.fromkeys(NAMES, "ok")


def test_a_new_installation_is_ready_and_says_that_the_index_waits(client: Client) -> None:
    ActiveEmbedder.objects.all().delete()
    checks = ask(client, status=200)
    assert "no embedder is chosen yet" in checks.pop("index")
    assert set(checks.values()) == {"ok"}


def test_a_database_that_does_not_answer_is_told_without_details(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise OperationalError("no such host: db.internal.example")

    monkeypatch.setattr(connection.introspection, "table_names", fail)
    checks = ask(client, status=503)
    assert checks["database"] == "does not answer"
    assert checks["disk"] == "ok"
    assert list(checks) == NAMES
    assert "internal" not in str(checks)


def test_a_migration_that_is_missing_is_told_with_what_to_run(client: Client) -> None:
    MigrationRecorder.Migration.objects.filter(app="labeling").delete()
    checks = ask(client, status=503)
    assert "manage.py migrate" in checks["migrations"]


@pytest.mark.usefixtures("drawn_faces")
def test_that_all_are_applied_is_asked_once(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    ask(client, status=200)
    MigrationRecorder.Migration.objects.all().delete()
    with django_assert_max_num_queries(9):
        ask(client, status=200)


def test_an_embedder_of_another_version_is_told(client: Client) -> None:
    ActiveEmbedder.objects.update_or_create(pk=1, defaults={"embedder_id": "net-of-tomorrow", "reason": "x"})
    assert "not known" in ask(client, status=503)["index"]


@pytest.mark.usefixtures("drawn_faces")
def test_an_index_that_cannot_be_read_is_told(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OperationalError("no such table")

    monkeypatch.setattr(readiness, "get_gallery_index", fail)
    assert "cannot be read" in ask(client, status=503)["index"]


@pytest.mark.usefixtures("drawn_faces")
@pytest.mark.parametrize(("free_mb", "status"), [(99, 503), (100, 200)])
def test_a_disk_without_its_reserve_is_told(
    client: Client, monkeypatch: pytest.MonkeyPatch, settings: Any, free_mb: int, status: int
) -> None:
    settings.FACEVAULT_MIN_FREE_MB = 100
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free_mb * 1024 * 1024))
    said = ask(client, status=status)["disk"]
    assert (said == "ok") is (status == 200)
    assert str(settings.FACEVAULT_DATA) not in said


@pytest.mark.usefixtures("drawn_faces")
def test_photos_that_nobody_processes_are_told(client: Client) -> None:
    photo = make_photo(state=Photo.State.QUEUED)
    assert ask(client, status=200)["worker"] == "ok"
    Photo.objects.filter(pk=photo.pk).update(uploaded_at=timezone.now() - timedelta(minutes=5))
    assert "start a worker" in ask(client, status=503)["worker"]


@pytest.mark.usefixtures("drawn_faces")
def test_it_makes_no_session_and_is_not_kept(client: Client, manager: User) -> None:
    response = client.get("/readyz/")
    assert not response.cookies
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.usefixtures("drawn_faces")
def test_it_is_read_only(client: Client) -> None:
    assert client.head("/readyz/").status_code == 200
    assert client.post("/readyz/").status_code == 405
