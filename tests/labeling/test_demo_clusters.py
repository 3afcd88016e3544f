"""The queue of a demo vault is grouped by the real clustering, and a planned stranger comes out as one cluster."""

from collections import defaultdict
from io import StringIO

import numpy as np
import pytest
from django.core.management import call_command
from django.db.models import F

from labeling.clusters.graph import group_faces, lines_of
from labeling.clusters.tending import is_tending_due
from labeling.models import Cluster, ClusterMember, Look
from recognition.demo import vault
from recognition.demo.plan import DemoSize, Plan, Role, plan_vault
from recognition.demo.seats import seat_casts, seat_freely
from recognition.demo.vectors import make_vectors
from recognition.embedders import Thresholds, describe_embedder
from recognition.models import Embedding, UnlabeledFace
from recognition.vectors import encode_vector

CASTS = 2


@pytest.mark.parametrize(("dimension", "suggest"), [(128, 0.50), (512, 0.45)])
def test_the_open_faces_of_an_event_group_as_they_were_planned(dimension: int, suggest: float) -> None:
    size = DemoSize(faces=1200, people=60, unlabeled=300, clusters=20, seed=5)
    thresholds = Thresholds(automatic=0.70, margin=0.05, suggest=suggest, strict=0.8)
    rng = np.random.default_rng(size.seed)
    plan = seat_freely(plan_vault(size, rng), photos_per_event=40)
    vectors = make_vectors(plan, dimension=dimension, thresholds=thresholds, rng=rng)
    photos, events = np.zeros((2, size.faces), dtype=np.int64)
    for number, (event, photo) in enumerate(zip(plan.events, plan.photos, strict=True)):
        photos[photo], events[photo] = number, event
    found: set[frozenset[int]] = set()
    for event in set(plan.events):
        faces = np.flatnonzero((events == event) & (plan.roles >= Role.DOUBTFUL))
        lines = lines_of(thresholds, faces=len(faces))
        labels = group_faces(vectors=vectors[faces], photos=photos[faces], lines=lines)
        found |= {frozenset(faces[labels == label].tolist()) for label in set(labels[labels >= 0].tolist())}
    assert len(planned_clusters(plan) & found) >= 0.95 * size.clusters


@pytest.mark.django_db(transaction=True)
def test_the_command_leaves_a_queue_that_a_worker_has_nothing_to_do_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(vault, "FULLY_DRAWN_PHOTOS", 0)
    monkeypatch.setattr(vault, "SHARED_CASTS", CASTS)
    size = DemoSize(faces=240, people=20, unlabeled=90, clusters=12, seed=2)
    out = StringIO()
    sizes = [
        f"--{name}={getattr(size, name)}" for name in ("faces", "people", "unlabeled", "clusters", "seed")
    ]
    call_command("build_demo_vault", *sizes, stdout=out, stderr=StringIO())
    assert not is_tending_due()
    assert Look.objects.count() == UnlabeledFace.objects.open().count() == 90
    assert Look.objects.filter(person__isnull=False).exists()
    assert not ClusterMember.objects.exclude(face__photo__event=F("cluster__event")).exists()
    clusters = Cluster.objects.filter(open_count__gt=1).count()
    assert f"90 in the queue ({clusters} clusters)" in out.getvalue()

    rng = np.random.default_rng(size.seed)
    plan = seat_casts(plan_vault(size, rng), CASTS)
    info = describe_embedder(Embedding.objects.values_list("embedder_id", flat=True)[0])
    vectors = make_vectors(plan, dimension=info.dimension, thresholds=info.thresholds, rng=rng)
    index_of = {encode_vector(vector): index for index, vector in enumerate(vectors)}
    rows = Embedding.objects.with_vectors().filter(face__member__isnull=False)
    found = defaultdict(set)
    for row in rows.select_related("face__member"):
        found[row.face.member.cluster_id].add(index_of[bytes(row.vector)])
    whole = planned_clusters(plan) & {frozenset(faces) for faces in found.values()}
    assert len(whole) >= 0.95 * size.clusters


def planned_clusters(plan: Plan) -> set[frozenset[int]]:
    faces_of = defaultdict(set)
    for face in np.flatnonzero(plan.roles == Role.CLUSTERED).tolist():
        faces_of[int(plan.identities[face])].add(face)
    return {frozenset(faces) for faces in faces_of.values()}
