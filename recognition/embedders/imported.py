"""Embedders of which only vectors are here: another program made them, and no net of this installation can make more.

The dimension is part of the id, so every process can describe one without a table: "imported-<name>-<dimension>d".
"""

from __future__ import annotations

import re

from recognition.embedders.base import Embedder, EmbedderInfo, Thresholds
from recognition.embedders.registry import embedders
from recognition.embedders.weights import WeightsMissing

NAME = "imported"
# Nobody measured them: a name of the machine's own takes all but the same picture, until a calibration has seen enough
# of their own faces. Suggestions are only shown, and a person decides.
THRESHOLDS = Thresholds(automatic=0.99, margin=0.10, suggest=0.60, strict=0.995)
_ID = re.compile(r"imported-[a-z0-9][a-z0-9-]{0,30}-([1-9]\d{0,4})d")


def imported_id(name: str, dimension: int) -> str:
    """The embedder_id for vectors of that program or model; raise ValueError where the name is no plain word."""
    embedder_id = f"imported-{name}-{dimension}d"
    if _ID.fullmatch(embedder_id) is None:
        raise ValueError(
            f"{name!r} cannot be part of an embedder's id: use up to 31 of a to z, 0 to 9 and hyphens"
        )
    return embedder_id


def is_imported(embedder_id: str) -> bool:
    return _ID.fullmatch(embedder_id) is not None


def describe_imported(embedder_id: str) -> EmbedderInfo | None:
    found = _ID.fullmatch(embedder_id)
    if found is None:
        return None
    return EmbedderInfo(
        embedder_id=embedder_id, name=NAME, dimension=int(found[1]), input_size=0, shipped=THRESHOLDS
    )


@embedders.register(NAME, describe=describe_imported)
def create_imported(embedder_id: str) -> Embedder:
    raise WeightsMissing(
        f"{embedder_id} has no net here: its vectors came from another program, and new photos cannot be embedded with it. "
        "Choose another embedder with `manage.py reembed --to NAME`."
    )
