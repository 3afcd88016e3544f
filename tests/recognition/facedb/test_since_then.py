"""What was decided here since a store came in is in the store that goes out."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from PIL import Image

from labeling.decisions import label_face, record_verdict, undo_decision
from labeling.people.merging import merge_people
from recognition.events.deletion import delete_event, delete_next_batch
from recognition.ingest import process_next_photo
from recognition.models import Event, Face, FaceImport, ImportedFace, ImportedPerson, Person, UnlabeledFace
from recognition.people.edits import delete_person
from recognition.people.loading import load_people
from recognition.uploads.adding import add_photo
from tests.factories import make_event
from tests.fakes import COLORS, draw_photo, vector_of
from tests.recognition.facedb.building import Read, build_store, read_store

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("drawn_faces")]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = build_store(tmp_path / "store", people=3, each=2, waiting=3)
    call_command("import_facedb", str(folder), "--event", "Foyer", "--no-embed")
    return folder


def send_out(tmp_path: Path) -> Read:
    call_command("export_facedb", str(tmp_path / "back"), "--event", "Foyer")
    return read_store(tmp_path / "back")


def face_called(external_id: str) -> Face:
    return ImportedFace.objects.get(external_id=external_id).face


def person_called(number: int) -> Person:
    return ImportedPerson.objects.get(external_id=str(number)).person


def reviewed(read: Read) -> list[int]:
    return [row[-1] for row in read.entries]


def test_a_queue_face_that_was_named_is_reviewed_and_taught(
    store: Path, tmp_path: Path, labeler: User
) -> None:
    label_face(face=face_called("unlabeled 2"), actor=labeler, person=person_called(3))
    before, after = read_store(store), send_out(tmp_path)
    assert reviewed(after) == [0, 1, 0]
    assert len(after.vectors[3]) == 3
    [name] = [name for name in before.queue_vectors if name.endswith("_1.pt")]
    assert after.vectors[3][2].tobytes() == before.queue_vectors[name]
    assert after.crops == before.crops


def test_whoever_is_new_gets_a_number_of_their_own(store: Path, tmp_path: Path, labeler: User) -> None:
    label_face(face=face_called("unlabeled 1"), actor=labeler, name="Nora New")
    after = send_out(tmp_path)
    assert [(row[0], row[1]) for row in after.people][3:] == [(4, "Nora New")]
    assert len(after.vectors[4]) == 1


def test_a_verdict_without_a_name_is_a_review(store: Path, tmp_path: Path, labeler: User) -> None:
    record_verdict(face=face_called("unlabeled 3"), kind=UnlabeledFace.Verdict.STRANGER, actor=labeler)
    after = send_out(tmp_path)
    assert reviewed(after) == [0, 0, 1]
    assert {number: len(rows) for number, rows in after.vectors.items()} == {1: 2, 2: 2, 3: 2}


def test_a_label_that_was_undone_leaves_no_trace(store: Path, tmp_path: Path, labeler: User) -> None:
    decision = label_face(face=face_called("unlabeled 2"), actor=labeler, person=person_called(3))
    undo_decision(decision=decision, actor=labeler)
    before, after = read_store(store), send_out(tmp_path)
    assert after.entries == before.entries
    assert after.vectors.keys() == before.vectors.keys()


def test_a_new_name_goes_back(store: Path, tmp_path: Path) -> None:
    person = person_called(2)
    person.name = "Gwen"
    person.save()
    assert [row[1] for row in send_out(tmp_path).people] == ["Guest 1", "Gwen", "Guest 3"]


def test_two_who_were_one_share_references_and_visits(store: Path, tmp_path: Path, manager: User) -> None:
    merge_people(keep=person_called(1), other=person_called(3), actor=manager)
    after = send_out(tmp_path)
    assert [row[0] for row in after.people] == [1, 2]
    assert len(after.vectors[1]) == 4
    assert [row[1] for row in after.visits] == [1, 1, 2, 2, 1, 1]
    assert after.people[0][4] == 4


def test_a_deleted_event_takes_the_import_with_it(store: Path) -> None:
    delete_event(Event.objects.get(name="Foyer"))
    while delete_next_batch():
        pass
    assert not Event.objects.exists()
    assert not FaceImport.objects.exists()
    assert not ImportedPerson.objects.exists()


def test_a_deleted_person_takes_along_what_the_store_told_of_them(
    store: Path, tmp_path: Path, labeler: User
) -> None:
    gone, other = person_called(1), person_called(2)
    for face in Face.objects.filter(sighting__person=gone):
        label_face(face=face, actor=labeler, person=other)
    delete_person(person=gone)
    assert sorted(ImportedPerson.objects.values_list("external_id", flat=True)) == ["2", "3"]
    assert [row[0] for row in send_out(tmp_path).people] == [2, 3]


def test_a_store_is_not_brought_in_twice(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("import_facedb", str(store), "--event", "Foyer", "--no-embed")
    assert "Nothing to do" in capsys.readouterr().out
    with pytest.raises(CommandError, match="Foyer already"):
        call_command("import_facedb", str(store), "--event", "Elsewhere")
    assert Person.objects.count() == 3


def test_an_export_overwrites_nothing(store: Path, tmp_path: Path) -> None:
    (tmp_path / "back").mkdir()
    (tmp_path / "back" / "thesis.txt").write_text("dear")
    with pytest.raises(CommandError, match="not empty"):
        send_out(tmp_path)
    assert [path.name for path in (tmp_path / "back").iterdir()] == ["thesis.txt"]


def test_an_export_is_for_its_owner_alone(store: Path, tmp_path: Path) -> None:
    send_out(tmp_path)
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "back").rglob("*") if path.is_file()}
    folders = {
        path.stat().st_mode & 0o777
        for path in [tmp_path / "back", *(tmp_path / "back").iterdir()]
        if path.is_dir()
    }
    assert (modes, folders) == ({0o600}, {0o700})


def test_faces_that_were_photographed_here_can_go_out_too(tmp_path: Path) -> None:
    event = make_event("Party")
    add_photo(event=event, file=io.BytesIO(draw_photo("red", "blue")), name="one.png")
    process_next_photo()
    boss = User.objects.create_superuser("boss")
    red, _ = Face.objects.order_by("left")
    label_face(face=red, actor=boss, name="Ruby")
    call_command("export_facedb", str(tmp_path / "out"), "--event", "Party")
    read = read_store(tmp_path / "out")
    assert [(row[0], row[1], row[4]) for row in read.people] == [(1, "Ruby", 1)]
    assert np.array_equal(read.vectors[1], [vector_of("red")])
    assert reviewed(read) == [0]
    assert list(read.queue_vectors.values()) == [vector_of("blue").tobytes()]
    assert len(read.crops) == 1


def test_a_store_that_lived_on_does_not_make_everybody_a_second_time(store: Path, tmp_path: Path) -> None:
    label = ImportedFace.objects.get(external_id="unlabeled 1")
    UnlabeledFace.objects.filter(face=label.face).update(reviewed=True, verdict="stranger")
    send_out(tmp_path)
    command = ("import_facedb", str(tmp_path / "back"), "--event", "Foyer", "--no-embed")
    with pytest.raises(CommandError, match="a second time"):
        call_command(*command)
    assert Person.objects.count() == 3
    call_command(*command, "--again")
    assert Person.objects.count() == 6


def test_the_desk_asks_about_faces_that_came(store: Path, as_labeler: Client) -> None:
    entry = UnlabeledFace.objects.first()
    assert entry is not None
    page = as_labeler.get(f"/label/{entry.face.face_id}/")
    assert page.status_code == 200


def test_a_reference_was_seen_when_its_person_was(store: Path) -> None:
    seen = {person_called(2).sightings.earliest("pk").seen_at.isoformat()}
    assert seen == {"2026-03-03T18:30:05+00:00"}


class TestEmbedding:
    """Crops are embedded here as well: what the store's people taught is of use for new photos."""

    @pytest.fixture
    def colored(self, tmp_path: Path) -> Path:
        folder = build_store(tmp_path / "store", people=2, each=2, labeled=1, waiting=2)
        for crop, color in zip(
            sorted((folder / "unlabeled").glob("*.png")), ("red", "red", "blue"), strict=True
        ):
            Image.new("RGB", (60, 60), COLORS[color]).save(crop)
        call_command("import_facedb", str(folder), "--event", "Foyer")
        return folder

    def test_a_new_photo_finds_somebody_who_came_with_a_store(self, colored: Path) -> None:
        add_photo(event=make_event("Party"), file=io.BytesIO(draw_photo("red")), name="one.png")
        process_next_photo()
        face = Face.objects.get(photo__event__name="Party")
        assert face.sighting.person == person_called(1)

    def test_a_face_with_pixels_stands_for_a_person_before_a_silhouette(
        self, colored: Path, labeler: User
    ) -> None:
        shown = face_called("person 1 reference 1")
        assert shown.size < face_called("person 1 reference 0").size
        [person] = load_people([person_called(1).pk], user=labeler)
        assert person.cover == shown.face_id  # type: ignore[attr-defined]

    def test_what_the_machine_named_still_waits_for_a_person(self, colored: Path, tmp_path: Path) -> None:
        named = [hasattr(face_called(f"unlabeled {number}"), "sighting") for number in (2, 3)]
        assert named == [True, False]
        assert reviewed(send_out(tmp_path)) == [1, 0, 0]
