"""Make `import torchvision` work beside a torch its compiled operators were not built for.

facenet-pytorch needs one of those operators, `nms`. Call `load_torchvision()` before importing it. On a
matching pair nothing is patched.
"""

from __future__ import annotations

import importlib
import importlib.util
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_lock = threading.Lock()
# A Library's definitions live as long as the object: it must not be collected.
_library: Any = None


def load_torchvision() -> None:
    """Import torchvision, with our `nms` in place of its own if its own cannot load. Idempotent."""
    global _library
    with _lock:
        if _library is None and not _operators_load():
            _library = _define_operators()
            boxes = importlib.import_module("torchvision.ops.boxes")
            boxes._assert_has_ops = lambda: None  # type: ignore[attr-defined]
        importlib.import_module("torchvision")


def suppress_overlaps(
    boxes: NDArray[np.floating], scores: NDArray[np.floating], iou_threshold: float
) -> NDArray[np.int64]:
    """Greedy non-maximum suppression as torchvision.ops.nms: indices kept, by falling score.

    `boxes` (n, 4) are left, top, right, bottom; equal scores keep their order.
    """
    left, top, right, bottom = (boxes[:, k].astype(np.float64) for k in range(4))
    areas = (right - left) * (bottom - top)
    order = np.argsort(-scores, kind="stable")
    keep: list[int] = []
    while order.size:
        best, rest = order[0], order[1:]
        keep.append(int(best))
        width = np.minimum(right[best], right[rest]) - np.maximum(left[best], left[rest])
        height = np.minimum(bottom[best], bottom[rest]) - np.maximum(top[best], top[rest])
        shared = np.clip(width, 0, None) * np.clip(height, 0, None)
        # Multiplied out, so that empty boxes divide nothing by zero.
        order = rest[shared <= iou_threshold * (areas[best] + areas[rest] - shared)]
    return np.array(keep, dtype=np.int64)


def _operators_load() -> bool:
    """Whether torchvision's compiled library loads into this torch (which also registers its operators)."""
    import torch

    operators: Any = torch.ops
    spec = importlib.util.find_spec("torchvision")
    folder = Path((spec.submodule_search_locations or [""])[0]) if spec else Path()
    for library in sorted([*folder.glob("_C*.so"), *folder.glob("_C*.pyd")]):
        try:
            operators.load_library(str(library))
        except (ImportError, OSError):
            continue
        return True
    return False


def _define_operators() -> Any:
    import torch

    torch_library: Any = torch.library
    library = torch_library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

    def nms(dets: torch.Tensor, scores: torch.Tensor, iou_threshold: float) -> torch.Tensor:
        kept = suppress_overlaps(dets.cpu().numpy(), scores.cpu().numpy(), iou_threshold)
        return torch.from_numpy(kept).to(dets.device)

    library.impl("nms", nms, "CPU")
    library.impl("nms", nms, "CUDA")
    return library
