"""The OpenAPI schema as a page shows it: groups of operations, their parameters and bodies, and the shapes they name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from drf_spectacular.generators import SchemaGenerator

Schema = Mapping[str, Any]
_CODE = re.compile(r"`([^`]+)`")
_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A type in words; `shape` is what it consists of, if that has a name."""

    words: str
    shape: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    name: str
    place: str
    kind: Kind
    required: bool
    about: SafeString
    default: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: str
    media: str
    kind: Kind | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    name: str
    method: str
    path: str
    summary: str
    about: list[SafeString]
    scope: str
    roles: list[str]
    parameters: list[Field]
    media: str
    body: list[Field]
    answers: list[Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    name: str
    about: SafeString
    fields: list[Field]
    choices: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    groups: list[tuple[str, list[Operation]]]
    shapes: list[Shape]


@cache
def read_schema() -> dict[str, Any]:
    """The schema of this code, made once in each process."""
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema


@cache
def read_reference() -> Reference:
    schema = read_schema()
    shapes = schema["components"]["schemas"]
    groups: dict[str, list[Operation]] = {}
    for path, methods in schema["paths"].items():
        for method in _METHODS:
            if method in methods:
                operation = _operation(path, method, methods[method], shapes)
                groups.setdefault(methods[method]["tags"][0], []).append(operation)
    # Bodies of requests are shown with their operations.
    shown = [_shape(name, shape, shapes) for name, shape in shapes.items() if not name.endswith("Request")]
    return Reference(groups=list(groups.items()), shapes=shown)


def _operation(path: str, method: str, stated: Schema, shapes: Schema) -> Operation:
    *about, _ = stated["description"].split("\n\n")
    contents: Schema = stated.get("requestBody", {}).get("content", {})
    media = next(iter(contents), "")
    body: Schema = contents.get(media, {})
    return Operation(
        name=stated["operationId"],
        method=method.upper(),
        path=path,
        summary=stated["summary"],
        about=[_with_code(paragraph) for paragraph in about],
        scope=stated["x-scope"],
        roles=list(stated["x-roles"]),
        parameters=[_parameter(one, shapes) for one in stated.get("parameters", [])],
        media=media,
        body=_fields(_resolved(body.get("schema", {}), shapes), shapes),
        answers=list(_answers(stated["responses"])),
    )


def _answers(stated: Schema) -> Iterator[Answer]:
    for status, answer in stated.items():
        media, content = next(iter(answer.get("content", {}).items()), ("", None))
        kind = _kind(content["schema"], {}) if content is not None else None
        yield Answer(status="error" if status == "default" else status, media=media, kind=kind)


def _parameter(stated: Schema, shapes: Schema) -> Field:
    return _field(
        stated["name"],
        {**stated["schema"], "description": stated.get("description", "")},
        shapes,
        place=stated["in"],
        required=stated.get("required", False),
    )


def _shape(name: str, stated: Schema, shapes: Schema) -> Shape:
    return Shape(
        name=name,
        about=_with_code(stated.get("description", "")),
        fields=_fields(stated, shapes),
        choices=[str(choice) for choice in stated.get("enum", [])],
    )


def _fields(stated: Schema, shapes: Schema) -> list[Field]:
    required = set(stated.get("required", []))
    return [
        _field(name, inner, shapes, required=name in required)
        for name, inner in stated.get("properties", {}).items()
    ]


def _field(name: str, stated: Schema, shapes: Schema, *, required: bool, place: str = "") -> Field:
    default = stated.get("default")
    return Field(
        name=name,
        place=place,
        kind=_kind(stated, shapes),
        required=required,
        about=_with_code(stated.get("description", "")),
        default="" if default in (None, "") else str(default).lower(),
    )


def _kind(stated: Schema, shapes: Schema) -> Kind:
    """In words: "integer, 1 or more", "text or null", "list of EventRow"."""
    if "$ref" in stated:
        name = stated["$ref"].rsplit("/", 1)[1]
        return Kind(words=name, shape=name)
    for several in ("oneOf", "allOf", "anyOf"):
        if several in stated:
            kinds = [_kind(one, shapes) for one in stated[several]]
            shape = next((kind.shape for kind in kinds if kind.shape), "")
            return Kind(words=" or ".join(kind.words for kind in kinds), shape=shape)
    types = stated.get("type", "any")
    names = [types] if isinstance(types, str) else list(types)
    if "array" in names:
        inner = _kind(stated.get("items", {}), shapes)
        return Kind(words=f"list of {inner.words}", shape=inner.shape)
    if "enum" in stated:
        return Kind(words=" | ".join(str(choice) for choice in stated["enum"] if choice is not None))
    words = [
        _WORDS.get(stated.get("format", "")) or _WORDS.get(name, name) for name in names if name != "null"
    ]
    if "null" in names:
        words.append("null")
    return Kind(words=" or ".join(dict.fromkeys(words)) + _bounds(stated))


def _bounds(stated: Schema) -> str:
    least, most = stated.get("minimum"), stated.get("maximum")
    if least is not None and most is not None:
        return f", {least} to {most}"
    if least is not None:
        return f", {least} or more"
    return f", at most {stated['maxLength']} characters" if "maxLength" in stated else ""


def _resolved(stated: Schema, shapes: Schema) -> Schema:
    if "$ref" not in stated:
        return stated
    found: Schema = shapes[stated["$ref"].rsplit("/", 1)[1]]
    return found


def _with_code(text: str) -> SafeString:
    """Words between backticks as code; everything else as it is."""
    pieces = _CODE.split(" ".join(text.split()))
    return format_html_join(
        "",
        "{}",
        (
            (format_html("<code>{}</code>", piece) if number % 2 else piece,)
            for number, piece in enumerate(pieces)
        ),
    )


_WORDS = {
    "string": "text",
    "uuid": "UUID",
    "date-time": "time (ISO 8601)",
    "date": "date (ISO 8601)",
    "uri-reference": "address",
    "binary": "file",
    "integer": "integer",
    "number": "number",
    "double": "number",
    "boolean": "true or false",
}
