"""The store's `.pt` files: torch tensors in, rows of float32 out, and back. Nothing in such a file is trusted."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from recognition.facedb.faults import FileRefused

Kind = Literal["list", "matrix", "vector"]
# 20,000 references of one person in 768 dimensions. A file says little about what it takes in memory, so all of it is
# bounded: the bytes, what they unpack to, the program that puts the tensors together, and the tensors.
MAX_BYTES = 64 * 1024 * 1024
_MAX_PROGRAM = 8 * 1024 * 1024
_MAX_ENTRIES = 50_000
_MAX_DIMENSION = 99_999  # as many digits as an embedder's id has room for


@dataclass(frozen=True, slots=True)
class StoredVectors:
    """The rows of one file, each (d,), finite or not; `kind` is how they were put together."""

    kind: Kind
    rows: list[NDArray[np.float32]]


def read_vectors(path: Path) -> StoredVectors:
    """A list of 1-D tensors, one 2-D tensor or one 1-D tensor. Raises FileRefused."""
    _check_file(path)
    import torch

    try:
        loaded: object = torch.load(path, map_location="cpu", weights_only=True)
    except (
        Exception
    ) as error:  # whatever an unpickler raises on a hostile file: none of it is ours to tell apart
        raise FileRefused(
            "unreadable",
            f"torch does not load it as plain tensors ({type(error).__name__}): it is damaged, or holds code or objects.",
        ) from error
    if isinstance(loaded, list | tuple):
        tensors, kind = list(loaded), "list"
    elif isinstance(loaded, torch.Tensor) and loaded.ndim == 1:
        tensors, kind = [loaded], "vector"
    elif isinstance(loaded, torch.Tensor) and loaded.ndim == 2:
        tensors, kind = [loaded], "matrix"
    else:
        raise FileRefused("no_vectors", "It holds neither vectors nor a list of them.")
    elements = 0
    for tensor in tensors:
        if not isinstance(tensor, torch.Tensor) or tensor.layout != torch.strided or tensor.is_meta:
            raise FileRefused("no_vectors", "It holds something beside plain tensors.")
        if not tensor.is_floating_point() or tensor.is_quantized:
            raise FileRefused("no_floats", f"Its numbers are {tensor.dtype}, no floating point numbers.")
        # A view that repeats one number may claim to have any size.
        elements += tensor.numel()
        if elements * 4 > MAX_BYTES:
            raise FileRefused("too_large", "Its tensors claim to be larger than the file may be.")
    rows: list[NDArray[np.float32]] = []
    for tensor in tensors:
        array: NDArray[np.float32] = tensor.detach().to(torch.float32).contiguous().numpy()
        if kind == "list" and array.ndim == 2 and array.shape[0] == 1:
            array = array[0]
        if array.ndim == (1 if kind != "matrix" else 2) and 0 < array.shape[-1] <= _MAX_DIMENSION:
            rows += [array] if array.ndim == 1 else list(array)
        else:
            raise FileRefused("wrong_shape", f"A tensor of shape {tuple(array.shape)} is no vector.")
    return StoredVectors("matrix" if kind == "matrix" else "vector" if kind == "vector" else "list", rows)


def write_vectors(path: Path, rows: NDArray[np.float32], *, kind: Kind) -> None:
    """The rows (n, d) as the store has them: a list of vectors, one matrix, or the only row as a vector."""
    import torch

    matrix = torch.from_numpy(np.array(rows, dtype=np.float32))
    if kind == "list":
        # Clones: a row of a matrix is saved with the whole of it.
        torch.save([row.clone() for row in matrix], path)
    else:
        torch.save(matrix if kind == "matrix" else matrix[0].clone(), path)


def _check_file(path: Path) -> None:
    """Its size, and that nothing in it is packed: what torch writes is stored as it is."""
    if path.stat().st_size > MAX_BYTES:
        raise FileRefused("too_large", f"It is larger than {MAX_BYTES // 1024 // 1024} MB.")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
        raise FileRefused(
            "unreadable",
            "It is no file of torch.save since torch 1.6: load it with an older torch and save it again.",
        ) from error
    if len(entries) > _MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise FileRefused("too_large", f"It unpacks to more than {MAX_BYTES // 1024 // 1024} MB.")
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise FileRefused("packed", "It is compressed, which torch.save never does.")
    if any(entry.filename.endswith(".pkl") and entry.file_size > _MAX_PROGRAM for entry in entries):
        raise FileRefused("too_large", "It is put together from more parts than a person can have.")
