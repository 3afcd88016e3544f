"""Changing the embedder beside the running site: embed anew, compare, switch, and the way back."""

from recognition.reembedding.agreement import is_worse
from recognition.reembedding.embedding import BATCH
from recognition.reembedding.errors import ReembeddingBusy, ReembeddingLost, ReembeddingRefused
from recognition.reembedding.hold import is_held
from recognition.reembedding.plan import (
    cancel_reembedding,
    find_newest,
    find_open,
    find_target,
    forget_embeddings,
    start_reembedding,
)
from recognition.reembedding.running import prepare_switch
from recognition.reembedding.switching import check_way_back, switch_back, switch_embedder, try_switch

__all__ = [
    "BATCH",
    "ReembeddingBusy",
    "ReembeddingLost",
    "ReembeddingRefused",
    "cancel_reembedding",
    "check_way_back",
    "find_newest",
    "find_open",
    "find_target",
    "forget_embeddings",
    "is_held",
    "is_worse",
    "prepare_switch",
    "start_reembedding",
    "switch_back",
    "switch_embedder",
    "try_switch",
]
