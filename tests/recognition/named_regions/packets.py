"""Packets of other programs as their files have them, with one or more named faces."""

from __future__ import annotations

_HEAD = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"
 xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#" xmlns:MP="http://ns.microsoft.com/photo/1.2/"
 xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#" xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#"
 xmlns:xmpNote="http://ns.adobe.com/xmp/note/"><rdf:Description rdf:about="">"""
_TAIL = '</rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end="w"?>'


def wrap(body: str) -> bytes:
    return (_HEAD + body + _TAIL).encode()


def as_elements(name: str, *, kind: str = "Face", x: str = "0.3", y: str = "0.4") -> str:
    """As Lightroom and digiKam write it: every property an element, resources by parseType."""
    return f"""<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:AppliedToDimensions rdf:parseType="Resource">
<stDim:w>200</stDim:w><stDim:h>100</stDim:h><stDim:unit>pixel</stDim:unit></mwg-rs:AppliedToDimensions>
<mwg-rs:RegionList><rdf:Bag><rdf:li rdf:parseType="Resource"><mwg-rs:Name>{name}</mwg-rs:Name><mwg-rs:Type>{kind}</mwg-rs:Type>
<mwg-rs:Area rdf:parseType="Resource"><stArea:x>{x}</stArea:x><stArea:y>{y}</stArea:y><stArea:w>0.2</stArea:w>
<stArea:h>0.4</stArea:h><stArea:unit>normalized</stArea:unit></mwg-rs:Area></rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"""


def as_attributes(*names: str, kind: str = 'mwg-rs:Type="Face"', unit: str = "normalized") -> str:
    """As Picasa and darktable write it: properties as attributes of descriptions. Each face right of the one before."""
    items = "".join(
        f'<rdf:li><rdf:Description mwg-rs:Name="{name}" {kind}><mwg-rs:Area stArea:x="{0.1 + place * 0.1:.3f}" '
        f'stArea:y="0.4" stArea:w="0.08" stArea:h="0.4" stArea:unit="{unit}"/></rdf:Description></rdf:li>'
        for place, name in enumerate(names)
    )
    return f"<mwg-rs:Regions><rdf:Description><mwg-rs:RegionList><rdf:Bag>{items}</rdf:Bag></mwg-rs:RegionList></rdf:Description></mwg-rs:Regions>"


def as_people_tag(name: str, rectangle: str = "0.2, 0.2, 0.2, 0.4") -> str:
    return f"""<MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag><rdf:li>
<rdf:Description MPReg:Rectangle="{rectangle}" MPReg:PersonDisplayName="{name}"/></rdf:li></rdf:Bag></MPRI:Regions></MP:RegionInfo>"""
