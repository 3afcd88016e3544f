"""Tend the queue: look again at what the gallery's changes concern, name what may be named, and group what has arrived.

Whatever waits is a row: an open face without a Look was not looked at yet, and QueueState says up to which version of
the gallery all Looks are true. So a worker may be killed at any moment, and the next one goes on.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from django.db import transaction
from django.db.models import QuerySet
from numpy.typing import NDArray

from labeling.clusters.following import find_concerned, find_touched_clusters, read_change
from labeling.clusters.grouping import group_anew, group_arrivals
from labeling.clusters.lease import Tender, TendingLost, is_queue_taken, take_queue
from labeling.clusters.looking import look_at, write_looks
from labeling.clusters.placing import KNOWN, Placed, write_plan
from labeling.clusters.relooking import forget_between
from labeling.clusters.sweeping import judge_again, sweep_clusters
from labeling.clusters.vectors import QueueVectors, get_queue_vectors
from labeling.models import Cluster, ClusterMember, Look, QueueState
from recognition.active_embedder import NoActiveEmbedder, find_active_info, get_active_embedder_id
from recognition.embedders import EmbedderInfo, describe_embedder
from recognition.gallery_journal import GalleryStamp, lock_gallery_state, read_gallery_state
from recognition.leases import request_task, stopping
from recognition.models import UnlabeledFace

# New faces of one event that are placed together, and faces that are looked at between two looks at the clock.
_ARRIVALS = 2000


def tend_queue(pause: Callable[[], bool] = stopping.is_set) -> bool:
    """Do everything that waits, or as much as there is until `pause` says so; whether something is left.

    Not inside a transaction. Does nothing while another worker tends the queue, and before an embedder is active.
    """
    if (info := find_active_info()) is None:
        return False
    tender = take_queue()
    if tender is None:
        return False
    try:
        _tend(tender, info, pause)
        _follow_lines(info)
    except TendingLost:
        return False
    finally:
        tender.release()
    # Only now: whoever was told meanwhile that the queue is taken had something to do.
    return is_tending_due()


def request_tending() -> None:
    """Have a worker tend the queue. Belongs into the transaction that gives it something to do."""
    from labeling.tasks import tend_queue as task

    request_task(task)


def sweep_queue() -> None:
    """Have a worker go on with what a dead one dropped, or what nobody asked for."""
    if is_tending_due() and not is_queue_taken():
        with transaction.atomic():
            request_tending()


def is_tending_due() -> bool:
    """Whether a face was not looked at yet, or the gallery has moved since."""
    try:
        embedder_id = get_active_embedder_id()
    except NoActiveEmbedder:
        return False
    now, state = read_gallery_state(), QueueState.objects.filter(pk=1).first()
    if state is None or (state.epoch, state.version, state.embedder_id) != (
        now.epoch,
        now.version,
        embedder_id,
    ):
        return True
    return _waiting().exists()


def regroup_event(event_pk: int) -> Placed:
    """Group everything of the event anew that nobody has seen or decided about. Not inside a transaction.

    Clusters that people know keep their faces, and may get more. Raises NoActiveEmbedder.
    """
    info = describe_embedder(get_active_embedder_id())
    vectors = QueueVectors(info.embedder_id, info.dimension)
    return write_plan(event_pk, group_anew(event_pk, vectors, info.shipped))


def _tend(tender: Tender, info: EmbedderInfo, pause: Callable[[], bool]) -> None:
    # Once another embedder is active, whoever comes next begins anew with it.
    while get_active_embedder_id() == info.embedder_id:
        now = _settle_state(tender, info)
        vectors = get_queue_vectors(info.embedder_id, info.dimension, epoch=now.epoch)
        # Somebody decided and waits for what it pays; the new faces wait for nobody.
        _follow_gallery(tender, info, vectors, now)
        if pause() or not _look_at_arrivals(tender, info, vectors):
            return


def _follow_lines(info: EmbedderInfo) -> None:
    """Faces that were judged by lines which moved meanwhile are looked at again."""
    now = find_active_info()
    if now is not None and now.thresholds != info.thresholds:
        with transaction.atomic():
            lock_gallery_state()
            forget_between(info.thresholds, now.thresholds)


def _settle_state(tender: Tender, info: EmbedderInfo) -> GalleryStamp:
    """The gallery's stamp now. Where the journal does not lead from the last look to it, nothing was looked at."""
    now, state = read_gallery_state(), QueueState.objects.get(pk=1)
    other_net = state.embedder_id not in {"", info.embedder_id}
    if (state.epoch, state.embedder_id) == (now.epoch, info.embedder_id) and (
        now.floor <= state.version <= now.version
    ):
        return now
    with transaction.atomic():
        now = lock_gallery_state()
        tender.renew(epoch=now.epoch, version=now.version, embedder_id=info.embedder_id)
        Look.objects.all().delete()
        if other_net:
            # What two nets call alike is not the same; only people's word on a cluster outlasts them.
            Cluster.objects.exclude(KNOWN).delete()
    if other_net:
        left = Cluster.objects.filter(open_count__gt=0).values_list("pk", flat=True)
        vectors = get_queue_vectors(info.embedder_id, info.dimension, epoch=now.epoch)
        judge_again(list(left), vectors, info.shipped, tender.renew)
    return now


def _follow_gallery(tender: Tender, info: EmbedderInfo, vectors: QueueVectors, now: GalleryStamp) -> None:
    state = QueueState.objects.get(pk=1)
    if state.version == now.version:
        return
    change = read_change(state.version, now.version)
    vectors.forget(change.touched)
    vectors.hold(_queue_faces())
    if change.gone:
        sweep_clusters()
    concerned = find_concerned(change, vectors, info.thresholds)
    write_looks(look_at(concerned, tender), tender)
    judge_again(find_touched_clusters(change.touched), vectors, info.shipped, tender.renew)
    with transaction.atomic():
        lock_gallery_state()
        # Those that were decided meanwhile await no look any more; they get a new one when they come back.
        Look.objects.filter(face__unlabeled__reviewed=True).delete()
        tender.renew(version=now.version)


def _look_at_arrivals(tender: Tender, info: EmbedderInfo, vectors: QueueVectors) -> bool:
    """Some faces of one event that were not looked at yet; False when there are none."""
    first = _waiting().values_list("face__photo__event", flat=True).first()
    if first is None:
        return False
    waiting = _waiting().filter(face__photo__event=first).values_list("face_id", flat=True)[:_ARRIVALS]
    arrivals = list(waiting)
    looks = look_at(arrivals, tender)
    left = [look.face_id for look in looks]
    # The looks last: a face without one is placed again, a face with one is not.
    write_plan(first, group_arrivals(first, left, vectors, info.shipped), tender.renew)
    write_looks(looks, tender)
    return True


def _waiting() -> QuerySet[UnlabeledFace]:
    entries = UnlabeledFace.objects.open().filter(face__look=None, face__photo__event__deleted_at=None)
    return entries.order_by("pk")


def _queue_faces() -> NDArray[np.int64]:
    """Open faces, and the decided ones that share a cluster with one."""
    entries = UnlabeledFace.objects.open().order_by().values_list("face", flat=True)
    members = ClusterMember.objects.filter(cluster__open_count__gt=0).order_by()
    pks = [*entries.iterator(), *members.values_list("face", flat=True).iterator()]
    return np.array(pks, dtype=np.int64)
