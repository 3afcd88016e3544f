"""Embeddings as bytes and as rows of a matrix: raw little-endian float32, unit length."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_STORED = np.dtype("<f4")
_NORM_TOLERANCE = 1e-3


class BadVector(ValueError):
    """An embedding that may not be stored or searched."""


def encode_vector(vector: NDArray[np.floating]) -> bytes:
    """One embedding (d,) as 4 * d bytes; raise BadVector for any other shape."""
    if vector.ndim != 1:
        raise BadVector(f"expected one vector, got shape {vector.shape}")
    return np.ascontiguousarray(vector, dtype=_STORED).tobytes()


def decode_vector(data: bytes, dimension: int) -> NDArray[np.float32]:
    """The embedding (dimension,) of those bytes; raise BadVector if the length does not fit."""
    if len(data) != dimension * _STORED.itemsize:
        raise BadVector(f"expected {dimension * _STORED.itemsize} bytes for {dimension}-D, got {len(data)}")
    return np.frombuffer(data, dtype=_STORED).astype(np.float32)


def normalize(matrix: NDArray[np.floating]) -> NDArray[np.float32]:
    """The rows (n, d), or the one vector (d,), at unit length; raise BadVector for a zero or non-finite one."""
    wide = np.asarray(matrix, dtype=np.float64)
    norms = np.linalg.norm(wide, axis=-1, keepdims=True)
    if not np.isfinite(norms).all() or (norms == 0).any():
        raise BadVector("a zero or non-finite vector has no direction")
    unit: NDArray[np.float32] = (wide / norms).astype(np.float32)
    return unit


def check_vectors(matrix: NDArray[np.floating], dimension: int) -> None:
    """Raise BadVector unless (n, dimension), finite, and each row within 0.001 of unit length; n may be 0."""
    if matrix.ndim != 2 or matrix.shape[1] != dimension:
        raise BadVector(f"expected shape (n, {dimension}), got {matrix.shape}")
    if not np.isfinite(matrix).all():
        raise BadVector("a vector holds NaN or infinity")
    norms = np.linalg.norm(matrix.astype(np.float64), axis=1)
    if (np.abs(norms - 1) > _NORM_TOLERANCE).any():
        raise BadVector("a vector is not of unit length")
