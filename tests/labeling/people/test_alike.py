"""Who may be one: found by the worker from references alone, never two who were on a photo together."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from django.contrib.auth.models import User
from numpy.typing import NDArray

from labeling.models import AlikePeople, AlikeState
from labeling.people.alike import Means, compare_people, find_pairs, pairs_seen_by, tell_different
from labeling.people.merging import merge_people
from recognition.embedders import Thresholds
from recognition.models import ActiveEmbedder, Photo
from tests.conftest import make_local
from tests.factories import make_person, make_photo, make_reference, unit_vectors, vector_near
from tests.labeling.conftest import ALICE, BOB, CAROL

pytestmark = pytest.mark.django_db
LINES = Thresholds(automatic=0.7, margin=0.1, suggest=0.4, strict=0.8)
NOW = timedelta()


def person_like(vector: NDArray[np.float32], *similarities: float, photo: Photo | None = None, seed: int = 0):  # type: ignore[no-untyped-def]
    person = make_person()
    for number, similarity in enumerate(similarities):
        make_reference(
            person, vector_near(vector, similarity, seed=seed + number), photo=photo or make_photo()
        )
    return person


def found() -> set[tuple[int, int]]:
    return set(AlikePeople.objects.values_list("first", "second"))


def test_two_entries_of_one_person_are_a_pair() -> None:
    one, another = person_like(ALICE, 0.95, 0.92), person_like(ALICE, 0.94, 0.96, seed=50)
    person_like(BOB, 0.95, 0.92)
    assert compare_people()
    assert found() == {(one.pk, another.pk)}
    assert 0.8 < AlikePeople.objects.get().similarity < 0.95


def test_who_was_on_a_photo_together_is_two_people() -> None:
    photo = make_photo()
    person_like(ALICE, 0.95, photo=photo)
    person_like(ALICE, 0.95, photo=photo, seed=50)
    compare_people()
    assert found() == set()


def test_what_was_said_to_be_two_is_not_found_again(labeler: User) -> None:
    one, another = person_like(ALICE, 0.95), person_like(ALICE, 0.95, seed=50)
    compare_people()
    tell_different(one=another, another=one, actor=labeler)
    assert not pairs_seen_by(labeler).exists()
    make_reference(one, ALICE)
    assert compare_people(pause=NOW)
    assert found() == set()


def test_it_holds_for_whom_one_of_them_was_merged_into(labeler: User) -> None:
    one, another, third = (person_like(ALICE, 0.95, seed=seed) for seed in (0, 50, 90))
    tell_different(one=one, another=another, actor=labeler)
    merge_people(keep=third, other=another, actor=labeler)
    compare_people(pause=NOW)
    assert found() == set()


def test_nothing_is_compared_again_before_something_changed() -> None:
    person = person_like(ALICE, 0.95)
    assert compare_people(pause=NOW)
    assert not compare_people(pause=NOW)
    make_reference(person, BOB)
    assert compare_people(pause=NOW)


def test_between_two_comparisons_there_is_a_pause() -> None:
    person = person_like(ALICE, 0.95)
    compare_people()
    make_reference(person, BOB)
    assert not compare_people()
    AlikeState.objects.update(compared_at=AlikeState.objects.get().compared_at - timedelta(minutes=2))  # type: ignore[operator]
    assert compare_people()


def test_without_an_embedder_nobody_is_compared() -> None:
    ActiveEmbedder.objects.all().delete()
    assert not compare_people()


def test_a_pair_is_for_those_who_may_merge_both(labeler: User) -> None:
    photo = make_photo()
    one = person_like(ALICE, 0.95, photo=photo)
    person_like(ALICE, 0.95, photo=make_photo(photo.event), seed=50)
    compare_people()
    local = make_local("lea", "labeler", photo.event)
    assert pairs_seen_by(local).count() == pairs_seen_by(labeler).count() == 1
    make_reference(one, CAROL)
    assert pairs_seen_by(make_local("nora", "labeler", photo.event)).count() == 0


def test_the_fewer_references_the_nearer_they_have_to_be() -> None:
    means = np.stack([ALICE, vector_near(ALICE, 0.55)])
    for count, pairs in ((1, 0), (2, 0), (9, 1)):
        told = Means(people=np.array([7, 3]), means=means, counts=np.array([count, count]))
        assert len(find_pairs(told, LINES)) == pairs


def test_the_likest_pair_comes_first_and_the_lower_number_in_each() -> None:
    means = np.stack([vector_near(ALICE, 0.8), BOB, ALICE, vector_near(BOB, 0.9)])
    told = Means(people=np.array([9, 8, 7, 6]), means=means, counts=np.array([4, 4, 4, 4]))
    assert [(first, second) for first, second, _ in find_pairs(told, LINES)] == [(6, 8), (7, 9)]


def test_two_thousand_people_are_compared_in_a_moment() -> None:
    means = unit_vectors(2000, seed=5)
    told = Means(people=np.arange(2000), means=means, counts=np.full(2000, 9))
    assert find_pairs(told, LINES) == []
