"""The store's `faiss_index.bin`: written by that program's rule, and read only in a process of its own.

`python -m recognition.facedb.index_file FILE OUT` is that process. Reading such a file is native code that trusts it, so
it has little memory and little time, and nothing but its vectors comes back.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

INDEX_NAME = "faiss_index.bin"
MAPPING_NAME = "faiss_mapping.json"
MAX_BYTES = 2 * 1024**3
# The program's own rule: from so many vectors on it searches a few of the cells only.
IVF_FROM = 5000
_MAX_CELLS = 100
_PROBED = 10
_MEMORY = 3 * 1024**3
_SECONDS = 120


class IndexUnreadable(Exception):
    """The file is no index that this program's own version can have written; the message says why."""


def read_index(path: Path, *, scratch: Path) -> NDArray[np.float32]:
    """The vectors (n, d) in the order of the index. Raises IndexUnreadable, whatever the file does to its reader."""
    if path.stat().st_size > MAX_BYTES:
        raise IndexUnreadable(f"it is larger than {MAX_BYTES // 1024**3} GB")
    with TemporaryDirectory(dir=scratch) as folder:
        out = Path(folder) / "vectors.npy"
        environment = {
            name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ
        }
        environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        try:
            done = subprocess.run(  # noqa: S603 - our own module
                [sys.executable, "-m", __name__, str(path.resolve()), str(out)],
                cwd=Path(__file__).resolve().parents[2],
                env=environment,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise IndexUnreadable(f"reading it took longer than {_SECONDS} seconds") from error
        if done.returncode != 0:
            told = done.stderr.strip().splitlines()[-1:]
            raise IndexUnreadable(
                told[0][:200] if told and done.returncode == 1 else "reading it ended in a crash"
            )
        vectors: NDArray[np.float32] = np.load(out, allow_pickle=False)
        return vectors


def write_index(path: Path, vectors: NDArray[np.float32]) -> None:
    """An index of these rows (n, d): exact for few, with cells for many, both by inner product."""
    import faiss

    faiss.omp_set_num_threads(1)  # the same rows give the same file
    count, dimension = vectors.shape
    index: Any = faiss.IndexFlatIP(dimension)
    if count >= IVF_FROM:
        index = faiss.IndexIVFFlat(index, dimension, min(_MAX_CELLS, count // 10), faiss.METRIC_INNER_PRODUCT)
        index.train(vectors)
        index.nprobe = _PROBED
    index.add(vectors)
    faiss.write_index(index, str(path))


def _read_here(path: str, out: str) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import faiss

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY + 3 * Path(path).stat().st_size,) * 2)
    try:
        index = faiss.read_index(path)
    except RuntimeError as error:
        sys.exit(f"faiss does not read it ({str(error)[-120:]})")
    if isinstance(index, faiss.IndexIVFFlat):
        index.make_direct_map()
    elif not isinstance(index, faiss.IndexFlat):
        sys.exit(f"it is a {type(index).__name__}, neither IndexFlatIP nor IndexIVFFlat")
    np.save(out, index.reconstruct_n(0, index.ntotal), allow_pickle=False)


if __name__ == "__main__":
    _read_here(*sys.argv[1:])
