"""Which embedder this installation can use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recognition.embedders import dinov3, dlib_resnet, facenet
from recognition.embedders.registry import EmbedderUnknown
from recognition.embedders.weights import find_problem, plan_weights

# What each kind's weights on this machine are called.
_IDS: dict[str, Callable[[], str]] = {
    facenet.NAME: lambda: facenet.facenet_id(plan_weights()),
    dlib_resnet.NAME: lambda: dlib_resnet.EMBEDDER_ID,
    dinov3.NAME: dinov3.find_dinov3_id,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderChoice:
    """The embedder_id to use for new embeddings, and one sentence why, for the footer and the log."""

    embedder_id: str
    reason: str


def choose_embedder(
    *, data: Path | None = None, path: str | None = None, sha256: str | None = None
) -> EmbedderChoice:
    """FaceNet where its weights are on this machine, else dlib. A glance at the disk, no checksum, no net.

    Arguments left out come from the FACEVAULT_* settings.
    """
    plan = plan_weights(data=data, path=path, sha256=sha256)
    problem = find_problem(plan)
    if not problem:
        return EmbedderChoice(embedder_id=facenet.facenet_id(plan), reason="FaceNet's weights are installed.")
    return EmbedderChoice(
        embedder_id=dlib_resnet.EMBEDDER_ID,
        reason=(
            f"FaceNet's weights cannot be used ({problem}), so the bundled dlib net is in use. To change that, "
            "run `manage.py fetch_weights`, then `manage.py use_embedder`, before the first photos; "
            "afterwards `manage.py reembed --to facenet-vggface2`."
        ),
    )


def name_embedder(name: str) -> EmbedderChoice:
    """The embedder of that name with this machine's weights; raise EmbedderUnknown, WeightsMissing or WeightsRefused."""
    find_id = _IDS.get(name)
    if find_id is None:
        raise EmbedderUnknown(f"no embedder called {name!r}; there are: {', '.join(sorted(_IDS))}")
    return EmbedderChoice(embedder_id=find_id(), reason="It was chosen by name.")
