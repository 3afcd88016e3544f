"""Begin a change of the embedder, find the one under way, give it up, and remove what it left behind."""

from __future__ import annotations

from collections.abc import Callable

from django.db import IntegrityError, transaction
from django.utils import timezone

from recognition.active_embedder import get_active_embedder_id
from recognition.embedders import EmbedderInfo, EmbedderUnknown, describe_embedder, name_embedder
from recognition.gallery_journal import lock_gallery_state
from recognition.models import Embedding, Reembedding
from recognition.reembedding.errors import ReembeddingBusy, ReembeddingRefused
from recognition.reembedding.hold import is_held
from recognition.reembedding.missing import count_embedded

_State = Reembedding.State
OPEN = (_State.RUNNING, _State.READY)
_ROWS_AT_ONCE = 5000


def find_target(name: str) -> EmbedderInfo:
    """The embedder of that id, or of that name with this machine's weights.

    Raises EmbedderUnknown, WeightsMissing or WeightsRefused.
    """
    try:
        return describe_embedder(name)
    except EmbedderUnknown:
        return describe_embedder(name_embedder(name).embedder_id)


def find_newest() -> Reembedding | None:
    """The change under way, or the last one that was not given up."""
    return Reembedding.objects.exclude(state=_State.CANCELLED).order_by("-pk").first()


def find_open() -> Reembedding | None:
    return Reembedding.objects.filter(state__in=OPEN).first()


def start_reembedding(target: str, *, wanted: Reembedding.Wanted = Reembedding.Wanted.NONE) -> Reembedding:
    """The change to that embedder, begun now or before. Raises ReembeddingRefused, NoActiveEmbedder."""
    active = get_active_embedder_id()
    if target == active:
        raise ReembeddingRefused(f"{target} is the embedder in use.")
    begun = find_open()
    if begun is None:
        done, total = count_embedded(target)
        try:
            with transaction.atomic():
                return Reembedding.objects.create(
                    source=active, target=target, wanted=wanted, faces_done=done, faces_total=total
                )
        except IntegrityError:
            begun = Reembedding.objects.get(state__in=OPEN)  # somebody else began at the same moment
    if begun.target != target:
        raise ReembeddingRefused(
            f"A change to {begun.target} is under way. Finish it first, or give it up: `manage.py reembed --cancel`."
        )
    if wanted:
        Reembedding.objects.filter(pk=begun.pk).update(wanted=wanted)
        begun.wanted = wanted
    return begun


def cancel_reembedding() -> Reembedding:
    """Give up the change under way; what it embedded stays until `forget_embeddings`. Raises ReembeddingRefused."""
    with transaction.atomic():
        lock_gallery_state()
        begun = find_open()
        if begun is None:
            raise ReembeddingRefused("No change of the embedder is under way.")
        Reembedding.objects.filter(pk=begun.pk).update(
            state=_State.CANCELLED, lease=None, lease_until=None, wanted=Reembedding.Wanted.NONE
        )
    begun.state = _State.CANCELLED
    return begun


def forget_embeddings(tell: Callable[[int], object] = lambda count: None) -> int:
    """Remove the embeddings of every embedder but the one in use; after that there is no way back. Returns how many.

    Vectors that came from outside stay: they are all that there will ever be of them. `tell` hears how many each step
    removed. Raises ReembeddingRefused, ReembeddingBusy.
    """
    if find_open() is not None:
        raise ReembeddingRefused("A change of the embedder is under way. Finish it or give it up first.")
    newest = find_newest()
    if newest is not None and is_held(newest):
        raise ReembeddingBusy
    with transaction.atomic():
        lock_gallery_state()
        active = get_active_embedder_id()
        Reembedding.objects.filter(forgotten_at=None).update(forgotten_at=timezone.now())
    removed = 0
    while True:
        with transaction.atomic():
            rows = Embedding.objects.made_here().exclude(embedder_id=active).order_by("pk")
            some = list(rows.values_list("pk", flat=True)[:_ROWS_AT_ONCE])
            if find_open() is not None or get_active_embedder_id() != active:
                raise ReembeddingRefused("A change of the embedder was begun meanwhile.")
            Embedding.objects.filter(pk__in=some).delete()
        removed += len(some)
        tell(len(some))
        if not some:
            return removed
