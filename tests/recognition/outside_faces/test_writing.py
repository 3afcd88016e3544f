"""Faces of another program as photos, faces, names and queue entries here."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User

from recognition.embedders import get_embedder
from recognition.exports.selection import ExportScope, select_photos, select_sightings
from recognition.models import Embedding, Face, ImportedFace, Person, Photo, Sighting, UnlabeledFace
from recognition.outside_faces import ImportEventGone, OutsidePhoto, Written, write_outside_photos
from recognition.photos.removal import remove_photos
from recognition.redetection import photos_to_redetect, redetect_photo
from recognition.reembedding import forget_embeddings
from recognition.reembedding.missing import count_embedded, missing_faces, photos_with_missing
from recognition.search import find_top_k
from recognition.storage import crop_path, original_path, preview_path, thumb_path
from recognition.uploads.adding import add_photo
from recognition.vectors import encode_vector
from tests.factories import make_event, make_photo, unit_vectors
from tests.fakes import DIMENSION, EMBEDDER_ID, draw_photo, vector_of
from tests.recognition.outside_faces.making import (
    IMPORTED_ID,
    box_at,
    crop_of,
    make_import,
    outside_face,
    outside_photo,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("drawn_faces")]


def write(*photos: OutsidePhoto, face_import=None, embed: bool = False) -> Written:  # type: ignore[no-untyped-def]
    return write_outside_photos(
        face_import=face_import or make_import(),
        photos=photos,
        embedder=get_embedder(EMBEDDER_ID) if embed else None,
    )


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss")


@pytest.fixture
def photo_file(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(draw_photo("red", "green"))
    return path


def test_faces_without_pixels_get_a_stand_in_and_wait_in_the_queue() -> None:
    done = write(outside_photo(outside_face(0, box=box_at(20)), outside_face(1, box=box_at(100))))
    assert (done.added, done.queued, done.named, done.stand_ins) == (2, 2, 0, 1)
    photo = Photo.objects.get()
    assert (photo.origin, photo.state, photo.format) == ("stand_in", "done", "PNG")
    for path in (original_path(photo.sha256, "PNG"), preview_path(photo), thumb_path(photo)):
        assert path.is_file()
    assert all(crop_path(face).is_file() for face in Face.objects.all())
    assert UnlabeledFace.objects.open().count() == 2


def test_a_vector_keeps_its_bits() -> None:
    vector = unit_vectors(1, 12, seed=5)[0] * np.float32(1.0004)
    write(outside_photo(outside_face(0, vectors={IMPORTED_ID: vector})))
    assert bytes(Embedding.objects.with_vectors().get().vector) == encode_vector(vector)


def test_a_second_run_writes_nothing() -> None:
    face_import, photo = make_import(), outside_photo(outside_face(0), outside_face(1))
    write(photo, face_import=face_import)
    again = write(photo, face_import=face_import)
    assert again == Written(known=2, refused=[])
    assert (Photo.objects.count(), Face.objects.count()) == (1, 2)
    face_import.refresh_from_db()
    assert face_import.faces_done == 2


def test_a_photo_that_is_there_gets_the_faces_that_are_missing(photo_file: Path) -> None:
    face_import = make_import()
    one, two = outside_face(0, box=box_at(20)), outside_face(1, box=box_at(300))
    write(outside_photo(one, path=photo_file), face_import=face_import)
    done = write(outside_photo(one, two, path=photo_file), face_import=face_import)
    assert (done.added, done.known, Photo.objects.count(), Face.objects.count()) == (1, 1, 1, 2)


def test_two_rows_of_the_very_same_box_are_two_faces() -> None:
    done = write(outside_photo(outside_face(0, box=box_at(20)), outside_face(1, box=box_at(20))))
    assert (done.added, Face.objects.count()) == (2, 2)


def test_a_box_off_the_photo_is_refused_and_the_others_are_taken() -> None:
    done = write(outside_photo(outside_face(0, box=box_at(-300)), outside_face(1, box=box_at(20))))
    assert [(one.external_id, one.code) for one in done.refused] == [("face-0", "box_outside")]
    assert done.added == 1


def test_the_photos_own_file_is_kept_and_not_looked_at_again(photo_file: Path) -> None:
    done = write(outside_photo(outside_face(0, box=box_at(20)), name="a.png", path=photo_file))
    photo = Photo.objects.get()
    assert (done.photos, photo.origin, photo.state, photo.format) == (1, "uploaded", "done", "PNG")
    assert original_path(photo.sha256, "PNG").read_bytes() == photo_file.read_bytes()
    assert Face.objects.get().sharpness >= 0


def test_a_file_that_is_no_photo_is_refused_with_its_faces(tmp_path: Path) -> None:
    path = tmp_path / "no.jpg"
    path.write_bytes(b"no photo")
    done = write(outside_photo(outside_face(0, box=box_at(20)), path=path), outside_photo(outside_face(1)))
    assert [one.external_id for one in done.refused] == ["face-0"]
    assert done.added == 1


def test_a_photo_that_waits_for_the_worker_is_refused(photo_file: Path) -> None:
    face_import = make_import()
    with photo_file.open("rb") as file:
        add_photo(event=face_import.event, file=file, name="a.png")
    done = write(outside_photo(outside_face(0, box=box_at(20)), path=photo_file), face_import=face_import)
    assert [one.code for one in done.refused] == ["photo_waiting"]
    assert not Face.objects.exists()


def test_a_face_that_was_found_here_too_stays_one_face(photo_file: Path) -> None:
    from recognition.ingest import process_next_photo

    face_import = make_import()
    with photo_file.open("rb") as file:
        add_photo(event=face_import.event, file=file, name="a.png")
    process_next_photo()
    theirs = unit_vectors(1, DIMENSION, seed=9)[0]
    face = outside_face(0, box=box_at(22), vectors={EMBEDDER_ID: theirs, IMPORTED_ID: unit_vectors(1, 12)[0]})
    done = write(outside_photo(face, path=photo_file), face_import=face_import)
    assert (done.added, done.queued, Face.objects.count(), UnlabeledFace.objects.count()) == (1, 0, 2, 2)
    details = ImportedFace.objects.get().details
    assert base64.b64decode(details["vectors"][EMBEDDER_ID]) == encode_vector(theirs)
    assert set(ImportedFace.objects.get().face.embeddings.values_list("embedder_id", flat=True)) == {
        EMBEDDER_ID,
        IMPORTED_ID,
    }


def test_a_face_that_their_people_named_answers_searches_of_their_vectors() -> None:
    person, vector = Person.objects.create(name="Ada"), unit_vectors(1, 12, seed=3)[0]
    face = outside_face(0, vectors={IMPORTED_ID: vector}, person_pk=person.pk, is_reference=True)
    done = write(outside_photo(face))
    sighting = Sighting.objects.get()
    assert (done.named, sighting.decided_by, sighting.is_reference) == (1, "human", True)
    assert not UnlabeledFace.objects.exists()
    [score] = find_top_k(vector, embedder_id=IMPORTED_ID)
    assert score.person_id == person.pk
    assert score.similarity == pytest.approx(1)


def test_a_face_with_a_vector_of_the_active_embedder_is_named_as_any_other() -> None:
    person = Person.objects.create(name="Ada")
    known = outside_face(0, vectors={EMBEDDER_ID: vector_of("red")}, person_pk=person.pk, is_reference=True)
    face_import = make_import()
    write(outside_photo(known, name="a"), face_import=face_import)
    seen = [
        outside_face(1, vectors={EMBEDDER_ID: vector_of("red")}, pixels=crop_of("red")),
        outside_face(2, vectors={EMBEDDER_ID: vector_of("blue")}, pixels=crop_of("blue")),
    ]
    done = write(outside_photo(*seen, name="b"), face_import=face_import)
    assert (done.named, done.queued) == (1, 1)
    sighting = Sighting.objects.get(face__imported__row=1)
    assert (sighting.person, sighting.decided_by, sighting.is_reference) == (person, "machine", False)


def test_vectors_of_another_embedder_name_nobody() -> None:
    person, vector = Person.objects.create(name="Ada"), unit_vectors(1, 12, seed=3)[0]
    face_import = make_import()
    known = outside_face(0, vectors={IMPORTED_ID: vector}, person_pk=person.pk, is_reference=True)
    write(outside_photo(known, name="a"), face_import=face_import)
    done = write(
        outside_photo(outside_face(1, vectors={IMPORTED_ID: vector}), name="b"), face_import=face_import
    )
    assert (done.named, done.queued) == (0, 1)


def test_crops_are_embedded_here_when_asked() -> None:
    write(outside_photo(outside_face(0, pixels=crop_of("green"), vectors={})), embed=True)
    row = Embedding.objects.with_vectors().get()
    assert row.embedder_id == EMBEDDER_ID
    assert bytes(row.vector) == encode_vector(vector_of("green"))


def test_a_crop_without_a_box_keeps_its_pixels_on_the_stand_in() -> None:
    from recognition.ingest import decode_original

    crop = np.random.default_rng(1).integers(0, 255, (60, 50, 3), dtype=np.uint8)
    write(outside_photo(outside_face(0, pixels=crop)))
    face = Face.objects.get()
    at = face.box.as_ints()
    assert np.array_equal(decode_original(face.photo)[at.top : at.bottom, at.left : at.right], crop)


def test_a_face_without_pixels_is_poor_and_one_with_a_good_crop_is_not() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (80, 80, 3), dtype=np.uint8)
    write(outside_photo(outside_face(0, box=box_at(20)), outside_face(1, box=box_at(120), pixels=noise)))
    faces = {face.imported.row: face for face in Face.objects.select_related("imported")}
    assert (faces[0].poor, faces[0].sharpness) == (True, 0)
    assert faces[1].sharpness > 0


def test_a_large_photo_keeps_the_size_of_its_faces() -> None:
    write(outside_photo(outside_face(0, box=box_at(7900, side=100))))
    face = Face.objects.get()
    assert (face.width, face.size) == (50, 100)
    assert ImportedFace.objects.get().details["scale"] == 0.5


def test_an_event_that_was_deleted_meanwhile_gets_nothing() -> None:
    from django.utils import timezone

    face_import = make_import()
    type(face_import.event).objects.update(deleted_at=timezone.now())
    with pytest.raises(ImportEventGone):
        write(outside_photo(outside_face(0)), face_import=face_import)
    assert not Photo.objects.exists()


def test_a_stand_in_is_not_looked_at_again_by_the_detector() -> None:
    write(outside_photo(outside_face(0)))
    plain = make_photo()
    assert list(photos_to_redetect(Photo.objects.all(), everything=True)) == [plain]


def test_detecting_anew_keeps_imported_faces_and_their_vectors(photo_file: Path) -> None:
    elsewhere, same = outside_face(0, box=box_at(400)), outside_face(1, box=box_at(24))
    write(outside_photo(elsewhere, same, path=photo_file))
    redetect_photo(Photo.objects.get())
    assert ImportedFace.objects.count() == 2
    assert Embedding.objects.filter(embedder_id=IMPORTED_ID).count() == 2


def test_forgetting_embeddings_keeps_those_that_came_from_outside() -> None:
    write(outside_photo(outside_face(0)))
    forget_embeddings()
    assert Embedding.objects.filter(embedder_id=IMPORTED_ID).count() == 1


def test_a_change_of_the_embedder_does_not_wait_for_silhouettes() -> None:
    write(
        outside_photo(outside_face(0), name="a"),
        outside_photo(outside_face(1, pixels=crop_of("red")), name="b"),
    )
    assert [face.imported.row for face in missing_faces("drawn-second")] == [1]
    assert photos_with_missing("drawn-second").count() == 1
    assert count_embedded("drawn-second") == (0, 1)


def test_an_export_of_originals_leaves_stand_ins_out(boss: User) -> None:
    person, event = Person.objects.create(name="Ada"), make_event()
    face_import = make_import(event)
    write(outside_photo(outside_face(0, person_pk=person.pk)), face_import=face_import)
    plain = make_photo(event)
    scope = ExportScope(event=event)
    assert list(select_photos(user=boss, scope=scope)) == [plain]
    assert not select_sightings(user=boss, scope=scope).exists()


def test_a_stand_in_goes_with_its_files() -> None:
    from django.db import transaction

    write(outside_photo(outside_face(0)))
    photo = Photo.objects.get()
    with transaction.atomic():
        remove_photos([photo.pk])
    assert not ImportedFace.objects.exists()
    assert not original_path(photo.sha256, "PNG").exists()


def test_the_desk_shows_a_face_of_which_nothing_can_be_compared(boss: User) -> None:
    from tests.conftest import signed_in

    write(outside_photo(outside_face(0), outside_face(1, pixels=crop_of("red"))))
    client = signed_in(boss)
    for face in Face.objects.all():
        assert client.get(f"/label/{face.face_id}/").status_code == 200


def test_the_page_says_that_it_is_no_photo(boss: User) -> None:
    from tests.conftest import signed_in

    write(outside_photo(outside_face(0)))
    page = signed_in(boss).get(f"/photos/{Photo.objects.get().pk}/").content.decode()
    assert "Drawn around faces that came without their photo." in page
