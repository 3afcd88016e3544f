"""What the site's log handler would have written, in one of its formats."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Log:
    def __init__(self, formatter: logging.Formatter) -> None:
        self._stream = io.StringIO()
        self.handler = logging.StreamHandler(self._stream)
        self.handler.setFormatter(formatter)

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Of the JSON format."""
        return [json.loads(line) for line in self.text.splitlines()]

    def request(self) -> dict[str, Any]:
        """The only request that was logged, of the JSON format."""
        (line,) = [line for line in self.lines if line["logger"] == "facevault.request"]
        return line


@contextmanager
def capture_log(formatter: logging.Formatter) -> Iterator[Log]:
    log, root = Log(formatter), logging.getLogger()
    root.addHandler(log.handler)
    try:
        yield log
    finally:
        root.removeHandler(log.handler)
