"""Named faces in an XMP packet: regions of the Metadata Working Group, and Microsoft's older People tags."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from recognition.exports.xmp import AREA, DIMENSIONS, MWG, RDF, PacketRefused, feed_packet
from recognition.text import clean_name

# Nobody draws more boxes into one photo by hand.
MAX_REGIONS = 200
NAME_LENGTH = 120
_MICROSOFT = "http://ns.microsoft.com/photo/1.2/"
_MICROSOFT_INFO = f"{_MICROSOFT}t/RegionInfo#"
_MICROSOFT_REGION = f"{_MICROSOFT}t/Region#"
_ROOTS = {f"{MWG} Regions", f"{_MICROSOFT} RegionInfo"}
_LISTS = {f"{RDF} Bag", f"{RDF} Seq", f"{RDF} Alt"}
_DESCRIPTION, _ITEM = f"{RDF} Description", f"{RDF} li"
_MAX_DEPTH = 100
_MAX_NODES = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRegion:
    """A named face: its corner and size as shares of the picture that it was drawn on, `applied` pixels if that is told."""

    name: str
    left: float
    top: float
    width: float
    height: float
    applied: tuple[float, float] | None = None


@dataclass(slots=True)
class _Node:
    name: str
    attributes: dict[str, str]
    children: list[_Node] = field(default_factory=list)
    text: str = ""


def parse_regions(packet: bytes) -> list[ReadRegion]:
    """The faces with a name, as many as are taken of one photo. Raises PacketRefused."""
    found: list[ReadRegion] = []
    for root in _read_roots(packet):
        regions = _read_standard(root) if root.name == f"{MWG} Regions" else _read_microsoft(root)
        for region in regions:
            if len(found) == MAX_REGIONS:
                return found
            found.append(region)
    return found


def _read_standard(root: _Node) -> Iterator[ReadRegion]:
    fields = _fields(root)
    applied = _applied(_fields(fields.get(f"{MWG} AppliedToDimensions")))
    for item in _items(fields.get(f"{MWG} RegionList")):
        region = _fields(item)
        if _text(region.get(f"{MWG} Type")).casefold() not in {"", "face"}:
            continue
        area = _fields(region.get(f"{MWG} Area"))
        if _text(area.get(f"{AREA} unit")).casefold() not in {"", "normalized"}:
            continue
        x, y, width, height = (_number(_text(area.get(f"{AREA} {side}"))) for side in "xywh")
        # The standard gives the middle.
        yield from _make(
            _text(region.get(f"{MWG} Name")), x - width / 2, y - height / 2, width, height, applied
        )


def _read_microsoft(root: _Node) -> Iterator[ReadRegion]:
    for item in _items(_fields(root).get(f"{_MICROSOFT_INFO} Regions")):
        region = _fields(item)
        sides = [_number(part) for part in _text(region.get(f"{_MICROSOFT_REGION} Rectangle")).split(",")]
        if len(sides) == 4:
            name = _text(region.get(f"{_MICROSOFT_REGION} PersonDisplayName"))
            yield from _make(name, sides[0], sides[1], sides[2], sides[3], None)


def _make(
    name: str, left: float, top: float, width: float, height: float, applied: tuple[float, float] | None
) -> Iterator[ReadRegion]:
    """One region, or none: without a name, or nowhere on the picture."""
    cleaned = clean_name(name[: 10 * NAME_LENGTH])[:NAME_LENGTH].strip()
    inside = 0 < width <= 1 and 0 < height <= 1 and -width < left < 1 and -height < top < 1
    if cleaned and inside:
        yield ReadRegion(name=cleaned, left=left, top=top, width=width, height=height, applied=applied)


def _applied(fields: dict[str, _Node | str]) -> tuple[float, float] | None:
    width, height = (_number(_text(fields.get(f"{DIMENSIONS} {side}"))) for side in "wh")
    return (width, height) if width > 0 and height > 0 else None


def _number(text: str) -> float:
    """NaN where it is none: every comparison with it is false."""
    try:
        number = float(text)
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def _fields(value: _Node | str | None) -> dict[str, _Node | str]:
    """The properties of a resource, however RDF spells them: attributes, elements, or a description within."""
    if value is None or isinstance(value, str):
        return {}
    found: dict[str, _Node | str] = {
        name: text for name, text in value.attributes.items() if not name.startswith(f"{RDF} ")
    }
    for child in value.children:
        if child.name == _DESCRIPTION:
            found |= _fields(child)
        else:
            found.setdefault(child.name, child)
    return found


def _items(value: _Node | str | None) -> list[_Node]:
    if value is None or isinstance(value, str):
        return []
    lists = [child for child in value.children if child.name in _LISTS]
    return [item for one in lists for item in one.children if item.name == _ITEM]


def _text(value: _Node | str | None) -> str:
    return (value if isinstance(value, str) else value.text if value is not None else "").strip()


def _read_roots(packet: bytes) -> list[_Node]:
    """The elements that hold regions with all that is in them; of the rest of the packet nothing is kept."""
    roots: list[_Node] = []
    path: list[_Node] = []
    depth = nodes = 0
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    parser.buffer_text = True

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, nodes
        depth += 1
        if depth > _MAX_DEPTH:
            raise PacketRefused("too deep")
        if not path and name not in _ROOTS:
            return
        nodes += 1
        if nodes > _MAX_NODES:
            raise PacketRefused("too many parts")
        node = _Node(name, attributes)
        (path[-1].children if path else roots).append(node)
        path.append(node)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        if path:
            path.pop()

    def characters(data: str) -> None:
        if path and len(path[-1].text) < 10 * NAME_LENGTH:
            path[-1].text += data

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = characters
    try:
        feed_packet(parser, packet)
    finally:
        # Parser and handlers hold each other: thousands of photos would wait for the garbage collector.
        parser.StartElementHandler = parser.EndElementHandler = parser.CharacterDataHandler = None
    return roots
