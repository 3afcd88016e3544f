"""Paths that a file names, which are anybody's: only regular files below a folder are found by them, never through a link."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath


def find_below(folders: Sequence[Path], text: str) -> Path | None:
    """The file of that path below one of these folders, else of its mere name there: most paths are another machine's."""
    if not text or "\x00" in text:
        return None
    path = PurePosixPath(text.replace("\\", "/"))
    parts = [part for part in path.parts if part not in ("/", ".")]
    if not parts or ".." in parts:
        return None
    for folder in folders:
        root = folder.resolve()
        for candidate in ([] if path.is_absolute() else [root.joinpath(*parts)]) + [root / parts[-1]]:
            if _is_plain(candidate, root):
                return candidate
    return None


def is_safe_name(text: str) -> bool:
    """Whether a file of that path may be written below a folder."""
    path = PurePosixPath(text)
    return (
        bool(text)
        and text.isprintable()
        and "\\" not in text
        and not path.is_absolute()
        and ".." not in path.parts
        and path.name not in ("", ".")
    )


def _is_plain(path: Path, root: Path) -> bool:
    try:
        return path.resolve(strict=True).is_relative_to(root) and path.is_file() and not _has_link(path, root)
    except (OSError, ValueError, RuntimeError):
        return False


def _has_link(path: Path, root: Path) -> bool:
    return any(one.is_symlink() for one in (path, *path.parents) if one != root and one.is_relative_to(root))
