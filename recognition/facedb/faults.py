"""What is wrong with a store or one file of it, in words that say what to do."""

from __future__ import annotations

from dataclasses import dataclass


class StoreRefused(Exception):
    """The folder as a whole is no store that can be read; the message says what to do."""


class FileRefused(Exception):
    """One file of the store is not taken; the rest goes on. `code` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One thing of the store that was not taken, or not whole."""

    what: str
    code: str
    message: str
