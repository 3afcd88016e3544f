"""People as CSV: out of one installation and into another they are the same people, with the same references."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from access.roles import LABELER, MANAGER, VIEWER
from labeling.enrolment import enroll_waiting, find_event, import_list
from labeling.models import Enrolment
from recognition.ingest import process_next_photo
from recognition.models import Embedding, Event, Face, Person, Photo, Sighting, UnlabeledFace
from recognition.people.csv_out import PeopleScope, stream_people_csv, stream_people_zip
from recognition.people.csv_rows import read_people_list
from recognition.people.portraits import read_folder, read_uploads
from recognition.storage import write_crop
from tests.conftest import count_queries, make_local, signed_in
from tests.factories import label_face, make_event, make_face, make_person, make_photo
from tests.fakes import draw_photo

pytestmark = pytest.mark.django_db
EVERYBODY = PeopleScope(user=None)

HARD = [
    ("=SUM(A1)", "=1", []),
    ("+49 Anna", "+49 170", ["-Anna", "@anna", "\uff1dwide"]),
    ("'=Quoted", "'@7", ["'=too"]),
    ("O'Brien, “Zoë” Ø", "0017", ['say "hi"', "a, b"]),
    ("Semi;colon", "1E+5", ["a;b", "c\\", "d\\;e", "f"]),
    ('="007"', '="8"', ['="9"']),
    ("Nobody's Id", None, []),
]


@pytest.fixture
def manager(db: None) -> User:
    return User.objects.create_superuser("boss")


def rows_of(pieces: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(pieces.decode("utf-8-sig"))))


def listed(scope: PeopleScope = EVERYBODY) -> bytes:
    return b"".join(stream_people_csv(scope))


def zipped(scope: PeopleScope) -> bytes:
    return b"".join(stream_people_zip(scope))


def everybody() -> list[tuple[str, str | None, list[str]]]:
    return list(Person.objects.order_by("pk").values_list("name", "external_id", "aliases"))


def reference(person: Person, event: Event, color: str = "red", *, size: float = 100, salt: int = 0) -> Face:
    """A verified face whose crop is a drawn portrait."""
    face = make_face(make_photo(event))
    face.size, face.crop = size, write_crop(draw_photo(color, salt=salt))
    face.save(update_fields=["size", "crop"])
    label_face(face, person)
    return face


def forget_everything() -> None:
    for model in (Enrolment, Sighting, UnlabeledFace, Embedding):
        model.objects.all().delete()
    Person.objects.update(cover_face=None)
    for table in (Face, Photo, Event, Person):
        table.objects.all().delete()


def test_names_come_back_letter_by_letter(manager: User) -> None:
    for name, external_id, aliases in HARD:
        Person.objects.create(name=name, external_id=external_id, aliases=aliases)
    before, data = everybody(), listed()
    forget_everything()
    read = read_people_list(data)
    assert read.bad == []
    import_list(people=read, portraits=(), event=find_event("Portraits", user=manager), user=manager)
    assert everybody() == before


def test_no_cell_is_a_formula() -> None:
    for name, external_id, aliases in HARD:
        Person.objects.create(name=name, external_id=external_id, aliases=aliases)
    cells = [cell for row in rows_of(listed()) for cell in row.values()]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\uff1d"))]


def test_a_formula_that_nobody_marked_is_still_refused() -> None:
    read = read_people_list(b"name,external_id,aliases\n=1+1,S-1,\nAda,=2,\nBob,S-3,x;=3\nEve,1E+5,\n")
    assert [bad.number for bad in read.bad] == [2, 3, 4, 5]


def test_portraits_become_the_same_peoples_references(
    manager: User, drawn_faces: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recognition.ingest.measure_sharpness", lambda crop: 200.0)
    event = make_event()
    ada = Person.objects.create(name="Ada; or not", external_id="S-1")
    bob = Person.objects.create(name="=Bob")
    for salt in range(2):
        reference(ada, event, "red", salt=salt)
    reference(bob, event, "blue")
    data = zipped(PeopleScope(user=None, portraits=3))
    forget_everything()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        people = read_people_list(archive.read("people.csv"))
    import_list(
        people=people,
        portraits=read_uploads([("people.zip", io.BytesIO(data))]),
        event=find_event("Portraits", user=manager),
        user=manager,
    )
    while process_next_photo() is not None:
        pass
    enroll_waiting()
    found = Sighting.objects.filter(is_reference=True, decided_by="human").values_list(
        "person__name", flat=True
    )
    assert sorted(found) == ["=Bob", "Ada; or not", "Ada; or not"]


def test_the_chosen_cover_comes_first_and_never_more_than_asked() -> None:
    person, event = make_person("Ada"), make_event()
    reference(person, event, size=300, salt=1)
    cover = reference(person, event, size=90, salt=2)
    reference(person, event, size=200, salt=3)
    Person.objects.update(cover_face=cover)
    with zipfile.ZipFile(io.BytesIO(zipped(PeopleScope(user=None, portraits=2)))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["portraits/Ada/1.jpg", "portraits/Ada/2.jpg", "people.csv"]
        assert archive.read("portraits/Ada/1.jpg") == draw_photo("red", salt=2)
        assert archive.read("portraits/Ada/2.jpg") == draw_photo("red", salt=1)
        assert rows_of(archive.read("people.csv"))[0]["portraits"] == "portraits/Ada"


def test_a_machines_name_and_a_crop_that_is_gone_are_no_portraits() -> None:
    person, event = make_person("Ada"), make_event()
    label_face(make_face(make_photo(event)), person)
    machine = reference(person, event)
    Sighting.objects.filter(face=machine).update(decided_by="machine", is_reference=False, similarity=0.9)
    with zipfile.ZipFile(io.BytesIO(zipped(PeopleScope(user=None, portraits=3)))) as archive:
        assert archive.namelist() == ["people.csv"]
        assert rows_of(archive.read("people.csv"))[0]["portraits"] == ""


def test_two_of_one_name_have_folders_of_their_own() -> None:
    event = make_event()
    for number, color in enumerate(["red", "blue"]):
        reference(Person.objects.create(name="Ada", external_id=f"S-{number}"), event, color)
    with zipfile.ZipFile(io.BytesIO(zipped(PeopleScope(user=None, portraits=1)))) as archive:
        rows = rows_of(archive.read("people.csv"))
    assert [row["portraits"] for row in rows] == ["portraits/Ada", "portraits/Ada (2)"]


def test_who_is_hidden_or_merged_is_not_in_it() -> None:
    keep = make_person("Kept")
    Person.objects.create(name="Merged", merged_into=keep)
    Person.objects.create(name="Hidden", hidden_at="2026-01-01T00:00Z")
    assert [row["name"] for row in rows_of(listed())] == ["Kept"]


def test_a_manager_of_one_event_gets_its_people_and_its_faces_alone() -> None:
    mine, other = make_event(), make_event()
    user = make_local("lena", MANAGER, mine)
    both = make_person("Both")
    reference(both, mine, "red", size=90)
    reference(both, other, "blue", size=900)
    reference(make_person("Elsewhere"), other)
    make_person("Without A Face")
    with zipfile.ZipFile(io.BytesIO(zipped(PeopleScope(user=user, portraits=3)))) as archive:
        assert archive.namelist() == ["portraits/Both/1.jpg", "people.csv"]
        assert archive.read("portraits/Both/1.jpg") == draw_photo("red")
    client = signed_in(user)
    assert [row["name"] for row in rows_of(client.get("/people/export/people.csv").getvalue())] == ["Both"]
    assert client.get(f"/people/export/people.csv?event={other.pk}").status_code == 400


@pytest.mark.parametrize("role", [LABELER, VIEWER])
def test_nobody_else_exports_people(role: str) -> None:
    event = make_event()
    client = signed_in(make_local("eve", role, event))
    for address in ("", "people.csv", "people.zip"):
        assert client.get(f"/people/export/{address}").status_code == 403


def test_the_page_leads_to_the_download(manager: User) -> None:
    client, event = signed_in(manager), make_event()
    reference(make_person("Ada"), event)
    assert "/people/export/" in client.get("/people/").content.decode()
    answer = client.post("/people/export/", {"event": event.pk, "portraits": "1", "kind": "zip"})
    assert answer["Location"] == f"/people/export/people.zip?event={event.pk}&portraits=1"
    data = b"".join(client.get(answer["Location"]))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["portraits/Ada/1.jpg", "people.csv"]
    assert client.post("/people/export/", {"portraits": "5000"}).status_code == 422


def test_the_page_says_who_cannot_be_told_apart(manager: User) -> None:
    make_person("Ada"), make_person("Ada"), make_person("Bob")
    assert "2 of them share a name" in signed_in(manager).get("/people/export/").content.decode()


def test_the_command_writes_a_folder_that_the_other_command_reads(
    manager: User, tmp_path: Path, drawn_faces: None, capsys: pytest.CaptureFixture[str]
) -> None:
    event = make_event("Graduation")
    reference(make_person("Ada"), event)
    make_person("Elsewhere")
    out = tmp_path / "people"
    for _ in range(2):
        call_command("export_people", str(out), event="graduation", portraits=2)
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()) == [
        "people.csv",
        "portraits/Ada/1.jpg",
    ]
    assert "1 people and 1 portraits" in capsys.readouterr().out
    [row] = read_people_list((out / "people.csv").read_bytes()).rows
    assert row.portraits == ("portraits/Ada",)
    assert [file.path for file in read_folder(out)] == ["people.csv", "portraits/Ada/1.jpg"]


def test_what_the_command_wrote_is_for_its_owner_alone(tmp_path: Path, drawn_faces: None) -> None:
    reference(make_person("Ada"), make_event())
    out = tmp_path / "people"
    call_command("export_people", str(out))
    modes = {path.stat().st_mode & 0o777 for path in out.rglob("*") if path.is_file()}
    folders = {path.stat().st_mode & 0o777 for path in (out, *out.rglob("*")) if path.is_dir()}
    assert (modes, folders) == ({0o600}, {0o700})


def test_an_earlier_run_leaves_nobody_who_is_not_in_the_list(tmp_path: Path, drawn_faces: None) -> None:
    ball, fair = make_event("Ball"), make_event("Fair")
    reference(make_person("Ada"), ball)
    reference(make_person("Bob"), fair)
    out = tmp_path / "people"
    call_command("export_people", str(out), event="Ball")
    (out / "portraits" / "Ada" / "mine.jpg").write_bytes(b"not ours")
    call_command("export_people", str(out), event="Fair")
    left = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    assert left == ["people.csv", "portraits/Ada/mine.jpg", "portraits/Bob/1.jpg"]


@pytest.mark.parametrize(
    ("options", "words"),
    [({"event": "Nowhere"}, "no event"), ({"portraits": 99}, "0 to 10"), ({}, "no people")],
)
def test_the_command_says_what_is_wrong(tmp_path: Path, options: dict[str, object], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("export_people", str(tmp_path / "people"), **options)


def test_a_folder_of_other_files_is_left_alone(tmp_path: Path) -> None:
    make_person("Ada")
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(CommandError, match="other files"):
        call_command("export_people", str(tmp_path))


def test_the_list_asks_as_often_for_many_people_as_for_few(manager: User) -> None:
    client, event = signed_in(manager), make_event()

    def cost() -> int:
        return count_queries(client, "/people/export/")

    reference(make_person("One"), event)
    few = cost()
    for number in range(9):
        reference(make_person(f"Person {number}"), event)
    assert cost() == few
