"""File names inside a ZIP: safe to unpack on any system, and never the same twice."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

LIST = "list.csv"
MISSING = "missing.txt"
WITHOUT_NAMES = "without-names.txt"

# What Windows does not take in a name, and what spreadsheets and shells would take for more than a name at its beginning.
_FORBIDDEN = dict.fromkeys(map(ord, '/\\:*?"<>|'), "_")
_LEADING = "=+-@~. "
_DEVICES = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{number}" for port in ("com", "lpt") for number in range(10)),
}
# File systems count 255 bytes, some programs count the whole path.
_MAX_BYTES = 150


class EntryNames:
    """Gives each entry of one ZIP a path of its own; upper and lower case are the same name on many systems."""

    def __init__(self) -> None:
        self._taken = {LIST, MISSING, WITHOUT_NAMES}
        self._last: dict[str, int] = {}

    def take(self, name: str, *, folder: str = "") -> str:
        """The path of a cleaned name, with " (2)" and so on where it is taken; `folder` is empty or ends with a slash."""
        # Cameras begin at 0001 again and again: counting on from the last number keeps thousands of equal names quick.
        wanted = _key(folder + name)
        number = self._last.get(wanted, 0) + 1
        while _key(path := folder + _numbered(name, number)) in self._taken:
            number += 1
        self._last[wanted] = number
        self._taken.add(_key(path))
        return path


def clean_entry(name: str) -> str:
    """One part of a path: no separators, no control characters, nothing that a system gives a meaning."""
    plain = "".join("_" if unicodedata.category(char)[0] == "C" else char for char in name)
    plain = unicodedata.normalize("NFC", plain).translate(_FORBIDDEN).rstrip(". ")
    if not plain:
        return "unnamed"
    if plain[0] in _LEADING or plain.split(".")[0].casefold() in _DEVICES:
        plain = "_" + plain
    return _shorten(plain)


def _numbered(name: str, number: int) -> str:
    if number == 1:
        return name
    path = PurePosixPath(name)
    return f"{path.stem} ({number}){path.suffix}"


def _shorten(name: str) -> str:
    """At most _MAX_BYTES of UTF-8, cut before the suffix."""
    if len(name.encode()) <= _MAX_BYTES:
        return name
    suffix = PurePosixPath(name).suffix
    suffix = suffix if len(suffix.encode()) <= 10 else ""
    room = _MAX_BYTES - len(suffix.encode())
    return name.removesuffix(suffix).encode()[:room].decode(errors="ignore").rstrip(". ") + suffix


def _key(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()
