"""An XMP packet with face regions (Metadata Working Group 2.0): a new one, or a camera's with ours put in.

Of a packet that is there every byte stays as it is, but for regions that another program wrote: two programs' boxes
over one face would be two names for it, and a copy must carry no name that was not asked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
MWG = "http://www.metadataworkinggroup.com/schemas/regions/"
DIMENSIONS = "http://ns.adobe.com/xap/1.0/sType/Dimensions#"
AREA = "http://ns.adobe.com/xmp/sType/Area#"
MAX_BYTES = 4 * 1024 * 1024
_EMPTY = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="FaceVault">
<rdf:RDF xmlns:rdf="{RDF}">
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>""".encode()
_RDF_END = re.compile(rb"</(?:[\w.-]{1,40}:)?RDF\s{0,10}>")
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class PacketRefused(Exception):
    """The packet is damaged, in another encoding, or more than XMP: it is left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A named face: its middle and its size, as shares of the stored picture's width and height."""

    name: str
    x: float
    y: float
    width: float
    height: float


def merge_regions(packet: bytes | None, regions: Sequence[Region], *, width: int, height: int) -> bytes:
    """The packet with these regions; `width` and `height` are the stored picture's pixels."""
    packet = packet or _EMPTY
    scan = _Scan(packet)
    cut = bytearray()
    start = 0
    for begin, end in [*scan.regions, (scan.rdf_end, scan.rdf_end)]:
        cut += packet[start:begin]
        start = end
    block = _describe(regions, about=scan.about, width=width, height=height)
    return bytes(cut) + block + _without_padding(packet[scan.rdf_end :])


def feed_packet(parser: expat.XMLParserType, packet: bytes) -> None:
    """Parse a whole packet that may be hostile. Raises PacketRefused."""
    if len(packet) > MAX_BYTES:
        raise PacketRefused("too large")
    parser.StartDoctypeDeclHandler = _refuse_doctype
    # Some writers end a packet with zeros.
    try:
        parser.Parse(packet.rstrip(b"\0"), True)  # noqa: FBT003
    except expat.ExpatError as error:
        raise PacketRefused(str(error)) from error
    finally:
        parser.StartDoctypeDeclHandler = None


def _refuse_doctype(*args: object) -> None:
    """A packet has no document type; one that has could define entities."""
    raise PacketRefused("document type")


def _without_padding(tail: bytes) -> bytes:
    """Programs leave room to edit a packet in place; a JPEG has little of it."""
    at = tail.rfind(b"<?xpacket end")
    return tail if at < 0 else tail[:at].rstrip() + b"\n" + tail[at:]


class _Scan:
    """Where things are in a packet, in bytes: what another program says of regions, and the end of its RDF."""

    def __init__(self, packet: bytes) -> None:
        self.regions: list[tuple[int, int]] = []
        self.rdf_end = -1
        self.about = ""
        self._open: int | None = None
        self._depth = 0
        self._waits = False
        self._parser = expat.ParserCreate("utf-8", namespace_separator=" ")
        self._parser.buffer_text = False
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        # The end of a tag is where the next thing begins, whatever that is.
        self._parser.DefaultHandler = self._other
        try:
            feed_packet(self._parser, packet)
        finally:
            self._forget()
        if self.rdf_end < 0 or not _RDF_END.match(packet, self.rdf_end):
            raise PacketRefused("no RDF")

    def _forget(self) -> None:
        """Parser and handlers hold each other: thousands of photos would wait for the garbage collector."""
        self._parser.DefaultHandler = None
        self._parser.StartElementHandler = self._parser.EndElementHandler = None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._finish()
        if self._open is not None:
            self._depth += 1
        elif name == f"{MWG} Regions":
            self._open, self._depth = self._parser.CurrentByteIndex, 0
        elif name == f"{RDF} Description" and not self.about:
            # All descriptions of a packet must be about the same thing.
            self.about = attributes.get(f"{RDF} about", "")

    def _end(self, name: str) -> None:
        self._finish()
        if self._open is not None:
            self._waits = self._depth == 0
            self._depth -= 1
        elif name == f"{RDF} RDF":
            self.rdf_end = self._parser.CurrentByteIndex

    def _other(self, data: str) -> None:
        self._finish()

    def _finish(self) -> None:
        if self._waits and self._open is not None:
            self.regions.append((self._open, self._parser.CurrentByteIndex))
            self._open, self._waits = None, False


def _describe(regions: Sequence[Region], *, about: str, width: int, height: int) -> bytes:
    """A description of its own, with all its prefixes: what the packet calls its namespaces does not matter."""
    prefixes = f'xmlns:rdf="{RDF}" xmlns:mwg-rs="{MWG}" xmlns:stDim="{DIMENSIONS}" xmlns:stArea="{AREA}"'
    lines = [
        f"<rdf:Description {prefixes} rdf:about={_quote(about)}>",
        '<mwg-rs:Regions rdf:parseType="Resource">',
        f'<mwg-rs:AppliedToDimensions stDim:w="{width}" stDim:h="{height}" stDim:unit="pixel"/>',
        "<mwg-rs:RegionList>",
        "<rdf:Bag>",
        *(
            f'<rdf:li><rdf:Description mwg-rs:Name={_quote(region.name)} mwg-rs:Type="Face">'
            f'<mwg-rs:Area stArea:x="{region.x:.6f}" stArea:y="{region.y:.6f}" stArea:w="{region.width:.6f}" '
            f'stArea:h="{region.height:.6f}" stArea:unit="normalized"/></rdf:Description></rdf:li>'
            for region in regions
        ),
        "</rdf:Bag>",
        "</mwg-rs:RegionList>",
        "</mwg-rs:Regions>",
        "</rdf:Description>",
        "",
    ]
    return "\n".join(lines).encode()


def _quote(text: str) -> str:
    return quoteattr(_NOT_IN_XML.sub("", text), {"\n": "&#10;", "\t": "&#9;", "\r": "&#13;"})
