"""Folding of names for comparison: case, accents, spaces, hyphens and apostrophes do not count."""

import unicodedata

_APOSTROPHES = "'’‘‛′ʹʻʼ´`＇"  # noqa: RUF001 - what keyboards and phones put into O'Brien
# Letters that Unicode does not decompose but that people type without.
_PLAIN = str.maketrans(
    {"ß": "ss", "ø": "o", "đ": "d", "ł": "l", "æ": "ae", "œ": "oe", "\u0131": "i", "þ": "th", "ð": "d"}
    | dict.fromkeys(_APOSTROPHES, "")
)


def fold(text: str) -> str:
    """ "  Zoë  ØRSTED-O'Brien " -> "zoe orsted obrien": a hyphen is a space, an apostrophe nothing."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    plain = "".join(
        " " if unicodedata.category(char) == "Pd" else char
        for char in decomposed
        if not unicodedata.combining(char)
    )
    return " ".join(plain.split())


def clean_name(text: str) -> str:
    """A name as it is stored: NFC, no control or direction-override characters, single spaces."""
    normal = unicodedata.normalize("NFC", text)
    return " ".join("".join(char if unicodedata.category(char)[0] != "C" else " " for char in normal).split())
