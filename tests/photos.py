"""Sample photos for tests: used in place, never copied into the repository."""

from pathlib import Path

import pytest

PHOTOS = Path(__file__).resolve().parents[2] / "shared" / "photos"

needs_photos = pytest.mark.skipif(not PHOTOS.is_dir(), reason=f"no sample photos in {PHOTOS}")
