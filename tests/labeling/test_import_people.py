"""A list of people and their portraits: who is added, who is refused and why, and faces that become references."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from labeling.decisions import label_face, undo_decision
from labeling.enrolment import count_import, enroll_waiting, find_event, import_list, write_report
from labeling.enrolment.report import list_refusals
from labeling.models import Decision, Enrolment, PeopleImport
from recognition.ingest import process_next_photo
from recognition.models import Face, Person, Photo, Sighting, UnlabeledFace
from recognition.people.csv_rows import read_people_list
from recognition.people.portraits import read_folder, read_uploads
from tests.conftest import make_local, signed_in
from tests.factories import make_event, make_person, make_reference
from tests.fakes import EMBEDDER_ID, draw_photo, vector_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def active(drawn_faces: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn faces instead of the gallery of the other tests beside this one; a square of one color has no edges."""
    monkeypatch.setattr("recognition.ingest.measure_sharpness", lambda crop: 200.0)


def run_import(text: str, user: User, folder: Path | None = None, **options: Any) -> PeopleImport:
    return import_list(
        people=read_people_list(text.encode()),
        portraits=read_folder(folder) if folder else (),
        event=find_event("Portraits", user=user),
        user=user,
        **options,
    )


def process() -> None:
    while process_next_photo() is not None:
        pass
    enroll_waiting()


def reasons(done: PeopleImport) -> list[str]:
    return [refusal.message for refusal in list_refusals(done)]


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    def write(**files: bytes) -> Path:
        root = tmp_path / "portraits"
        for name, data in files.items():
            path = root / name.replace("__", "/")
            path = path.with_name(path.name + ".png")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return root

    return write


def test_people_are_added_once_however_often_the_list_comes(manager: User) -> None:
    text = "name,external_id,aliases\nAda Lovelace,S-1,Augusta;Ada King\nBob,S-2,\n"
    first = run_import(text, manager)
    again = run_import(text, manager)
    assert [row["outcome"] for row in first.rows] == ["added", "added"]
    assert [row["outcome"] for row in again.rows] == ["unchanged", "unchanged"]
    ada = Person.objects.get(external_id="S-1")
    assert (ada.name, ada.aliases, Person.objects.count()) == ("Ada Lovelace", ["Augusta", "Ada King"], 2)


def test_who_has_the_number_is_updated_and_keeps_the_earlier_name(manager: User) -> None:
    Person.objects.create(name="Ada Byron", external_id="S-1", aliases=["Augusta"])
    done = run_import("name,external_id,aliases\nAda Lovelace,S-1,augusta;Countess\n", manager)
    ada = Person.objects.get()
    assert done.rows[0]["outcome"] == "updated"
    assert (ada.name, ada.aliases) == ("Ada Lovelace", ["Augusta", "Ada Byron", "Countess"])


def test_nothing_is_guessed_by_a_name(manager: User) -> None:
    """Neither for a row without a number, nor for a number whose name somebody has who has none."""
    make_person("Ada")
    done = run_import("name,external_id\nAda,\nADA,S-1\n", manager)
    assert [row["outcome"] for row in done.rows] == ["refused", "refused"]
    assert all("nothing is guessed" in reason for reason in reasons(done))
    assert Person.objects.count() == 1


def test_two_people_of_one_name_are_told_apart_by_their_numbers(manager: User) -> None:
    Person.objects.create(name="Ada", external_id="S-1")
    run_import("name,external_id\nAda,S-2\n", manager)
    assert list(Person.objects.order_by("pk").values_list("external_id", flat=True)) == ["S-1", "S-2"]


def test_the_number_of_somebody_who_was_merged_away_is_refused(manager: User) -> None:
    keep = Person.objects.create(name="Ada King", external_id="S-1")
    Person.objects.create(name="Ada", external_id="S-2", merged_into=keep)
    assert reasons(run_import("name,external_id\nAda,S-2\n", manager)) == [
        "This external id is of somebody who was merged into Ada King."
    ]


def test_a_list_of_ten_thousand_rows_asks_the_database_a_bounded_number_of_times(manager: User) -> None:
    """As often for each row whether it is the first or the last, and once for all who are known."""

    def rows(first: int, count: int) -> str:
        return "name,external_id\n" + "".join(f"Person {n},S-{n}\n" for n in range(first, first + count))

    def cost(text: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            run_import(text, manager)
        return len(queries)

    cost(rows(0, 10))
    few = cost(rows(100, 100))
    assert cost(rows(1000, 100)) == few
    assert cost(rows(1000, 100)) < 30


def test_a_portrait_becomes_a_verified_reference_by_whoever_imported_it(
    manager: User, folder: Callable[..., Path]
) -> None:
    portraits = folder(ada__front=draw_photo("red"), bob=draw_photo("blue"))
    done = run_import("name,external_id,portraits\nAda,S-1,ada\nBob,S-2,bob.png\n", manager, portraits)
    assert count_import(done).waiting == 2
    process()
    sightings = {sighting.person.name: sighting for sighting in Sighting.objects.select_related("person")}
    assert set(sightings) == {"Ada", "Bob"}
    assert all(one.is_reference and one.decided_by_user == manager for one in sightings.values())
    assert Decision.objects.filter(actor=manager, kind="label").count() == 2
    assert {photo.event.name for photo in Photo.objects.select_related("event")} == {"Portraits"}
    assert count_import(done).enrolled == 2


def test_importing_it_again_changes_nothing(manager: User, folder: Callable[..., Path]) -> None:
    text, portraits = "name,external_id,portraits\nAda,S-1,ada\n", folder(ada__front=draw_photo("red"))
    run_import(text, manager, portraits)
    process()
    before = [
        list(model.objects.order_by("pk").values()) for model in (Person, Photo, Face, Sighting, Decision)
    ]
    again = run_import(text, manager, portraits)
    process()
    after = [
        list(model.objects.order_by("pk").values()) for model in (Person, Photo, Face, Sighting, Decision)
    ]
    assert after == before
    assert (count_import(again).enrolled, Enrolment.objects.count()) == (1, 1)


def test_a_name_that_somebody_took_off_again_is_not_given_again(
    manager: User, folder: Callable[..., Path]
) -> None:
    text, portraits = "name,external_id,portraits\nAda,S-1,ada\n", folder(ada__front=draw_photo("red"))
    run_import(text, manager, portraits)
    process()
    undo_decision(decision=Decision.objects.get(), actor=manager)
    run_import(text, manager, portraits)
    process()
    assert not Sighting.objects.exists()


def test_several_faces_and_none_are_refused_with_the_reason(
    manager: User, folder: Callable[..., Path]
) -> None:
    portraits = folder(two=draw_photo("red", "blue"), none=draw_photo())
    done = run_import(
        "name,external_id,portraits\nAda,S-1,two.png\nBob,S-2,none.png;gone.png\n", manager, portraits
    )
    process()
    assert reasons(done) == [
        "There are 2 faces on it. Cut it to the one person, and import it again.",
        "No such portrait was found.",
        "No face was found on it. Take a portrait from the front that shows the whole head.",
    ]
    assert not Sighting.objects.exists()
    counts = count_import(done)
    assert (counts.portraits_refused, counts.waiting, counts.portraits) == (3, 0, 3)


def test_a_small_face_in_the_background_does_not_count(manager: User, folder: Callable[..., Path]) -> None:
    run_import(
        "name,external_id,portraits\nAda,S-1,two.png\n", manager, folder(two=draw_photo("red", "blue"))
    )
    process_next_photo()
    Face.objects.filter(left=100).update(size=15)
    enroll_waiting()
    assert Sighting.objects.get().face.left == 20


def test_a_portrait_cut_too_tightly_is_looked_at_in_a_grey_frame(
    manager: User, folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The detector that sees nothing in the photo as it is, and sees the face in the larger picture."""
    from recognition import ingest

    class Shy:
        detector_id = "shy"

        def detect(self, rgb: Any) -> list[Any]:
            return []

    monkeypatch.setattr(ingest, "get_detector", Shy)
    done = run_import("name,external_id,portraits\nAda,S-1,a.png\n", manager, folder(a=draw_photo("red")))
    process()
    face = Face.objects.get()
    assert (face.left, face.top, face.width) == (20, 100, 60)
    assert Sighting.objects.get(face=face).person.name == "Ada"
    assert count_import(done).enrolled == 1


def test_a_blurred_or_tiny_face_teaches_nobody(manager: User, folder: Callable[..., Path]) -> None:
    done = run_import("name,external_id,portraits\nAda,S-1,a.png\n", manager, folder(a=draw_photo("red")))
    process_next_photo()
    Face.objects.update(size=24)
    enroll_waiting()
    assert "too small (24 pixels) to know anybody by" in reasons(done)[0]
    assert not Sighting.objects.exists()


def test_a_face_that_is_somebody_else_is_left_to_people(manager: User, folder: Callable[..., Path]) -> None:
    """One wrong reference names many faces wrongly."""
    make_reference(make_person("Eva"), vector_of("red"), embedder_id=EMBEDDER_ID)
    done = run_import("name,external_id,portraits\nAda,S-1,a.png\n", manager, folder(a=draw_photo("red")))
    process()
    assert "FaceVault takes this face for Eva" in reasons(done)[0]
    assert not Sighting.objects.filter(person__name="Ada").exists()


def test_a_portrait_of_two_rows_names_the_first_alone(manager: User, folder: Callable[..., Path]) -> None:
    text = "name,external_id,portraits\nAda,S-1,a.png\nBob,S-2,a.png\n"
    done = run_import(text, manager, folder(a=draw_photo("red")))
    process()
    assert Sighting.objects.get().person.name == "Ada"
    assert reasons(done) == ["Somebody named this face Ada."]


def test_a_portrait_that_is_no_picture_is_told_with_its_row(
    manager: User, folder: Callable[..., Path]
) -> None:
    done = run_import("name,external_id,portraits\nAda,S-1,a.png\n", manager, folder(a=b"no picture"))
    assert len(reasons(done)) == 1
    assert not Photo.objects.exists()
    assert Person.objects.count() == 1


def test_a_row_that_is_refused_brings_no_portrait_in(manager: User, folder: Callable[..., Path]) -> None:
    make_person("Ada")
    run_import("name,portraits\nAda,a.png\n", manager, folder(a=draw_photo("red")))
    assert not Photo.objects.exists()


def test_no_path_leads_out_of_the_folder(manager: User, folder: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(draw_photo("red"))
    root = folder(a=draw_photo("blue"))
    (root / "link.png").symlink_to(tmp_path / "secret.png")
    names = f"../secret.png;{tmp_path / 'secret.png'};link.png"
    done = run_import(f"name,external_id,portraits\nAda,S-1,{names}\n", manager, root)
    assert reasons(done) == ["No such portrait was found."] * 3
    assert not Photo.objects.exists()


def test_an_archive_may_have_a_folder_around_everything(manager: User) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("Portraits 2026/S-1/front.png", draw_photo("red"))
        archive.writestr("Portraits 2026/s-2.PNG", draw_photo("blue"))
    data.seek(0)
    done = import_list(
        people=read_people_list(b"name,external_id,portraits\nAda,S-1,S-1\\\nBob,S-2,S-2.png\n"),
        portraits=read_uploads([("portraits.zip", data)]),
        event=make_event("Portraits"),
        user=manager,
    )
    assert not reasons(done)
    process()
    assert {one.person.name for one in Sighting.objects.select_related("person")} == {"Ada", "Bob"}


def test_a_dry_run_writes_nothing(manager: User, folder: Callable[..., Path]) -> None:
    done = run_import(
        "name,external_id,portraits\nAda,S-1,a.png;b.png\n",
        manager,
        folder(a=draw_photo("red")),
        dry_run=True,
    )
    assert [row["outcome"] for row in done.rows] == ["added"]
    assert reasons(done) == ["No such portrait was found."]
    assert not Person.objects.exists()
    assert not Photo.objects.exists()
    assert not PeopleImport.objects.exists()


def test_the_report_has_a_line_for_each_row_and_runs_in_no_spreadsheet(
    manager: User, folder: Callable[..., Path]
) -> None:
    person = Person.objects.create(name="=1+1", external_id="S-9")
    done = run_import(
        "name,external_id,portraits\nAda,S-1,a.png\n,S-2,\nBob,S-3,gone.png\n",
        manager,
        folder(a=draw_photo("red")),
    )
    process()
    done.rows[2]["person"] = person.pk
    text = "".join(write_report(done))
    lines = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert lines[1] == ["2", "Ada", "S-1", "added", "1", "0", "0", ""]
    assert lines[2] == ["3", "", "", "refused", "0", "0", "0", "There is no name in this row."]
    assert lines[3][1] == "'=1+1"
    assert lines[3][6:] == ["1", "gone.png: No such portrait was found."]


def test_a_face_that_a_colleague_has_named_meanwhile_stays_theirs(
    manager: User, labeler: User, folder: Callable[..., Path]
) -> None:
    done = run_import("name,external_id,portraits\nAda,S-1,a.png\n", manager, folder(a=draw_photo("red")))
    process_next_photo()
    label_face(face=Face.objects.get(), actor=labeler, name="Eva")
    enroll_waiting()
    assert Sighting.objects.get().person.name == "Eva"
    assert reasons(done) == ["Somebody named this face Eva."]


def test_the_command_imports_processes_and_reports(
    manager: User, folder: Callable[..., Path], tmp_path: Path
) -> None:
    root = folder(a=draw_photo("red"), b=draw_photo())
    people, report = tmp_path / "people.csv", tmp_path / "report.csv"
    people.write_text("name,external_id,portraits\nAda,S-1,a.png\nBob,S-2,b.png\n")
    out = io.StringIO()
    command = (
        "import_people",
        str(people),
        "--portraits",
        str(root),
        "--user",
        "mona",
        "--report",
        str(report),
    )
    call_command(*command, stdout=out, stderr=out)
    assert "2 rows: 2 added, 0 updated, 0 unchanged, 0 refused." in out.getvalue()
    assert "1 portraits enrolled, 1 refused, 0 still waiting." in out.getvalue()
    assert "Row 3, b.png: No face was found" in out.getvalue()
    assert Sighting.objects.get().decided_by_user == manager
    assert report.read_text(encoding="utf-8-sig").startswith("row,name,external_id")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("missing.csv",), "cannot be read"),
        (("people.csv", "--portraits", "missing"), "is not a folder"),
        (("people.csv", "--user", "lena"), "no manager of all events"),
        (("people.csv", "--event", " "), "1 to 120 characters"),
    ],
)
def test_the_command_says_what_is_wrong(
    options: tuple[str, ...], message: str, labeler: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    User.objects.create_superuser("ada")
    Path("people.csv").write_text("name\nAda\n")
    with pytest.raises(CommandError, match=message):
        call_command("import_people", *options)
    assert not Person.objects.exists()


def upload(client: Client, text: str, *files: tuple[str, bytes]) -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    data = {
        "people": SimpleUploadedFile("people.csv", text.encode()),
        "event": "Portraits",
        "portraits": [SimpleUploadedFile(name, content) for name, content in files],
    }
    return client.post("/people/import/", data)


def test_the_page_imports_and_shows_what_became_of_it(as_manager: Client) -> None:
    response = upload(
        as_manager, "name,external_id,portraits\nAda,S-1,folder/a.png\n,S-2,\n", ("a.png", draw_photo("red"))
    )
    address = response.headers["Location"]
    page = as_manager.get(address).content.decode()
    assert "1 added" in page
    assert "There is no name in this row." in page
    assert 'hx-trigger="every 2s"' in page
    process()
    card = as_manager.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "1 enrolled" in card
    assert "hx-get" not in card
    report = as_manager.get(f"{address}report.csv")
    assert b"Ada" in b"".join(report.streaming_content)  # type: ignore[attr-defined]


def test_a_list_that_cannot_be_read_says_so_beside_its_field(as_manager: Client) -> None:
    response = upload(as_manager, "person\nAda\n")
    assert response.status_code == 422
    assert "There is no column called name." in response.content.decode()
    assert not PeopleImport.objects.exists()


def test_only_managers_of_all_events_import(as_labeler: Client) -> None:
    local = signed_in(make_local("ella", "manager", make_event()))
    for client in (as_labeler, local):
        assert client.get("/people/import/").status_code == 403
        assert upload(client, "name\nAda\n").status_code == 403
    assert not Person.objects.exists()


def test_an_import_is_seen_by_whoever_made_it_alone(as_manager: Client, outsider: User) -> None:
    other = User.objects.create_superuser("ada")
    done = PeopleImport.objects.create(user=other)
    assert as_manager.get(f"/people/import/{done.import_id}/").status_code == 404
    assert as_manager.get(f"/people/import/{done.import_id}/report.csv").status_code == 404


def test_the_list_of_people_offers_it_to_managers_of_all_events(
    as_manager: Client, as_labeler: Client
) -> None:
    make_person("Ada")
    assert 'href="/people/import/"' in as_manager.get("/people/").content.decode()
    assert 'href="/people/import/"' not in as_labeler.get("/people/").content.decode()


def test_the_other_faces_of_a_portrait_stay_in_the_queue(manager: User, folder: Callable[..., Path]) -> None:
    run_import(
        "name,external_id,portraits\nAda,S-1,two.png\n", manager, folder(two=draw_photo("red", "blue"))
    )
    process()
    assert UnlabeledFace.objects.open().count() == 2
