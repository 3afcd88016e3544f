"""Settings from the environment, the secret key, and SQLite as it must be."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from facevault_site.env import env_bool, env_int, env_list
from facevault_site.secret import read_or_make_secret_key
from facevault_site.settings import database_settings


def test_a_value_that_cannot_be_read_fails_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_FLAG", "perhaps")
    monkeypatch.setenv("SOME_NUMBER", "many")
    with pytest.raises(ImproperlyConfigured, match=r"SOME_FLAG.*perhaps"):
        env_bool("SOME_FLAG", default=True)
    with pytest.raises(ImproperlyConfigured, match=r"SOME_NUMBER.*many"):
        env_int("SOME_NUMBER", 1)


def test_a_number_under_its_minimum_fails_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_NUMBER", "0")
    with pytest.raises(ImproperlyConfigured, match="at least 1"):
        env_int("SOME_NUMBER", 5, minimum=1)


def test_an_empty_variable_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_LIST", " ")
    assert env_list("SOME_LIST", ["a"]) == ["a"]


def test_the_secret_key_is_made_once_and_kept_to_its_owner(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: read_or_make_secret_key(tmp_path / "new"), range(16)))
    assert len(keys) == 1
    assert len(keys.pop()) >= 50
    assert stat.S_IMODE((tmp_path / "new" / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["secret_key"]


@pytest.mark.django_db
def test_sqlite_is_new_durable_and_write_ahead() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("these are SQLite's settings")
    with connection.cursor() as cursor:
        values = {
            name: cursor.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "secure_delete", "foreign_keys")
        }
        version = cursor.execute("SELECT sqlite_version()").fetchone()[0]
    assert values == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1}
    assert tuple(map(int, version.split("."))) >= (3, 51, 3)


def test_another_database_comes_by_its_url() -> None:
    config = database_settings("postgres://vault:secret@db.example:5433/faces")
    assert (config["ENGINE"], config["HOST"], config["PORT"]) == (
        "django.db.backends.postgresql",
        "db.example",
        5433,
    )
    assert "transaction_mode" not in config.get("OPTIONS", {})
