"""Decisions of the time when each was about one face keep their undo."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from access.roles import LABELER
from labeling.decisions import label_face, record_verdict, reject_person, undo_decision
from labeling.models import DecidedFace, Decision, Rejection
from recognition.models import Person, Sighting, UnlabeledFace
from tests.conftest import make_user
from tests.factories import make_person, make_unlabeled

ONE_FACE_EACH = [("labeling", "0002_site_around"), ("recognition", "0002_site_around")]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def labeler() -> User:
    return make_user("lena", LABELER)


@pytest.fixture
def all_migrations() -> Iterator[None]:
    yield
    go_forward()


def go_back() -> Any:
    """To the tables of then. Returns the decisions as they are in them."""
    executor = MigrationExecutor(connection)
    then = executor.migrate(ONE_FACE_EACH).apps.get_model("labeling", "Decision")
    return then._default_manager.all()


def go_forward() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def upgrade() -> None:
    """Back to the tables of then, with what a decision wrote then: nothing of clusters; and forward again."""
    for decision in go_back():
        decision.before.pop("member", None)
        decision.save(update_fields=["before"])
    go_forward()


@pytest.mark.usefixtures("all_migrations")
def test_decisions_of_before_the_upgrade_are_undone_exactly(labeler: User) -> None:
    named, closed, bob = make_unlabeled().face, make_unlabeled().face, make_person("Bob")
    entries = list(UnlabeledFace.objects.order_by("pk").values())
    rejection = reject_person(face=closed, person=bob, actor=labeler)
    closing = record_verdict(face=closed, kind="stranger", actor=labeler)
    naming = label_face(face=named, actor=labeler, name="Alice")
    upgrade()
    for decision in Decision.objects.filter(pk__in=[naming.pk, closing.pk]):
        undo_decision(decision=decision, actor=labeler)
    assert list(UnlabeledFace.objects.order_by("pk").values()) == entries
    assert not Sighting.objects.exists()
    assert list(Person.objects.current()) == [bob]
    # What was not undone outlives the upgrade.
    assert Rejection.objects.get().decision_id == rejection.pk


@pytest.mark.usefixtures("all_migrations")
def test_going_back_gives_each_decision_what_its_face_was_before(labeler: User) -> None:
    decision = label_face(face=make_unlabeled().face, actor=labeler, name="Alice")
    before = DecidedFace.objects.get().before
    assert go_back().get(pk=decision.pk).before == before
