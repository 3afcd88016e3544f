"""The order of the cards: what settles the most comes first, for whom, and how many decisions are left."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling.decisions import label_faces, record_verdict, record_verdicts
from labeling.models import Assignment, Cluster, ClusterMember, Look
from labeling.queue import QueueItem, count_queue, next_items
from labeling.queue.forecast import Forecast, count_decisions, forecast
from labeling.team.leases import take_lease
from recognition.models import Event, Face, Person, UnlabeledFace
from tests.factories import make_event, make_face, make_person, make_photo


def open_face(event: Event | None = None, *, priority: float = 0.5) -> Face:
    face = make_face(make_photo(event))
    UnlabeledFace.objects.create(face=face, priority=priority)
    return face


def make_group(size: int, *, event: Event | None = None, mixed: bool = False) -> Cluster:
    event = event or make_event()
    cluster = Cluster.objects.create(event=event, open_count=size, mixed=mixed)
    for _ in range(size):
        ClusterMember.objects.create(cluster=cluster, face=open_face(event), closeness=0.9)
    return cluster


def make_list(person: Person, size: int, *, verdict: str = "suggest") -> list[Face]:
    faces = [open_face() for _ in range(size)]
    for face in faces:
        Look.objects.create(face=face, person=person, similarity=0.6, margin=0.2, verdict=verdict)
    return faces


def cards(user: User, **place: object) -> list[str]:
    return [item.card for item in next_items(user=user, count=20, **place)]  # type: ignore[arg-type]


def test_the_largest_group_comes_first_and_faces_alone_last(labeler: User) -> None:
    small, large, single = make_group(3), make_group(8), open_face()
    found = cards(labeler)
    assert found == [f"cluster-{large.pk}", f"cluster-{small.pk}", f"face-{single.pk}"]


def test_a_mixed_group_settles_a_part_only(labeler: User) -> None:
    mixed, clean = make_group(6, mixed=True), make_group(4)
    assert cards(labeler) == [f"cluster-{clean.pk}", f"cluster-{mixed.pk}"]


def test_a_long_list_comes_before_a_small_group_and_close_calls_count_less(labeler: User) -> None:
    alice, bob, group = make_person("Alice"), make_person("Bob"), make_group(3)
    make_list(alice, 9)
    make_list(bob, 9, verdict="close")
    found = cards(labeler)
    assert found[:3] == [f"person-{alice.pk}", f"cluster-{group.pk}", f"person-{bob.pk}"]


def test_one_face_that_may_be_somebody_is_no_list(labeler: User) -> None:
    [face] = make_list(make_person("Alice"), 1)
    assert cards(labeler) == [f"face-{face.pk}"]


def test_a_group_with_one_face_left_is_a_single(labeler: User) -> None:
    cluster = make_group(2)
    first, second = Face.objects.order_by("pk")
    record_verdict(face=first, kind="stranger", actor=labeler)
    assert Cluster.objects.get(pk=cluster.pk).open_count == 1
    assert cards(labeler) == [f"face-{second.pk}"]


def test_each_tab_has_its_cards(labeler: User) -> None:
    alice, group, single = make_person("Alice"), make_group(3), open_face(priority=0.9)
    make_list(alice, 4)
    assert cards(labeler, queue="groups") == [f"cluster-{group.pk}"]
    assert cards(labeler, queue="suggestions") == [f"person-{alice.pk}"]
    assert cards(labeler, queue="singles")[0] == f"face-{single.pk}"
    assert cards(labeler, queue="conflicts") == []


def test_what_somebody_has_open_comes_last_for_the_others(labeler: User, manager: User) -> None:
    small, large = make_group(3), make_group(8)
    take_lease(user=manager, card=f"cluster-{large.pk}")
    assert cards(labeler) == [f"cluster-{small.pk}", f"cluster-{large.pk}"]
    assert cards(manager)[0] == f"cluster-{large.pk}"


def test_an_assigned_event_comes_first(labeler: User, manager: User) -> None:
    mine = make_event()
    small, large = make_group(3, event=mine), make_group(8)
    Assignment.objects.create(event=mine, user=labeler)
    assert cards(labeler) == [f"cluster-{small.pk}", f"cluster-{large.pk}"]
    assert cards(manager)[0] == f"cluster-{large.pk}"


def test_of_one_event_there_are_its_cards_alone(labeler: User) -> None:
    here = make_event()
    group, _ = make_group(3, event=here), make_group(8)
    assert cards(labeler, event=here) == [f"cluster-{group.pk}"]


def test_the_card_just_decided_does_not_come_next(labeler: User) -> None:
    small, large = make_group(3), make_group(8)
    after = QueueItem(kind="cluster", pk=large.pk)
    assert cards(labeler, after=after) == [f"cluster-{small.pk}"]


def test_what_was_put_off_is_left_out_for_whoever_did_it(labeler: User, manager: User) -> None:
    cluster = make_group(3)
    faces = list(Face.objects.select_related("photo"))
    record_verdicts(faces=faces, kind="skip", actor=labeler, cluster=cluster)
    assert cards(labeler) == []
    assert cards(labeler, queue="skipped") == [f"cluster-{cluster.pk}"]
    assert cards(manager) == [f"cluster-{cluster.pk}"]
    assert cards(manager, queue="skipped") == []


def test_whom_somebody_asked_about_everybody_finds(labeler: User, manager: User) -> None:
    face = open_face()
    record_verdict(face=face, kind="ask", actor=labeler)
    for user in (labeler, manager):
        assert cards(user, queue="asked") == [f"face-{face.pk}"]


def test_a_person_who_was_merged_away_has_no_list(labeler: User) -> None:
    alice, other = make_person("Alice"), make_person("Alice L")
    make_list(alice, 4)
    Person.objects.filter(pk=alice.pk).update(merged_into=other)
    assert f"person-{alice.pk}" not in cards(labeler)


def test_a_list_whose_photos_show_the_person_already_is_not_offered(labeler: User) -> None:
    alice = make_person("Alice")
    faces = make_list(alice, 3)
    for face in faces:
        beside = make_face(face.photo)
        label_faces(faces=[beside], person=alice, actor=labeler)
    assert f"person-{alice.pk}" not in cards(labeler)


def test_the_number_of_queries_does_not_grow_with_the_queue(labeler: User) -> None:
    def ask() -> int:
        with CaptureQueriesContext(connection) as queries:
            next_items(user=labeler, count=5)
            count_queue(user=labeler)
        return len(queries)

    for _ in range(2):
        make_group(3)
        make_list(make_person(), 3)
    ask()
    few = ask()
    for _ in range(6):
        make_group(3)
        make_list(make_person(), 3)
        open_face()
    assert ask() <= few


def test_the_counts_are_those_of_the_tabs(labeler: User) -> None:
    cluster = make_group(3)
    make_group(4)
    make_list(make_person(), 3)
    single, _ = open_face(), open_face()
    record_verdicts(
        faces=list(Face.objects.filter(member__cluster=cluster)), kind="skip", actor=labeler, cluster=cluster
    )
    record_verdict(face=single, kind="skip", actor=labeler)
    counts = count_queue(user=labeler)
    assert (counts.left, counts.skipped, counts.groups, counts.suggestions, counts.singles) == (8, 4, 1, 1, 4)
    assert counts.forecast is not None


def test_an_empty_queue_has_no_forecast(labeler: User) -> None:
    assert count_queue(user=labeler).forecast is None


class TestForecast:
    @pytest.mark.parametrize(
        ("faces", "sizes", "decisions"),
        [
            (10, {10: 1}, 1),
            (11, {10: 1}, 2),
            (9, {10: 1}, 1),
            (30, {10: 2, 5: 4}, 4),
            (100, {10: 2}, 82),
            (0, {10: 2}, 0),
            (7, {}, 7),
        ],
    )
    def test_the_largest_cards_are_taken_first_and_the_rest_one_by_one(
        self, faces: int, sizes: dict[int, int], decisions: int
    ) -> None:
        assert count_decisions(faces, sizes) == decisions

    @pytest.mark.parametrize(
        ("decided", "target", "decisions"), [(0, 80, 80), (79, 80, 1), (80, 95, 15), (95, 100, 5)]
    )
    def test_the_next_target_is_told(self, decided: int, target: int, decisions: int) -> None:
        assert forecast(total=100, decided=decided, sizes={}) == Forecast(target=target, decisions=decisions)

    def test_nothing_is_left_to_tell_when_all_is_decided(self) -> None:
        assert forecast(total=100, decided=100, sizes={}) is None
        assert forecast(total=0, decided=0, sizes={}) is None
