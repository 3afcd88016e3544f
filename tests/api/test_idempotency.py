"""A write that is repeated under its key is done once and answered the same."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from access.models import EventGrant
from api.idempotency import KEPT, STALE
from api.models import IdempotencyKey
from labeling.models import Decision
from recognition.events.edits import create_event
from recognition.models import Event, Photo, RosterEntry
from tests.api.conftest import Api, Side, problem_of
from tests.api.test_photos import upload
from tests.conftest import make_user
from tests.fakes import draw_photo


def test_a_repeated_creation_is_one_event(manager: User) -> None:
    api = Api(manager)
    first, second = (api.post("events/", {"name": "Once"}, key="k-1") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert second.headers["Location"] == first.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert Event.objects.count() == 1


def test_a_repeated_decision_is_one_decision(mine: Side, labeler: User) -> None:
    api, path = Api(labeler), f"faces/{mine.open.face_id}/label/"
    first, second = (api.post(path, {"name": "Alice", "new": True}, key="k-1") for _ in range(2))
    assert first.json() == second.json()
    assert Decision.objects.count() == 1


def test_a_repeated_undo_is_one_undo(mine: Side, labeler: User) -> None:
    api = Api(labeler)
    decided = api.post(f"faces/{mine.open.face_id}/label/", {"name": "Alice", "new": True}).json()
    path = f"decisions/{decided['decision']['key']}/undo/"
    first, second = (api.post(path, key="k-1") for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert problem_of(api.post(path), 409)["code"] == "undo_refused"


def test_a_repeated_deletion_is_answered_the_same(mine: Side, manager: User) -> None:
    api = Api(manager)
    first, second = (api.delete(f"events/{mine.event.pk}/", key="k-1") for _ in range(2))
    assert (first.status_code, second.status_code, second.content) == (204, 204, b"")
    problem_of(api.delete(f"events/{mine.event.pk}/", key="k-2"), 404)


def test_a_repeated_upload_is_answered_the_same(mine: Side, manager: User) -> None:
    api, photo = Api(manager), draw_photo("red")
    first, second = (upload(api, mine.event.pk, ("a.png", photo), key="k-1") for _ in range(2))
    assert second.json()["results"][0]["outcome"] == "added"
    assert first.json() == second.json()
    without = upload(api, mine.event.pk, ("a.png", photo))
    assert without.json()["results"][0]["outcome"] == "duplicate"


def test_other_files_under_the_same_key_are_refused(mine: Side, manager: User) -> None:
    api = Api(manager)
    upload(api, mine.event.pk, ("a.png", draw_photo("red")), key="k-1")
    answer = upload(api, mine.event.pk, ("a.png", draw_photo("blue")), key="k-1")
    assert problem_of(answer, 422)["code"] == "idempotency_key_reused"
    assert Photo.objects.filter(event=mine.event).count() == 2


def test_another_body_under_the_same_key_is_refused(manager: User) -> None:
    api = Api(manager)
    api.post("events/", {"name": "Once"}, key="k-1")
    assert (
        problem_of(api.post("events/", {"name": "Twice"}, key="k-1"), 422)["code"] == "idempotency_key_reused"
    )
    assert (
        problem_of(api.post("events/?x=1", {"name": "Once"}, key="k-1"), 422)["code"]
        == "idempotency_key_reused"
    )
    assert Event.objects.count() == 1


def test_the_same_key_of_somebody_else_is_another(manager: User) -> None:
    Api(manager).post("events/", {"name": "Once"}, key="k-1")
    other = Api(make_user("max", "manager")).post("events/", {"name": "Twice"}, key="k-1")
    assert other.status_code == 201


def test_an_error_did_nothing_and_keeps_nothing(manager: User) -> None:
    api = Api(manager)
    problem_of(api.post("events/", {"name": ""}, key="k-1"), 422)
    assert not IdempotencyKey.objects.exists()
    assert api.post("events/", {"name": "Once"}, key="k-1").status_code == 201


def test_a_bug_leaves_the_key_free(manager: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**kwargs: object) -> None:
        raise RuntimeError

    api = Api(manager)
    with monkeypatch.context() as patch:
        patch.setattr("api.views.events.create_event", fail)
        problem_of(api.post("events/", {"name": "Once"}, key="k-1"), 500)
    assert api.post("events/", {"name": "Once"}, key="k-1").status_code == 201


@pytest.mark.parametrize("key", ["with space", "x" * 65, "\u00e9"])
def test_a_key_that_is_none_is_refused(key: str, manager: User) -> None:
    answer = Api(manager).post("events/", {"name": "Once"}, key=key)
    assert problem_of(answer, 400)["code"] == "idempotency_key_invalid"


def test_while_the_first_is_at_work_the_second_waits(manager: User) -> None:
    api = Api(manager)
    api.post("events/", {"name": "Once"}, key="k-1")
    IdempotencyKey.objects.update(status=None)
    answer = api.post("events/", {"name": "Once"}, key="k-1")
    assert problem_of(answer, 409)["code"] == "idempotency_in_progress"
    assert answer.headers["Retry-After"] == "2"


def crash_after_the_write(api: Api, path: str, body: dict[str, Any]) -> Any:
    """As if the process had died between its commit and its answer, a while ago."""
    first = api.post(path, body, key="k-1")
    IdempotencyKey.objects.update(
        status=None, body=b"", created_at=timezone.now() - STALE - timedelta(seconds=1)
    )
    return first


def test_after_a_crash_a_decision_is_still_one(mine: Side, labeler: User) -> None:
    api, path = Api(labeler), f"faces/{mine.open.face_id}/label/"
    body = {"name": "Alice", "new": True, "version": 0}
    first = crash_after_the_write(api, path, body)
    second = api.post(path, body, key="k-1")
    assert second.json() == first.json()
    assert Decision.objects.count() == 1
    assert api.post(path, body, key="k-1").headers["Idempotency-Replayed"] == "true"


def test_after_a_crash_an_event_is_a_conflict_that_tells_it(manager: User) -> None:
    api = Api(manager)
    first = crash_after_the_write(api, "events/", {"name": "Once"})
    problem = problem_of(api.post("events/", {"name": "Once"}, key="k-1"), 409)
    assert (problem["code"], problem["event"]) == ("name_taken", first.json()["id"])


def test_a_first_request_that_was_only_slow_overwrites_nothing(
    manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its key was taken over meanwhile: what is kept is the answer of whoever took it."""

    def overtaken(**kwargs: Any) -> Event:
        taken = timezone.now() + timedelta(seconds=1)
        IdempotencyKey.objects.update(created_at=taken, status=201, body=b"{}")
        return create_event(**kwargs)

    monkeypatch.setattr("api.views.events.create_event", overtaken)
    assert Api(manager).post("events/", {"name": "Once"}, key="k-1").json()["name"] == "Once"
    assert bytes(IdempotencyKey.objects.get().body) == b"{}"


def test_answers_are_kept_for_a_day(manager: User) -> None:
    api = Api(manager)
    api.post("events/", {"name": "Once"}, key="k-1")
    IdempotencyKey.objects.update(created_at=timezone.now() - KEPT)
    api.post("events/", {"name": "Twice"}, key="k-2")
    assert [row.key for row in IdempotencyKey.objects.all()] == ["k-2"]


def test_reads_keep_nothing(mine: Side, manager: User) -> None:
    Api(manager).client.get("/api/v1/events/", headers={"Idempotency-Key": "k-1"})
    assert not IdempotencyKey.objects.exists()


def test_whoever_lost_the_right_gets_no_kept_answer(mine: Side, manager: User) -> None:
    Api(manager).post("events/", {"name": "Once"}, key="k-1")
    manager.groups.clear()
    answer = Api(User.objects.get(pk=manager.pk)).post("events/", {"name": "Once"}, key="k-1")
    assert problem_of(answer, 403)["code"] == "forbidden"


def test_a_repeated_replacement_is_done_once_and_not_told_to_whoever_lost_the_right(
    mine: Side, manager: User
) -> None:
    path, body = f"events/{mine.event.pk}/roster/", {"external_ids": ["4711", "4712"]}
    first = Api(manager).put(path, body, key="k-1")
    RosterEntry.objects.filter(external_id="4712").delete()
    again = Api(manager).put(path, body, key="k-1")
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert RosterEntry.objects.count() == 1
    manager.groups.clear()
    EventGrant.objects.create(user=manager, event=mine.event, role="labeler")
    problem_of(Api(User.objects.get(pk=manager.pk)).put(path, body, key="k-1"), 403)


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_the_same_moment_make_one_event() -> None:
    manager = make_user("mona", "manager")
    clients = [Api(manager) for _ in range(4)]
    start = threading.Barrier(len(clients))
    answers: list[Any] = []

    def send(api: Api) -> None:
        try:
            start.wait(timeout=10)
            answers.append(api.post("events/", {"name": "Once"}, key="k-1"))
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(api,)) for api in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(answers) == len(clients)
    assert Event.objects.count() == 1
    for answer in answers:
        assert answer.status_code in {201, 409}
        if answer.status_code == 409:
            assert answer.json()["code"] == "idempotency_in_progress"
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
