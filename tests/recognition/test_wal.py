"""What was deleted leaves the write-ahead log, too."""

import sqlite3
from pathlib import Path

import pytest
from django.db import connection

from recognition.models import Person
from recognition.wal import truncate_wal

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite has this log"),
]


def log_of_the_database() -> Path:
    return Path(str(connection.settings_dict["NAME"]) + "-wal")


def test_a_deleted_name_is_in_no_file_any_more() -> None:
    name = "Zephyrine Quatremaine"
    Person.objects.create(name=name)
    assert name.encode() in log_of_the_database().read_bytes()
    Person.objects.all().delete()
    assert truncate_wal()
    assert log_of_the_database().stat().st_size == 0
    assert name.encode() not in Path(connection.settings_dict["NAME"]).read_bytes()


def test_a_reader_of_an_older_state_is_left_in_peace_and_writers_go_on() -> None:
    other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM recognition_person").fetchone()
    Person.objects.create(name="Alice")
    assert not truncate_wal()
    Person.objects.create(name="Bob")
    other.execute("COMMIT")
    other.close()
    assert truncate_wal()
