"""Faces that other programs found, with or without their photos: drawn where pixels are missing, written as they came.

Whoever does not know which faces share a photo gives each a photo of its own: nobody is on a photo twice, so the machine
would name only one of them.
"""

from recognition.outside_faces.given import OutsideFace, OutsidePhoto, RefusedFace, Written
from recognition.outside_faces.writing import ImportEventGone, write_outside_photos

__all__ = [
    "ImportEventGone",
    "OutsideFace",
    "OutsidePhoto",
    "RefusedFace",
    "Written",
    "write_outside_photos",
]
