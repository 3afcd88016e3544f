"""dlib's face ResNet read from its data file and run by torch: the same descriptors, ten times as fast.

dlib-bin is built without a BLAS and takes about 65 ms for a face on one core, torch about 6; the descriptors
agree to 1e-6. The architecture is `anet_type` of dlib's examples/dnn_face_recognition_ex.cpp; the file is
what dlib's serialize() writes (dlib/serialize.h, dlib/dnn/layers.h): packed integers and raw little-endian
tensors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DIMENSION = 128

_CONVOLUTIONS = 29
# input_rgb_image_sized's defaults, which the file repeats.
_CHANNEL_MEANS = (122.782, 117.001, 104.298)
_INPUT_SCALE = 256.0


@dataclass(frozen=True, slots=True)
class _Convolution:
    """A convolution with the affine layer behind it folded in (it stands for a trained batch normalization)."""

    weight: Any
    bias: Any
    stride: int
    padding: int


class DlibNet:
    """The net on a torch device; may be called from several threads. Raises ValueError for another file."""

    def __init__(self, path: Path) -> None:
        import torch

        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        reader = _Reader(path)
        self._convolutions = [self._read_convolution(reader) for _ in range(_CONVOLUTIONS)]
        self._fully_connected = torch.from_numpy(reader.read_fully_connected()).to(self._device)
        self._means = torch.tensor(_CHANNEL_MEANS, device=self._device).view(1, 3, 1, 1)

    def describe(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The descriptors (n, 128) of chips (n, 150, 150, 3), as dlib's compute_face_descriptor gives them."""
        import torch
        from torch.nn import functional

        with torch.inference_mode():
            pixels = torch.from_numpy(np.ascontiguousarray(chips)).to(self._device)
            x = (pixels.permute(0, 3, 1, 2).float() - self._means) / _INPUT_SCALE
            # Channels last is how the pixels lie already, and a fifth faster.
            x = x.contiguous(memory_format=torch.channels_last)
            first, *blocks = self._convolutions
            x = functional.max_pool2d(functional.relu(_convolve(x, first)), kernel_size=3, stride=2)
            for one, two in zip(blocks[::2], blocks[1::2], strict=True):
                y = _convolve(functional.relu(_convolve(x, one)), two)
                shortcut = functional.avg_pool2d(x, kernel_size=2, stride=2) if one.stride == 2 else x
                x = functional.relu(_add(y, shortcut))
            descriptors: NDArray[np.float32] = (x.mean((2, 3)) @ self._fully_connected).cpu().numpy()
        return descriptors

    def _read_convolution(self, reader: _Reader) -> _Convolution:
        import torch

        weight, bias, stride, padding = reader.read_convolution()
        on_device = torch.from_numpy(weight).to(self._device).contiguous(memory_format=torch.channels_last)
        return _Convolution(on_device, torch.from_numpy(bias).to(self._device), stride, padding)


def _convolve(x: Any, layer: _Convolution) -> Any:
    from torch.nn import functional

    return functional.conv2d(x, layer.weight, layer.bias, stride=layer.stride, padding=layer.padding)


def _add(one: Any, other: Any) -> Any:
    """dlib's add_prev: what is missing in channels, rows or columns counts as zero."""
    from torch.nn import functional

    channels, rows, columns = (max(one.shape[k], other.shape[k]) for k in (1, 2, 3))

    def fill(x: Any) -> Any:
        missing = (0, columns - x.shape[3], 0, rows - x.shape[2], 0, channels - x.shape[1])
        return functional.pad(x, missing) if any(missing) else x

    return fill(one) + fill(other)


class _Reader:
    """Walks through dlib's file, from the input to the output layer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._data = path.read_bytes()
        self._at = 0

    def read_convolution(self) -> tuple[NDArray[np.float32], NDArray[np.float32], int, int]:
        """Weights (filters, channels, rows, columns), biases, both with the next affine layer; stride; padding."""
        self._seek("con_4")
        values = self._read_tensor().ravel()
        filters, rows, columns, stride, _, padding, _ = (self._read_integer() for _ in range(7))
        weight = values[:-filters].reshape(filters, -1, rows, columns)
        bias = values[-filters:]
        self._seek("affine_")
        scale, shift = self._read_tensor().reshape(2, filters)
        return weight * scale[:, None, None, None], bias * scale + shift, stride, padding

    def read_fully_connected(self) -> NDArray[np.float32]:
        """The last layer's weights (inputs, 128); it has no biases."""
        self._seek("fc_2")
        outputs, inputs = self._read_integer(), self._read_integer()
        if outputs != DIMENSION:
            raise self._broken()
        return self._read_tensor().reshape(inputs, outputs).copy()

    def _seek(self, layer: str) -> None:
        """Stand behind the next layer of that name: a packed length and the letters."""
        mark = bytes([1, len(layer)]) + layer.encode()
        found = self._data.find(mark, self._at)
        if found < 0:
            raise self._broken()
        self._at = found + len(mark)

    def _read_integer(self) -> int:
        """One byte with the sign (high bit) and the count, then so many little-endian bytes."""
        control = self._data[self._at]
        start, self._at = self._at + 1, self._at + 1 + (control & 0x0F)
        size = int.from_bytes(self._data[start : self._at], "little")
        return -size if control & 0x80 else size

    def _read_tensor(self) -> NDArray[np.float32]:
        version, *shape = (self._read_integer() for _ in range(5))
        count = math.prod(shape)
        if version != 2 or not 0 < 4 * count <= len(self._data) - self._at:
            raise self._broken()
        values = np.frombuffer(self._data, "<f4", count, self._at)
        self._at += 4 * count
        return values.astype(np.float32).reshape(shape)

    def _broken(self) -> ValueError:
        return ValueError(f"{self._path} is not dlib's face net; reinstall face_recognition_models")
