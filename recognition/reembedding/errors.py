"""Why a change of the embedder was not begun, went no further, or was not switched."""

from __future__ import annotations


class ReembeddingRefused(Exception):
    """Nothing was changed; the message says why and what to do."""


class ReembeddingBusy(ReembeddingRefused):
    """Another process works on it at this moment."""

    def __init__(self) -> None:
        super().__init__("Another process works on this change at this moment. Look again in a minute.")


class ReembeddingLost(Exception):
    """It was given up, or taken over by another process; nothing of this one's may be written."""

    def __init__(self) -> None:
        super().__init__("The change was given up, or another process has taken it over.")
