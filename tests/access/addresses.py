"""Every address of the site but the admin's, from the resolver itself, and how to fill its parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from django.urls import URLPattern, URLResolver, get_resolver

from tests.access.table import TABLE

# Files, streams and the API's own files: they read one row, or as many as they hand out.
_NOT_PAGES = ("preview", "thumb", "crop", "file", "zip", "csv", "original", "schema", "plot")


class Filler(Protocol):
    def fill(self, parameter: str) -> Any: ...


@dataclass(frozen=True)
class Address:
    name: str
    view: Any
    parameters: tuple[str, ...]
    route: str

    def path(self, side: Filler) -> str:
        path = self.route
        for parameter in self.parameters:
            kind = next(
                part.split(">")[0]
                for part in path.split("<")[1:]
                if part.split(">")[0].split(":")[-1] == parameter
            )
            path = path.replace(f"<{kind}>", str(side.fill(parameter)))
        return path


def walk(
    patterns: list[URLPattern | URLResolver], prefix: str = "/", parameters: tuple[str, ...] = ()
) -> Iterator[Address]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                yield from walk(
                    pattern.url_patterns,
                    prefix + str(pattern.pattern),
                    (*parameters, *pattern.pattern.converters),
                )
        else:
            route = prefix + str(pattern.pattern)
            yield Address(
                pattern.name or route, pattern.callback, (*parameters, *pattern.pattern.converters), route
            )


ALL = list(walk(get_resolver().url_patterns))
PAGES = [
    address
    for address in ALL
    if address.name in TABLE
    and TABLE[address.name].get is not None
    and not any(word in address.name for word in _NOT_PAGES)
]
