"""The draw: with the name, by the face's random id alone, 200 to 400 names in 30 days."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from django.db import transaction

from labeling.checks import sampling
from labeling.checks.sampling import (
    draw_name,
    first_in_share,
    halvings_by_period,
    leading_ones,
    period_of,
    read_halvings,
    start_of,
)
from labeling.clusters.tending import tend_queue
from labeling.models import NameCheck
from recognition.models import Sighting
from tests.factories import (
    activate_embedder,
    make_person,
    make_reference,
    make_unlabeled,
    unit_vectors,
    vector_near,
)
from tests.labeling.checks.names import days_ago, name_face

pytestmark = pytest.mark.django_db
ALICE = unit_vectors(1, seed=3)[0]


@pytest.fixture(autouse=True)
def active(db: None) -> None:
    activate_embedder()


def test_a_name_that_the_worker_gives_is_drawn_with_it() -> None:
    alice = make_person("Alice")
    make_reference(alice, ALICE)
    face = make_unlabeled(vector_near(ALICE, 0.9)).face
    tend_queue()
    check, sighting = NameCheck.objects.get(), Sighting.objects.get(face=face)
    assert (check.face, check.person, check.similarity) == (face, alice, sighting.similarity)
    assert (check.named_at, check.embedder_id) == (sighting.created_at, sighting.embedder_id)


def test_a_name_that_is_not_committed_is_not_drawn() -> None:
    with transaction.atomic():
        name_face(make_person())
        transaction.set_rollback(True)
    assert not NameCheck.objects.exists()


def test_the_same_name_is_drawn_once() -> None:
    face = name_face(make_person())
    draw_name(Sighting.objects.get(face=face))
    assert NameCheck.objects.count() == 1


def test_a_share_is_halved_whenever_the_sample_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "MOST", 10)
    alice, period = make_person(), period_of(days_ago(0))
    sizes = []
    for _ in range(200):
        name_face(alice)
        ids = NameCheck.objects.filter(face__face_id__gte=first_in_share(read_halvings(period)))
        sizes.append(ids.count())
    assert max(sizes) == 10
    # Ids are random, so a halving may leave fewer than half.
    assert min(sizes[20:]) >= 1
    assert read_halvings(period) >= 3
    # Of what came later most was not even drawn.
    assert NameCheck.objects.count() < 60


def test_every_process_finds_the_same_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "MOST", 5)
    for days in [0] * 20 + [45] * 8:
        name_face(make_person(), named_at=days_ago(days))
    drawn = NameCheck.objects.values_list("named_at", "face__face_id")
    told = halvings_by_period(drawn)
    assert told == {period: read_halvings(period) for period in told}
    assert len(told) == 2


def test_a_quiet_month_has_all_of_its_names_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "MOST", 5)
    for _ in range(30):
        name_face(make_person())
    faces = [name_face(make_person(), named_at=days_ago(45)) for _ in range(4)]
    assert NameCheck.objects.filter(face__in=faces).count() == 4


def test_the_id_says_how_many_halvings_it_outlasts() -> None:
    for face_id in (uuid4(), UUID(int=0), UUID(int=(1 << 128) - 1)):
        ones = leading_ones(face_id)
        assert face_id >= first_in_share(ones)
        assert ones == 128 or face_id < first_in_share(ones + 1)


def test_periods_follow_each_other() -> None:
    now = days_ago(0)
    assert start_of(period_of(now)) <= now < start_of(period_of(now) + 1)
    assert (start_of(8) - start_of(7)).days == 30
