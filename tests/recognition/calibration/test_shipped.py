"""The figures that embedders come with."""

from __future__ import annotations

import pytest

from recognition.calibration.shipped import find_shipped_tail
from recognition.embedders import describe_embedder


@pytest.mark.parametrize("embedder_id", ["dlib-resnet-c1", "facenet-vggface2"])
def test_shipped_figures_belong_to_an_embedder_and_give_a_line(embedder_id: str) -> None:
    tail = find_shipped_tail(embedder_id)
    assert tail is not None
    assert tail.mean < describe_embedder(embedder_id).shipped.suggest < tail.line(1000, 0.001) < 1


def test_an_embedder_that_nobody_measured_has_none() -> None:
    assert find_shipped_tail("dinov3-vitb16") is None
