from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from recognition.models import Event, Photo
from tests.api.conftest import Api, Side, local_user, problem_of
from tests.conftest import make_user
from tests.factories import make_event, make_photo


def test_a_script_creates_an_event(uploader: User) -> None:
    answer = Api(uploader, "upload").post(
        "events/", {"name": "  Graduation   2026 ", "held_on": "2026-07-01", "place": "Hall"}
    )
    assert answer.status_code == 201
    event = Event.objects.get()
    assert (event.name, str(event.held_on), event.place, event.created_by) == (
        "Graduation 2026",
        "2026-07-01",
        "Hall",
        uploader,
    )
    assert answer.headers["Location"] == f"/api/v1/events/{event.pk}/"
    assert answer.json()["photos"] == {"total": 0, "waiting": 0, "failed": 0, "done": 0, "stalled": False}


def test_a_name_that_an_event_has_is_a_conflict_that_tells_the_event(mine: Side, manager: User) -> None:
    problem = problem_of(Api(manager).post("events/", {"name": "MINE"}), 409)
    assert (problem["code"], problem["event"]) == ("name_taken", mine.event.pk)


def test_the_conflict_tells_an_uploader_the_event_and_nothing_of_it(foreign: Side) -> None:
    problem = problem_of(Api(make_user("ulla", "uploader")).post("events/", {"name": "foreign"}), 409)
    assert problem["event"] == foreign.event.pk
    assert "Foreign" not in str(problem)


def test_a_role_in_one_event_creates_no_other(mine: Side) -> None:
    answer = Api(local_user(mine.event, "manager")).post("events/", {"name": "Another"})
    assert problem_of(answer, 403)["code"] == "forbidden"


def test_a_labeler_creates_no_event(labeler: User) -> None:
    assert problem_of(Api(labeler).post("events/", {"name": "Another"}), 403)["code"] == "forbidden"


def test_the_counts_tell_when_everything_is_processed(mine: Side, manager: User) -> None:
    for state in ("queued", "failed", "done"):
        make_photo(mine.event, state=state)
    event = Api(manager).get(f"events/{mine.event.pk}/").json()
    assert event["photos"] == {"total": 4, "waiting": 1, "failed": 1, "done": 2, "stalled": False}
    assert event["faces"] == {"total": 2, "open": 1, "decided": 1, "by_machine": 0, "by_human": 1}


def test_photos_that_nobody_processes_are_told(mine: Side, manager: User) -> None:
    photo = make_photo(mine.event, state="queued")
    Photo.objects.filter(pk=photo.pk).update(uploaded_at=timezone.now() - timedelta(minutes=5))
    assert Api(manager).get(f"events/{mine.event.pk}/").json()["photos"]["stalled"] is True


def test_an_uploader_counts_what_they_brought(mine: Side, uploader: User) -> None:
    assert Api(uploader).get(f"events/{mine.event.pk}/").json()["photos"]["total"] == 0


def test_events_are_found_by_name_and_place_and_archive(manager: User) -> None:
    make_event("Café opening")
    archived = make_event("Old café")
    api = Api(manager)
    assert api.patch(f"events/{archived.pk}/", {"archived": True}).json()["archived_at"]
    names = [event["name"] for event in api.get("events/", q="cafe").json()["results"]]
    assert names == ["Café opening"]
    assert api.get("events/", q="cafe", archived="all").json()["count"] == 2
    assert api.get("events/", archived="yes").json()["results"][0]["id"] == archived.pk


def test_a_manager_changes_what_they_name_and_nothing_else(mine: Side) -> None:
    api = Api(local_user(mine.event, "manager"), "admin")
    answer = api.patch(f"events/{mine.event.pk}/", {"place": "Garden"})
    assert answer.status_code == 200
    mine.event.refresh_from_db()
    assert (mine.event.name, mine.event.place, mine.event.archived_at) == ("Mine", "Garden", None)


def test_renaming_to_a_name_that_is_taken_is_a_conflict(mine: Side, foreign: Side, manager: User) -> None:
    problem = problem_of(Api(manager).patch(f"events/{mine.event.pk}/", {"name": "foreign"}), 409)
    assert problem["code"] == "name_taken"
    assert Event.objects.get(pk=mine.event.pk).name == "Mine"


def test_only_a_manager_changes_and_deletes(mine: Side) -> None:
    api = Api(local_user(mine.event, "labeler"))
    for answer in (
        api.patch(f"events/{mine.event.pk}/", {"place": "x"}),
        api.delete(f"events/{mine.event.pk}/"),
    ):
        assert problem_of(answer, 403)["code"] == "forbidden"
    assert Event.objects.get(pk=mine.event.pk).deleted_at is None


def test_what_is_foreign_is_neither_changed_nor_deleted(mine: Side, foreign: Side) -> None:
    api = Api(local_user(mine.event, "manager"))
    for answer in (
        api.patch(f"events/{foreign.event.pk}/", {"place": "x"}),
        api.delete(f"events/{foreign.event.pk}/"),
    ):
        problem_of(answer, 404)
    assert Event.objects.get(pk=foreign.event.pk).deleted_at is None


def test_a_deleted_event_is_gone_at_once(mine: Side, manager: User) -> None:
    api = Api(manager)
    assert api.delete(f"events/{mine.event.pk}/").status_code == 204
    problem_of(api.get(f"events/{mine.event.pk}/"), 404)
    assert api.get("faces/").json()["count"] == 0


def test_failed_photos_wait_again(mine: Side, uploader: User) -> None:
    photo = make_photo(mine.event, state="failed")
    photo.uploaded_by = uploader
    photo.save(update_fields=["uploaded_by"])
    api = Api(uploader, "upload")
    assert api.post(f"events/{mine.event.pk}/retry/").json() == {"retried": 1}
    assert api.post(f"photos/{photo.pk}/retry/").json() == {"retried": 0}
    photo.refresh_from_db()
    assert photo.state == "queued"
