"""The crowd of the sample video, by the real nets: each walking person with a visible face is one entry."""

from __future__ import annotations

import io
from itertools import combinations

import pytest
from django.core.management import call_command

from recognition.active_embedder import ensure_active_embedder
from recognition.embedders import EmbedderChoice, get_embedder
from recognition.embedders.dlib_resnet import EMBEDDER_ID
from recognition.models import Embedding, Face, Photo, Track, UnlabeledFace, Video
from recognition.vectors import decode_vector
from tests.photos import PHOTOS, needs_photos

VIDEO = PHOTOS / "video.mp4"
# Seen by eye in every fifth frame: from when to when each face can be seen, in milliseconds. Others walk with their back to
# the camera, or turn no more than a profile to it for a moment.
PEOPLE = {
    "the boy with the blue hood": (0, 4000),
    "the boy with red hair": (0, 3800),
    "the woman with white hair": (0, 3600),
    "the woman with the scarf, who runs past": (0, 1200),
    "the woman in the red coat, who looks aside": (0, 4000),
    "the man with grey hair": (0, 4000),
    "the woman with the telephone": (200, 4000),
    "the man with glasses": (2000, 4000),
}
_ABOUT_MS = 400

pytestmark = [pytest.mark.django_db(transaction=True), needs_photos]


@pytest.fixture
def real_nets() -> None:
    ensure_active_embedder(lambda: EmbedderChoice(embedder_id=EMBEDDER_ID, reason="It is bundled."))


def ingest(*options: str) -> str:
    out = io.StringIO()
    call_command("ingest_video", str(VIDEO), "--event", "Opera", *options, stdout=out, stderr=io.StringIO())
    return out.getvalue()


@pytest.mark.slow
@pytest.mark.usefixtures("real_nets")
def test_each_walking_person_is_one_entry_and_the_file_again_changes_nothing() -> None:
    said = ingest()
    assert f"21 frames looked at; {len(PEOPLE)} appearances" in said
    tracks = list(Track.objects.select_related("face__photo"))
    assert UnlabeledFace.objects.open().count() == Face.objects.count() == len(tracks) == len(PEOPLE)
    vectors = [
        decode_vector(bytes(one.vector), get_embedder(one.embedder_id).dimension)
        for one in Embedding.objects.with_vectors().order_by("face")
    ]
    # No two entries are of one person.
    assert max(float(one @ other) for one, other in combinations(vectors, 2)) < 0.5
    for who, (first, last) in PEOPLE.items():
        near = [
            track
            for track in tracks
            if abs(track.first_ms - first) <= _ABOUT_MS and abs(track.last_ms - last) <= _ABOUT_MS
        ]
        assert near, who
        tracks.remove(min(near, key=lambda track: abs(track.first_ms - first) + abs(track.last_ms - last)))
    before = list(Track.objects.values()), list(Photo.objects.values()), list(Video.objects.values())
    assert "is in the event already" in ingest()
    assert (
        list(Track.objects.values()),
        list(Photo.objects.values()),
        list(Video.objects.values()),
    ) == before
