"""The nets that turn faces into vectors. Importing this loads none of them."""

from recognition.embedders.base import Embedder, EmbedderInfo, Thresholds
from recognition.embedders.choice import EmbedderChoice, choose_embedder, name_embedder
from recognition.embedders.imported import imported_id, is_imported
from recognition.embedders.registry import (
    EmbedderUnknown,
    describe_embedder,
    embedders,
    get_embedder,
    reset_embedders,
)
from recognition.embedders.weights import WeightsMissing, WeightsRefused

__all__ = [
    "Embedder",
    "EmbedderChoice",
    "EmbedderInfo",
    "EmbedderUnknown",
    "Thresholds",
    "WeightsMissing",
    "WeightsRefused",
    "choose_embedder",
    "describe_embedder",
    "embedders",
    "get_embedder",
    "imported_id",
    "is_imported",
    "name_embedder",
    "reset_embedders",
]
