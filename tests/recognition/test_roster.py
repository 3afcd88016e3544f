"""The roster of an event: the file, who is on it, what it changes for the machine, its page, and who may not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from labeling.clusters.tending import tend_queue
from labeling.models import Look
from labeling.people.merging import merge_people
from recognition import ingest
from recognition.events import roster_csv
from recognition.events.roster import (
    find_off_roster,
    read_roster,
    remove_roster,
    replace_roster,
    stamp_roster,
)
from recognition.events.roster_csv import MAX_ENTRIES, RosterRefused, read_roster_list
from recognition.events.roster_listing import list_roster
from recognition.models import Event, Person, RosterEntry, Sighting
from recognition.people.csv_rows import read_table
from recognition.people.edits import create_person, update_person
from tests.conftest import make_local, signed_in
from tests.factories import (
    EMBEDDER_ID,
    activate_embedder,
    label_face,
    make_event,
    make_face,
    make_person,
    make_photo,
    make_reference,
    vector_near,
)
from tests.labeling.clusters.queue import ALICE, look_of, name_of, queue_face


class TestTheFile:
    @pytest.mark.parametrize(
        "text",
        [
            "4711\n4712\n",
            "external_id\n4711\n4712\n",
            "External ID\r\n4711\r\n\r\n4712",
            "\ufeffexternal_id;name\n4711;Alice\n4712;Bob\n",
            "name,student number,faculty\nAlice,4711,Law\nBob,4712,\n",
            "student_id,external_id\n1,4711\n2,4712\n",
            '"4711"\n="4712"\n',
        ],
    )
    def test_it_is_read_as_spreadsheets_write_it(self, text: str) -> None:
        assert read_roster_list(text.encode()).external_ids == ["4711", "4712"]

    def test_an_id_that_comes_twice_is_in_it_once_and_told(self) -> None:
        found = read_roster_list(b"4711\n4712\n4711\n")
        assert (found.external_ids, found.repeated) == (["4711", "4712"], 1)

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("", "empty"),
            ("\n \n", "empty"),
            ("external_id\n", "no rows"),
            ("name,faculty\nAlice,Law\n", "No column is called external_id"),
            ("external_id,External ID\n1,2\n", "Two columns"),
            ("student id,student number\n1,2\n", "Two columns"),
            ("PK\x03\x04", "workbook"),
        ],
    )
    def test_what_cannot_be_read_says_what_to_do(self, text: str, told: str) -> None:
        with pytest.raises(RosterRefused, match=told):
            read_roster_list(text.encode())

    def test_every_line_that_is_wrong_is_told_with_its_number(self) -> None:
        text = f"external_id,name\n4711,Alice\n,Bob\n1.2E+10,Carol\n{'9' * 61},Dora\n=A1,Eve\n"
        with pytest.raises(RosterRefused, match="4 rows cannot") as refused:
            read_roster_list(text.encode())
        assert [row.number for row in refused.value.bad] == [3, 4, 5, 6]
        assert "no external id" in refused.value.bad[0].message
        assert "shortened" in refused.value.bad[1].message

    def test_it_has_a_limit(self) -> None:
        text = "\n".join(str(number) for number in range(MAX_ENTRIES + 1))
        with pytest.raises(RosterRefused, match="more than"):
            read_roster_list(text.encode())

    @pytest.mark.parametrize("header", [b"", b"external_id\n"])
    def test_a_list_that_is_too_long_is_not_read_to_its_end(
        self, header: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Ten megabytes of short lines would take a gigabyte as rows."""
        read: list[int] = []

        def count(data: bytes) -> Iterator[tuple[int, list[str]]]:
            for number, cells in read_table(data):
                read.append(number)
                yield number, cells

        monkeypatch.setattr(roster_csv, "read_table", count)
        with pytest.raises(RosterRefused, match="more than 20,000 rows"):
            read_roster_list(header + b"1\n" * (2 * MAX_ENTRIES))
        assert len(read) == MAX_ENTRIES + 2

    def test_the_longest_list_is_taken(self) -> None:
        rows = "\n".join(map(str, range(MAX_ENTRIES)))
        for text in (rows, f"external_id\n{rows}"):
            assert len(read_roster_list(text.encode()).external_ids) == MAX_ENTRIES


@pytest.fixture
def event(db: None) -> Event:
    return make_event("Graduation")


def enroll(name: str, external_id: str) -> Person:
    return Person.objects.create(name=name, external_id=external_id)


class TestWhoIsOnIt:
    def test_without_a_roster_nobody_is_off_it(self, event: Event) -> None:
        assert read_roster(event.pk, [make_person().pk]).members is None

    def test_people_are_on_it_by_their_external_id_whenever_they_got_it(self, event: Event) -> None:
        replace_roster(event=event, external_ids=["4711"])
        alice, bob = enroll("Alice", "4711"), enroll("Bob", "4712")
        assert read_roster(event.pk, [alice.pk, bob.pk]).members == frozenset({alice.pk})

    def test_whoever_somebody_on_it_was_merged_into_is_on_it(self, event: Event, labeler: User) -> None:
        replace_roster(event=event, external_ids=["4711"])
        keep, other = enroll("Alice", "A-1"), enroll("Alice again", "4711")
        merge_people(keep=keep, other=other, actor=labeler)
        assert read_roster(event.pk, [keep.pk, other.pk]).members == frozenset({keep.pk})
        assert find_off_roster(keep, [event.pk]) == frozenset()

    def test_a_person_is_off_the_rosters_that_do_not_name_them(self, event: Event) -> None:
        other, without = make_event(), make_event()
        alice, nobody = enroll("Alice", "4711"), make_person()
        replace_roster(event=event, external_ids=["4711"])
        replace_roster(event=other, external_ids=["4712"])
        every = [event.pk, other.pk, without.pk]
        assert find_off_roster(alice, every) == {other.pk}
        assert find_off_roster(nobody, every) == {event.pk, other.pk}

    def test_a_new_list_takes_the_place_of_the_old_one_and_is_told_apart(self, event: Event) -> None:
        replace_roster(event=event, external_ids=["1", "2"])
        before = stamp_roster(event.pk)
        replace_roster(event=event, external_ids=["3", "4"])
        assert stamp_roster(event.pk) != before
        assert set(RosterEntry.objects.values_list("external_id", flat=True)) == {"3", "4"}

    def test_a_removed_roster_is_none(self, event: Event) -> None:
        replace_roster(event=event, external_ids=["1"])
        assert remove_roster(event=event)
        assert not remove_roster(event=event)
        assert read_roster(event.pk, [1]).members is None


@pytest.fixture
def alice(event: Event) -> Person:
    activate_embedder()
    person = enroll("Alice", "4711")
    make_reference(person, ALICE)
    return person


# FaceNet's lines: 0.70, and 0.80 where it is to be strict.
BETWEEN, ABOVE = 0.75, 0.9


@pytest.mark.django_db
class TestWhatItChanges:
    def test_whoever_is_not_on_it_is_named_only_above_the_strict_line(
        self, event: Event, alice: Person
    ) -> None:
        replace_roster(event=event, external_ids=["4712"])
        close, clear = (queue_face(vector_near(ALICE, value), event=event) for value in (BETWEEN, ABOVE))
        tend_queue()
        assert (name_of(close), name_of(clear)) == (None, "Alice")
        look = look_of(close)
        assert look is not None
        assert (look.person, look.verdict) == (alice, "suggest")
        kept = Sighting.objects.get(face=clear).thresholds
        assert (kept["line"], kept["reasons"]) == (kept["strict"], ["roster"])

    def test_whoever_is_on_it_has_the_usual_line(self, event: Event, alice: Person) -> None:
        replace_roster(event=event, external_ids=["4711"])
        face = queue_face(vector_near(ALICE, BETWEEN), event=event)
        tend_queue()
        assert name_of(face) == "Alice"
        kept = Sighting.objects.get(face=face).thresholds
        assert (kept["line"], kept["reasons"]) == (kept["automatic"], [])

    def test_the_roster_of_another_event_means_nothing(self, event: Event, alice: Person) -> None:
        replace_roster(event=make_event(), external_ids=["4712"])
        face = queue_face(vector_near(ALICE, BETWEEN), event=event)
        tend_queue()
        assert name_of(face) == "Alice"

    def test_a_change_of_it_has_the_open_faces_of_the_event_looked_at_again(
        self, event: Event, alice: Person
    ) -> None:
        replace_roster(event=event, external_ids=["4712"])
        face = queue_face(vector_near(ALICE, BETWEEN), event=event)
        tend_queue()
        assert name_of(face) is None
        replace_roster(event=event, external_ids=["4711", "4712"])
        assert not Look.objects.filter(face=face).exists()
        tend_queue()
        assert name_of(face) == "Alice"

    def test_an_external_id_that_somebody_gets_later_counts_at_once(
        self, event: Event, alice: Person
    ) -> None:
        replace_roster(event=event, external_ids=["A-1"])
        face = queue_face(vector_near(ALICE, BETWEEN), event=event)
        tend_queue()
        assert name_of(face) is None
        update_person(person=alice, name="Alice", external_id="A-1", aliases=[])
        tend_queue()
        assert name_of(face) == "Alice"

    def test_a_person_of_no_roster_makes_nobody_look_again(self, event: Event, alice: Person) -> None:
        replace_roster(event=event, external_ids=["4712"])
        queue_face(vector_near(ALICE, BETWEEN), event=event)
        tend_queue()
        create_person(name="Dora", external_id="9999")
        assert Look.objects.count() == 1

    def test_a_face_too_poor_for_a_reference_needs_the_strict_line_too(
        self, event: Event, alice: Person
    ) -> None:
        close, clear = (queue_face(vector_near(ALICE, value), event=event) for value in (BETWEEN, ABOVE))
        for face in (close, clear):
            type(face).objects.filter(pk=face.pk).update(size=20, detector_score=0.5, sharpness=0)
        tend_queue()
        assert (name_of(close), name_of(clear)) == (None, "Alice")
        assert Sighting.objects.get(face=clear).thresholds["reasons"] == ["poor"]

    def test_a_roster_written_while_faces_are_judged_is_heard(
        self, event: Event, alice: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from labeling.clusters import looking

        face = queue_face(vector_near(ALICE, BETWEEN), event=event)
        real = looking._judge

        def judge_then_write(*args: object, **kwargs: object) -> object:
            monkeypatch.undo()
            answer = real(*args, **kwargs)  # type: ignore[arg-type]
            replace_roster(event=event, external_ids=["4712"])
            return answer

        monkeypatch.setattr(looking, "_judge", judge_then_write)
        tend_queue()
        assert name_of(face) is None

    def test_what_was_matched_by_an_older_roster_does_not_hold(self, event: Event) -> None:
        from django.db import transaction

        matched = ingest.Matched(0, [], stamp_roster(event.pk), EMBEDDER_ID)
        with transaction.atomic():
            assert matched.still_holds(event.pk)
        replace_roster(event=event, external_ids=["4712"])
        with transaction.atomic():
            assert not matched.still_holds(event.pk)


def upload(client: Client, event: Event, text: str) -> HttpResponse:
    file = SimpleUploadedFile("roster.csv", text.encode())
    return client.post(f"/events/{event.pk}/roster/", {"roster": file})  # type: ignore[return-value]


def ids_of(event: Event) -> set[str]:
    return set(RosterEntry.objects.filter(event=event).values_list("external_id", flat=True))


@pytest.mark.django_db
class TestItsPage:
    def test_a_manager_uploads_it_and_sees_who_is_known_and_seen(
        self, as_manager: Client, event: Event
    ) -> None:
        alice, bob = enroll("Alice Adams", "4711"), enroll("Bob Brown", "4712")
        label_face(make_face(make_photo(event)), alice)
        assert bob.pk
        assert upload(as_manager, event, "external_id\n4711\n4712\n4713\n").status_code == 302
        page = as_manager.get(f"/events/{event.pk}/roster/").content.decode()
        assert "1 of 3 seen" in page
        assert "Alice Adams" in page
        assert "no reference yet" in page
        assert "nobody has this id" in page

    def test_a_list_of_one_is_told_as_one(self, as_manager: Client, event: Event) -> None:
        upload(as_manager, event, "external_id\n4711\n")
        assert "The roster has 1 person." in as_manager.get(f"/events/{event.pk}/roster/").content.decode()

    def test_it_is_filtered(self, as_manager: Client, event: Event) -> None:
        enroll("Alice Adams", "4711")
        replace_roster(event=event, external_ids=["4711", "4712"])
        page = as_manager.get(f"/events/{event.pk}/roster/?show=unknown").content.decode()
        assert "4712" in page
        assert "Alice Adams" not in page
        assert as_manager.get(f"/events/{event.pk}/roster/?show=nonsense&page=x").status_code == 200

    def test_a_list_with_mistakes_changes_nothing_and_names_the_rows(
        self, as_manager: Client, event: Event
    ) -> None:
        replace_roster(event=event, external_ids=["1"])
        answer = upload(as_manager, event, "external_id,name\n4711,Alice\n,Bob\n")
        assert answer.status_code == 422
        assert "Row 3: There is no external id in this row." in answer.content.decode()
        assert ids_of(event) == {"1"}

    def test_no_file_is_told(self, as_manager: Client, event: Event) -> None:
        answer = as_manager.post(f"/events/{event.pk}/roster/", {})
        assert answer.status_code == 422
        assert "Choose the list first." in answer.content.decode()

    def test_it_is_removed(self, as_manager: Client, event: Event) -> None:
        replace_roster(event=event, external_ids=["1"])
        assert as_manager.post(f"/events/{event.pk}/roster/remove/").status_code == 302
        assert ids_of(event) == set()
        assert "no roster" in as_manager.get(f"/events/{event.pk}/roster/").content.decode()

    @pytest.mark.parametrize("role", ["viewer", "uploader", "labeler"])
    def test_whoever_does_not_manage_the_event_neither_sees_nor_changes_it(
        self, role: str, event: Event
    ) -> None:
        replace_roster(event=event, external_ids=["4711"])
        client = signed_in(make_local("lea", role, event))
        assert client.get(f"/events/{event.pk}/roster/").status_code == 403
        assert upload(client, event, "1\n").status_code == 403
        assert client.post(f"/events/{event.pk}/roster/remove/").status_code == 403
        assert ids_of(event) == {"4711"}

    def test_a_manager_of_another_event_finds_nothing(self, event: Event) -> None:
        replace_roster(event=event, external_ids=["4711"])
        client = signed_in(make_local("lea", "manager", make_event()))
        assert client.get(f"/events/{event.pk}/roster/").status_code == 404
        assert upload(client, event, "1\n").status_code == 404
        assert client.post(f"/events/{event.pk}/roster/remove/").status_code == 404
        assert ids_of(event) == {"4711"}

    def test_a_manager_of_one_event_is_not_told_who_is_at_others(self, event: Event) -> None:
        label_face(make_face(make_photo(make_event())), enroll("Alice Adams", "4711"))
        replace_roster(event=event, external_ids=["4711"])
        client = signed_in(make_local("lea", "manager", event))
        page = client.get(f"/events/{event.pk}/roster/").content.decode()
        assert "Alice Adams" not in page
        assert "nobody has this id" in page

    def test_it_takes_as_many_queries_for_many_as_for_few(self, manager: User, event: Event) -> None:
        def count(many: int) -> int:
            ids = [str(number) for number in range(many)]
            for external_id in ids[::2]:
                person, _ = Person.objects.get_or_create(name=external_id, external_id=external_id)
                label_face(make_face(make_photo(event)), person)
            replace_roster(event=event, external_ids=ids)
            with CaptureQueriesContext(connection) as queries:
                assert list_roster(event, user=manager).seen == (many + 1) // 2
            return len(queries)

        count(3)  # what an account may is read once
        assert count(3) == count(12)
