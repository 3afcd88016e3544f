"""The embedder's page, the API beside it, and what the worker does because of its buttons."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from access.roles import LABELER, MANAGER
from recognition import tasks
from recognition.active_embedder import get_active_embedder_id
from recognition.embedders import get_embedder
from recognition.models import Reembedding
from recognition.reembedding import prepare_switch, start_reembedding
from recognition.reembedding.background import go_on_changing, sweep_change
from recognition.storage import original_path
from tests.conftest import count_queries, make_local, make_user, signed_in
from tests.fakes import EMBEDDER_ID, SECOND_ID
from tests.recognition.reembedding.photos import fill, process

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("drawn_faces")]
PAGE = "/quality/embedder/"
CHANGE = "/quality/embedder/change/"
API = "/api/v1/embedder/"


@pytest.fixture
def ada(db: None) -> Client:
    return signed_in(User.objects.create_superuser("ada", password="correct horse battery"))


def press(client: Client, **data: str) -> str:
    return client.post(CHANGE, data, follow=True).content.decode()


def ready() -> Reembedding:
    row = start_reembedding(SECOND_ID)
    assert prepare_switch(row, get_embedder(SECOND_ID))
    return row


class TestPage:
    def test_before_the_first_change_it_says_what_is_in_use_and_what_to_do(self, ada: Client) -> None:
        page = ada.get(PAGE).content.decode()
        assert EMBEDDER_ID in page
        assert "Embed and compare" in page
        assert f"<option>{SECOND_ID}</option>" in page

    def test_an_administrator_changes_it_by_buttons_alone(self, ada: Client, labeler: User) -> None:
        fill(labeler)
        assert "Begun" in press(ada, action="start", to=SECOND_ID)
        assert "0 of 8" in ada.get(PAGE).content.decode()
        tasks.change_embedder.func()
        page = ada.get(PAGE).content.decode()
        assert f"Switch to {SECOND_ID}" in page
        assert "How the two differ" in page
        assert get_active_embedder_id() == EMBEDDER_ID
        assert "Switched" in press(ada, action="switch")
        assert get_active_embedder_id() == SECOND_ID
        assert "Switched" in press(ada, action="back")
        assert get_active_embedder_id() == EMBEDDER_ID

    def test_where_photos_came_since_a_worker_embeds_them_and_then_switches(self, ada: Client) -> None:
        process("red")
        ready()
        process("blue", salt=1)
        assert "came since" in press(ada, action="switch")
        assert get_active_embedder_id() == EMBEDDER_ID
        assert not go_on_changing()
        assert get_active_embedder_id() == SECOND_ID
        process("green", salt=2)
        press(ada, action="back")
        assert not go_on_changing()
        assert get_active_embedder_id() == EMBEDDER_ID

    def test_while_it_goes_on_the_card_asks_again_and_at_the_end_no_more(self, ada: Client) -> None:
        process("red")
        press(ada, action="start", to=SECOND_ID)
        card = ada.get(PAGE, headers={"HX-Request": "true"}).content.decode()
        assert card.lstrip().startswith('<div id="change"')
        assert "every 2s" in card
        go_on_changing()
        assert "every 2s" not in ada.get(PAGE, headers={"HX-Request": "true"}).content.decode()

    def test_what_a_worker_cannot_do_is_told(self, ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        from recognition.embedders import WeightsMissing
        from recognition.reembedding import background

        def missing(embedder_id: str) -> Any:
            raise WeightsMissing("The weights are not here.")

        monkeypatch.setattr(background, "get_embedder", missing)
        process("red")
        press(ada, action="start", to=SECOND_ID)
        assert not go_on_changing()
        page = ada.get(PAGE).content.decode()
        assert "The weights are not here." in page
        assert "Go on" in page

    def test_photos_that_could_not_be_read_are_listed(self, ada: Client) -> None:
        photo = process("red")
        original_path(photo.sha256, photo.format).unlink()
        ready()
        page = ada.get(PAGE).content.decode()
        assert photo.name in page
        assert "gone from the server" in page

    def test_a_name_that_is_none_is_refused_in_words(self, ada: Client) -> None:
        assert "cannot be loaded" in press(ada, action="start", to="nothing")
        assert "no change" in press(ada, action="switch")
        assert "one of the buttons" in press(ada, action="explode")
        assert not Reembedding.objects.exists()

    def test_it_is_given_up_by_a_button(self, ada: Client) -> None:
        process("red")
        press(ada, action="start", to=SECOND_ID)
        assert "Given up" in press(ada, action="cancel")
        assert not go_on_changing()

    def test_it_asks_the_database_as_often_for_many_failures_as_for_few(self, ada: Client) -> None:
        photos = [process("red", salt=salt) for salt in range(4)]
        original_path(photos[0].sha256, photos[0].format).unlink()
        row = ready()
        ada.get(PAGE)
        few = count_queries(ada, PAGE)
        Reembedding.objects.filter(pk=row.pk).update(
            failures={str(photo.pk): "It is gone." for photo in photos}
        )
        assert count_queries(ada, PAGE) == few


class TestWhoMay:
    def test_a_manager_of_everything_sees_it_and_changes_nothing(self) -> None:
        manager = signed_in(make_user("mona", MANAGER))
        assert "An administrator changes it" in manager.get(PAGE).content.decode()
        assert manager.post(CHANGE, {"action": "start", "to": SECOND_ID}).status_code == 403
        assert not Reembedding.objects.exists()

    def test_a_manager_of_one_event_does_not_see_it(self) -> None:
        photo = process("red")
        local = signed_in(make_local("luis", MANAGER, photo.event))
        assert local.get(PAGE).status_code == 403
        assert local.get(API).status_code == 403
        assert local.post(CHANGE, {"action": "start", "to": SECOND_ID}).status_code == 403

    def test_a_labeler_does_not_see_it(self) -> None:
        labeler = signed_in(make_user("lena", LABELER))
        assert labeler.get(PAGE).status_code == 403
        assert labeler.post(CHANGE, {"action": "cancel"}).status_code == 403


class TestApi:
    def test_it_says_what_the_page_says(self, ada: Client, labeler: User) -> None:
        assert ada.get(API).json() == {"embedder_id": EMBEDDER_ID, "change": None}
        fill(labeler)
        ready()
        change = ada.get(API).json()["change"]
        assert (change["source"], change["target"], change["state"]) == (EMBEDDER_ID, SECOND_ID, "ready")
        assert change["agreement"]["machine"] == {"compared": 2, "agrees": 2, "differs": 0}
        assert change["agreement"]["after"]["dimension"] == 12

    def test_before_it_is_ready_there_is_no_report(self, ada: Client) -> None:
        process("red")
        start_reembedding(SECOND_ID)
        change = ada.get(API).json()["change"]
        assert (change["agreement"], change["faces_total"]) == (None, 1)


def test_the_sweep_takes_up_what_a_dead_worker_dropped(ada: Client) -> None:
    from django_tasks_db.models import DBTaskResult

    process("red")
    press(ada, action="start", to=SECOND_ID)
    DBTaskResult.objects.all().delete()
    sweep_change()
    assert DBTaskResult.objects.filter(task_path=tasks.change_embedder.module_path).count() == 1
