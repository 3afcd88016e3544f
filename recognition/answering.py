"""Which embedders may answer a search now: the active one, and beside a change of it the other of the two."""

from __future__ import annotations

from dataclasses import dataclass

from recognition.active_embedder import WrongEmbedder, get_active_embedder_id
from recognition.embedders import is_imported
from recognition.models import Reembedding

_State = Reembedding.State


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """`other` has all embeddings, too: it was active a moment ago, or is about to be. `coming` is the latter.

    `fillings` says by which change an embedder was filled last, 0 for one that never was: embeddings that such a change
    writes are not in the journal, so an index from before it is not to be trusted.
    """

    active: str
    other: str | None
    coming: str | None
    fillings: dict[str, int]

    def filling_of(self, embedder_id: str) -> int:
        return self.fillings.get(embedder_id, 0)

    def choose(self, embedder_id: str | None) -> str:
        """That embedder, or the active one; raise WrongEmbedder for one whose vectors nothing is left to compare with.

        Vectors that came from outside always answer: they are all that there will ever be of them.
        """
        if embedder_id is None:
            return self.active
        if is_imported(embedder_id):
            return embedder_id
        if embedder_id not in {self.active, self.other}:
            raise WrongEmbedder(embedder_id, self.active)
        return embedder_id


def read_answering() -> Answering:
    """In two small statements. Raises NoActiveEmbedder."""
    active = get_active_embedder_id()
    rows = Reembedding.objects.order_by("pk").values_list("pk", "source", "target", "state", "forgotten_at")
    fillings: dict[str, int] = {}
    other = coming = None
    for pk, source, target, state, forgotten_at in rows:
        fillings[target] = pk
        if state == _State.CANCELLED:
            continue
        complete = {source, target} if state != _State.RUNNING and forgotten_at is None else set()
        # Those of the newest change: whoever began to read before it was through is answered after it.
        rest = complete - {active} if active in complete else set()
        other = next(iter(rest), None)
        coming = target if state == _State.READY and target == other else None
    return Answering(active=active, other=other, coming=coming, fillings=fillings)
