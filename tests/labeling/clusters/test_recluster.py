"""Grouping anew keeps every name, verdict and rejection, and every cluster that people know."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from labeling.clusters import grouping
from labeling.clusters.graph import group_faces
from labeling.clusters.tending import regroup_event, tend_queue
from labeling.decisions import (
    label_faces,
    record_verdicts,
    reject_faces,
    split_cluster,
    undo_decision,
)
from labeling.models import Cluster, ClusterMember, Decision, Rejection
from recognition.models import Event, Face, Sighting, UnlabeledFace
from tests.factories import make_event, make_person
from tests.labeling.clusters.queue import (
    ALICE,
    BOB,
    CAROL,
    DORA,
    SOMEBODY,
    cluster_of,
    clusters_of,
    fetch_cluster,
    queue_face,
    queue_faces,
)


@pytest.fixture
def event() -> Event:
    return make_event("Graduation")


def everything_decided() -> list[list[Any]]:
    return [
        list(model.objects.order_by("pk").values())
        for model in (Sighting, UnlabeledFace, Rejection, Decision)
    ]


def regroup(event: Event) -> str:
    out = StringIO()
    call_command("recluster", event=event.name, stdout=out)
    return out.getvalue()


def scatter() -> None:
    """As if every face had been grouped wrongly: nobody has seen any of it."""
    ClusterMember.objects.filter(cluster__seen_at=None, cluster__version=0).delete()
    Cluster.objects.filter(members=None).delete()


def test_names_verdicts_and_rejections_stay(event: Event, labeler: User) -> None:
    alice, bob = queue_faces(ALICE, 6, event=event), queue_faces(BOB, 4, event=event)
    carol, dora = queue_faces(CAROL, 4, event=event), queue_faces(DORA, 3, event=event)
    tend_queue()
    label_faces(faces=alice[:3], actor=labeler, name="Alice")
    record_verdicts(faces=bob[:2], kind="stranger", actor=labeler)
    record_verdicts(faces=bob[2:3], kind="not_a_face", actor=labeler)
    record_verdicts(faces=carol[:1], kind="poor", actor=labeler)
    reject_faces(faces=carol[1:3], people=[make_person("Eve")], actor=labeler)
    undo_decision(decision=label_faces(faces=dora, actor=labeler, name="Dora"), actor=labeler)
    tend_queue()
    before = everything_decided()

    regroup(event)
    tend_queue()

    assert everything_decided() == before


def test_a_cluster_that_somebody_has_seen_keeps_its_faces(event: Event) -> None:
    # Two people in it: grouping anew would part them.
    faces = [*queue_faces(ALICE, 3, event=event), *queue_faces(BOB, 3, event=event)]
    tend_queue()
    seen = fetch_cluster(faces[0])
    ClusterMember.objects.filter(face__in=faces[3:]).update(cluster=seen)
    Cluster.objects.filter(pk=seen.pk).update(seen_at=timezone.now())

    regroup(event)

    assert clusters_of(faces) == [seen.pk] * 6


def test_a_split_stays_as_it_was_made(event: Event, labeler: User) -> None:
    faces = queue_faces(ALICE, 7, event=event)
    tend_queue()
    split_cluster(cluster=Cluster.objects.get(), faces=faces[:3], actor=labeler)
    split_cluster(cluster=fetch_cluster(faces[3]), faces=faces[3:4], actor=labeler)
    before = clusters_of(faces)

    regroup(event)

    assert clusters_of(faces) == before


def test_what_nobody_has_seen_is_grouped_anew(event: Event) -> None:
    faces = queue_faces(ALICE, 4, event=event)
    tend_queue()
    scatter()

    assert regroup(event) == "Graduation: 1 groups opened, 4 faces joined a group, 0 left theirs\n"
    assert len(set(clusters_of(faces))) == 1
    assert Cluster.objects.get().open_count == 4


def test_a_face_that_does_not_belong_leaves_a_cluster_that_nobody_has_seen(event: Event) -> None:
    faces, stray = queue_faces(ALICE, 4, event=event), queue_face(SOMEBODY, event=event)
    tend_queue()
    cluster = Cluster.objects.get()
    ClusterMember.objects.create(cluster=cluster, face=stray, closeness=0)
    Cluster.objects.update(open_count=5, mixed=True)

    regroup(event)

    assert cluster_of(stray) is None
    assert clusters_of(faces) == [cluster.pk] * 4


def test_grouping_anew_twice_changes_nothing(event: Event) -> None:
    queue_faces(ALICE, 4, event=event)
    queue_faces(BOB, 3, event=event)
    tend_queue()
    before = list(ClusterMember.objects.order_by("pk").values())

    regroup(event)

    assert list(ClusterMember.objects.order_by("pk").values()) == before


def test_who_sees_a_cluster_in_between_finds_it_unchanged(
    event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces, stray = queue_faces(ALICE, 4, event=event), queue_face(SOMEBODY, event=event)
    tend_queue()
    ClusterMember.objects.create(cluster=Cluster.objects.get(), face=stray, closeness=0)
    Cluster.objects.update(open_count=5)

    def group_while_somebody_looks(**values: Any) -> Any:
        Cluster.objects.update(seen_at=timezone.now())
        return group_faces(**values)

    monkeypatch.setattr(grouping, "group_faces", group_while_somebody_looks)
    regroup_event(event.pk)

    assert len(set(clusters_of([*faces, stray]))) == 1


def test_who_names_a_face_in_between_keeps_it_where_it_was(
    event: Event, labeler: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = queue_faces(ALICE, 4, event=event)
    tend_queue()
    scatter()

    def group_while_somebody_decides(**values: Any) -> Any:
        label_faces(faces=faces[:1], actor=labeler, name="Alice")
        return group_faces(**values)

    monkeypatch.setattr(grouping, "group_faces", group_while_somebody_decides)
    regroup_event(event.pk)

    assert cluster_of(faces[0]) is None
    assert Cluster.objects.get().open_count == 3


def test_a_large_event_is_grouped_by_its_arrivals(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "ANEW_UP_TO", 3)
    faces, waiting = queue_faces(ALICE, 5, event=event), queue_face(BOB, event=event)
    tend_queue()
    number = cluster_of(faces[0])

    more, bob = queue_faces(ALICE, 2, event=event, seed=3), queue_faces(BOB, 1, event=event)
    tend_queue()

    assert clusters_of([*faces, *more]) == [number] * 7
    assert cluster_of(waiting) == cluster_of(bob[0]) is not None


def test_an_event_that_does_not_exist_is_said(event: Event) -> None:
    with pytest.raises(CommandError, match="There is no event 'Gradation'"):
        call_command("recluster", event="Gradation")


def test_all_means_every_event(event: Event) -> None:
    for other in (event, make_event("Concert")):
        queue_faces(ALICE, 3, event=other)
    tend_queue()
    scatter()

    out = StringIO()
    call_command("recluster", all=True, stdout=out)

    assert [line.split(":")[0] for line in out.getvalue().splitlines()] == ["Graduation", "Concert"]
    assert Cluster.objects.count() == 2
    assert Face.objects.filter(member=None).count() == 0
