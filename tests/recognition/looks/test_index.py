from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from django.db import transaction

from recognition.gallery_index import SearchInsideTransaction
from recognition.gallery_journal import start_new_epoch
from recognition.looks.descriptor import mirror_look
from recognition.looks.index import LookIndex, get_look_index, reset_look_index
from recognition.looks.plan import Weights, read_plan
from recognition.models import PhotoLook
from recognition.vectors import encode_vector
from tests.factories import make_event, make_face, make_photo
from tests.recognition.looks.sample import make_look, random_looks

HALF = Weights(0.4, 0.6)
ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.django_db


def new_index(weights: Weights = HALF) -> LookIndex:
    return LookIndex(read_plan().descriptor_id, weights)


@pytest.mark.parametrize("weights", [HALF, Weights(0.9, 0.1), Weights(0.0, 1.0), Weights(1.0, 0.0)])
@pytest.mark.parametrize("among", [False, True])
def test_it_finds_what_a_plain_scan_finds(weights: Weights, among: bool) -> None:
    event = make_event()
    looks = random_looks(60, poses=True)
    photos = [make_photo(event) for _ in looks]
    for photo, look in zip(photos, looks, strict=True):
        make_look(photo, look)
    query = random_looks(1, seed=9, poses=True)
    queries = np.concatenate([query, mirror_look(query)])
    allowed = {photo.pk for photo in photos[::3]}
    hits = new_index().search(queries, 10, weights=weights, among=allowed if among else None)
    apart = (looks[:, None] - queries[None]) ** 2
    pose, color = apart[..., :66].sum(axis=2), apart[..., 66:].sum(axis=2)
    distances = (weights.pose * pose + weights.color * color).min(axis=1)
    order = [place for place in np.argsort(distances).tolist() if not among or photos[place].pk in allowed][
        :10
    ]
    assert [hit.distance for hit in hits] == pytest.approx([distances[place] for place in order], abs=1e-5)
    assert all(
        hit.distance == pytest.approx(weights.pose * hit.pose + weights.color * hit.color, abs=1e-5)
        for hit in hits
    )
    if weights.color:
        assert [hit.photo_pk for hit in hits] == [photos[place].pk for place in order]


def test_weights_that_count_nothing_at_rest_are_still_searched_with() -> None:
    photo = make_photo()
    look = random_looks(1, poses=True, seed=1)[0]
    look[:66] = 0.1
    make_look(photo, look)
    (hit,) = new_index(Weights(0.0, 1.0)).search(np.zeros((1, 578), np.float32), 1, weights=Weights(1.0, 0.0))
    assert hit.distance == pytest.approx(0.66, abs=1e-3)


def test_a_photo_of_many_people_answers_once_by_its_nearest() -> None:
    crowd, other = make_photo(), make_photo()
    near = random_looks(1, seed=3)[0]
    make_look(crowd)
    for _ in range(40):
        make_look(crowd, near, face=make_face(crowd))
    far = make_look(other)
    hits = new_index().search(near[np.newaxis], 2, weights=HALF)
    assert [hit.photo_pk for hit in hits] == [crowd.pk, other.pk]
    assert hits[0].distance == pytest.approx(0, abs=1e-6)
    assert hits[1].look_pk == far.pk


def test_what_comes_and_goes_is_seen_by_the_next_search() -> None:
    index = new_index()
    look = random_looks(1, seed=4)
    assert index.search(look, 3, weights=HALF) == []
    first = make_look(make_photo(), look[0])
    assert [hit.look_pk for hit in index.search(look, 3, weights=HALF)] == [first.pk]
    second = make_look(make_photo())
    first.delete()
    assert [hit.look_pk for hit in index.search(look, 3, weights=HALF)] == [second.pk]
    assert len(index) == 1


def test_after_a_restore_it_is_built_anew() -> None:
    index = new_index()
    row = make_look(make_photo())
    look = random_looks(1, seed=5)
    assert index.search(look, 1, weights=HALF)[0].distance > 0.1
    PhotoLook.objects.filter(pk=row.pk).update(vector=encode_vector(look[0]))
    start_new_epoch()
    assert index.search(look, 1, weights=HALF)[0].distance == pytest.approx(0, abs=1e-6)


def test_a_row_that_was_committed_late_is_found() -> None:
    index = new_index()
    rows = [make_look(make_photo()) for _ in range(3)]
    early = PhotoLook.objects.get(pk=rows[0].pk)
    rows[0].delete()
    assert len(index.search(random_looks(1), 5, weights=HALF)) == 2
    PhotoLook.objects.bulk_create([early])
    assert len(index.search(random_looks(1), 5, weights=HALF)) == 3


def test_empty_looks_and_those_of_another_descriptor_answer_nobody() -> None:
    blank, other = make_look(make_photo()), make_look(make_photo())
    PhotoLook.objects.filter(pk=blank.pk).update(vector=b"")
    PhotoLook.objects.filter(pk=other.pk).update(descriptor_id="look0-color")
    kept = make_look(make_photo())
    index = new_index()
    for _ in range(2):
        assert [hit.look_pk for hit in index.search(random_looks(1), 5, weights=HALF)] == [kept.pk]


def test_a_deleted_photo_takes_its_looks_along() -> None:
    photo = make_photo()
    make_look(photo)
    index = new_index()
    assert index.search(random_looks(1), 1, weights=HALF)
    photo.delete()
    assert index.search(random_looks(1), 1, weights=HALF) == []


@pytest.mark.django_db(transaction=True)
def test_it_refuses_to_pull_inside_a_transaction() -> None:
    with transaction.atomic(), pytest.raises(SearchInsideTransaction):
        new_index().search(random_looks(1), 1, weights=HALF)


def test_the_process_has_one_index_until_the_descriptor_changes(settings: object) -> None:
    reset_look_index()
    first = get_look_index(read_plan())
    assert get_look_index(read_plan()) is first
    settings.FACEVAULT_POSE_MODEL = Path(__file__)  # type: ignore[attr-defined]
    assert get_look_index(read_plan()) is not first


_OTHER = """
import django, sys, numpy as np
django.setup()
from recognition.looks.index import get_look_index
from recognition.looks.plan import read_plan
plan = read_plan()
index = get_look_index(plan)
for _ in sys.stdin:
    print(*sorted(h.photo_pk for h in index.search(np.zeros((1, 578), np.float32), 99, weights=plan.weights)), flush=True)
"""


@pytest.mark.django_db(transaction=True)
def test_what_one_process_writes_another_finds_with_its_next_search() -> None:
    from django.db import connection

    database = connection.settings_dict
    if connection.vendor != "sqlite":
        pytest.skip("the other process opens the file of the database")
    code = (
        f"from django.conf import settings; settings.DATABASES['default']['NAME'] = {str(database['NAME'])!r}"
        + _OTHER
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None

        def ask() -> list[int]:
            other.stdin.write("\n")  # type: ignore[union-attr]
            other.stdin.flush()  # type: ignore[union-attr]
            return [int(word) for word in other.stdout.readline().split()]  # type: ignore[union-attr]

        first, second = make_photo(), make_photo()
        make_look(first)
        assert ask() == [first.pk]
        make_look(second)
        assert ask() == [first.pk, second.pk]
        first.delete()
        assert ask() == [second.pk]
        other.stdin.close()
