"""Sample photos for tests: used in place, never copied into the repository."""

from pathlib import Path

import pytest

PHOTOS = Path(__file__).resolve().parents[2] / "shared" / "photos"
# Five people: photos to name, by folder, and photos on which they are to be recognized.
TRAIN, TEST = PHOTOS / "knn" / "train", PHOTOS / "knn" / "test"
NAMES = {
    "alex_lacamoire": "Alex Lacamoire",
    "biden": "Joe Biden",
    "kit_harington": "Kit Harington",
    "obama": "Barack Obama",
    "rose_leslie": "Rose Leslie",
}

needs_photos = pytest.mark.skipif(not PHOTOS.is_dir(), reason=f"no sample photos in {PHOTOS}")
