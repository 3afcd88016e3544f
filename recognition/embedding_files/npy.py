"""A matrix of vectors in a .npy file, read and written row by row: it is never in memory as a whole, nor mapped."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recognition.embedding_files import BadFiles

_STORED = np.dtype("<f4")
_HEADER_AT_MOST = 64 * 1024
MAX_DIMENSION = 99_999


class NpyRows:
    """The rows of a file that was checked: (count, dimension) little-endian float32, as long as it says."""

    def __init__(self, path: Path) -> None:
        # Not a mapping: its pages would count as this process's memory, up to the whole file.
        self._file = path.open("rb")
        try:
            self.count, self.dimension = _read_header(self._file, path.name)
            self.offset = self._file.tell()
            expected = self.offset + self.count * self.row_bytes
            size = os.fstat(self._file.fileno()).st_size
            if size != expected:
                raise BadFiles(
                    f"{path.name} has {size:,} bytes and should have {expected:,} by its header: it was not written or "
                    "copied to its end. Make it again."
                )
            self._file.seek(0)
            self.header = self._file.read(self.offset)
        except BaseException:
            self._file.close()
            raise

    @property
    def row_bytes(self) -> int:
        return self.dimension * _STORED.itemsize

    def read(self, rows: Sequence[int]) -> NDArray[np.float32]:
        """These rows (n, dimension), in any order."""
        found = np.empty((len(rows), self.dimension), dtype=_STORED)
        for place, row in enumerate(rows):
            data = os.pread(self._file.fileno(), self.row_bytes, self.offset + row * self.row_bytes)
            found[place] = np.frombuffer(data, dtype=_STORED)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def make_header(count: int, dimension: int) -> bytes:
    """What `numpy.save` writes before that many rows."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": _STORED.str, "fortran_order": False, "shape": (count, dimension)}
    )
    return buffer.getvalue()


def _read_header(file: io.BufferedReader, name: str) -> tuple[int, int]:
    try:
        version = np.lib.format.read_magic(file)
        if version == (1, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(file, max_header_size=_HEADER_AT_MOST)
        elif version == (2, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_2_0(file, max_header_size=_HEADER_AT_MOST)
        else:
            raise BadFiles(f"{name} is of .npy version {version}. Save it anew with `numpy.save`.")
    except (ValueError, EOFError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise BadFiles(f"{name} is no .npy file. Save the vectors with `numpy.save`.") from error
    if dtype.hasobject:
        raise BadFiles(
            f"{name} holds pickled objects, which could run code here and are never read. Save it as a plain matrix: "
            '`numpy.save(name, numpy.stack(rows).astype("<f4"))`.'
        )
    if dtype != _STORED:
        raise BadFiles(
            f'{name} holds {dtype.str} and not float32. Save it with `numpy.save(name, vectors.astype("<f4"))`.'
        )
    if len(shape) != 2 or not 0 < shape[1] <= MAX_DIMENSION or fortran:
        order = " in column order" if fortran else ""
        raise BadFiles(
            f"{name} has the shape {shape}{order} and not (faces, dimension). Save it with "
            "`numpy.save(name, numpy.ascontiguousarray(vectors))`."
        )
    return int(shape[0]), int(shape[1])
