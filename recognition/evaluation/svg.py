"""A matplotlib figure as a small SVG that a strict policy lets through: attributes instead of styles, a title, real text."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_FONT = "system-ui, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif"
# Drawn for the page's own column; the picture scales with it.
_SETTINGS: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "facevault", "path.simplify": True}


def draw_svg(figure: Figure, *, title: str, description: str) -> str:
    """The figure's SVG; the same figure gives the same text."""
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context(_SETTINGS):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    # It was written by matplotlib a moment ago, from numbers alone.
    root = ET.fromstring(buffer.getvalue())  # noqa: S314
    _plain(root)
    root.set("role", "img")
    root.set("aria-label", title)
    root.set("stroke-linejoin", "round")
    for place, (tag, text) in enumerate((("title", title), ("desc", description))):
        child = ET.Element(f"{{{_SVG}}}{tag}")
        child.text = text
        root.insert(place, child)
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", _XLINK)
    return ET.tostring(root, encoding="unicode")


def _plain(element: ET.Element) -> None:
    for child in list(element):
        if child.tag in {f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"}:
            element.remove(child)
        else:
            _plain(child)
    style = element.attrib.pop("style", "")
    for declaration in filter(None, (part.strip() for part in style.split(";"))):
        name, _, value = declaration.partition(":")
        element.set(name.strip(), _FONT if name.strip() == "font-family" else value.strip())
    if "d" in element.attrib:
        element.set("d", " ".join(element.attrib["d"].split()))
    element.tail = None
    if element.text is not None and not element.text.strip():
        element.text = None
