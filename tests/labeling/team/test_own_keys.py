"""Each account's own keys: kept, shown, refused where two would be one, and switched off."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from labeling.models import Preferences
from labeling.team.keys import KEYS, own_keys
from tests.conftest import make_user, signed_in

pytestmark = pytest.mark.django_db


def usual(**changed: str) -> dict[str, str]:
    return {key.action: key.usual for key in KEYS} | changed


def keys_of(client: Client) -> dict[str, str]:
    """What the script reads."""
    found = re.search(r'data-keys="([^"]*)"', client.get("/help/").content.decode())
    keys: dict[str, str] = json.loads(html.unescape(found[1])) if found else {}
    return keys


def test_no_usual_key_is_there_twice() -> None:
    assert len({key.usual for key in KEYS}) == len({key.action for key in KEYS}) == len(KEYS)


def test_the_keys_that_can_be_changed_are_those_of_the_templates() -> None:
    found = {"1", "2", "3", "4", "5"}
    for template in (Path(settings.BASE_DIR) / "templates").rglob("*.html"):
        for value in re.findall(r'data-hotkey="([^"]*)"', template.read_text()):
            found |= {key for key in re.sub(r"{[%{].*?[%}]}", " ", value).split() if len(key) == 1}
    assert found == {key.usual for key in KEYS}


def test_a_changed_key_is_on_every_page_and_for_this_account_alone(as_labeler: Client) -> None:
    assert keys_of(as_labeler) == {}
    assert as_labeler.post("/keys/", usual(skip="w", swap="s")).status_code == 302
    assert keys_of(as_labeler) == {"s": "w", "w": "s"}
    assert keys_of(signed_in(make_user("nora", "labeler"))) == {}


def test_only_what_differs_is_stored(as_labeler: Client) -> None:
    as_labeler.post("/keys/", usual(skip="p"))
    assert Preferences.objects.get().keys == {"skip": "p"}


@pytest.mark.parametrize("changed", [{"skip": "i"}, {"skip": "ß", "undo": "ß"}])
def test_a_key_that_is_taken_is_refused_and_said(as_labeler: Client, changed: dict[str, str]) -> None:
    answer = as_labeler.post("/keys/", usual(**changed))
    assert answer.status_code == 422
    assert "is taken by" in html.unescape(answer.content.decode())
    assert not Preferences.objects.exists()


@pytest.mark.parametrize("key", ["ab", "\t\x00", "\x07"])
def test_a_key_that_is_none_is_refused(as_labeler: Client, key: str) -> None:
    assert as_labeler.post("/keys/", usual(skip=key)).status_code in {302, 422}
    assert not Preferences.objects.filter(keys__has_key="skip").exists()


def test_an_empty_field_means_the_usual_key(as_labeler: Client) -> None:
    as_labeler.post("/keys/", usual(skip=""))
    assert Preferences.objects.get().keys == {}


def test_all_usual_keys_come_back_at_once(as_labeler: Client, labeler: User) -> None:
    as_labeler.post("/keys/", usual(skip="p"))
    as_labeler.post("/keys/", {"reset": "1"})
    assert own_keys(Preferences.objects.get()) == {}


def test_the_help_page_shows_the_own_keys(as_labeler: Client) -> None:
    as_labeler.post("/keys/", usual(skip="p"))
    page = as_labeler.get("/help/").content.decode().split("<main")[1]
    assert "<kbd>p</kbd>" in page
    assert "<kbd>s</kbd>" not in page


def test_single_keys_are_switched_off_for_good(as_labeler: Client) -> None:
    as_labeler.post("/keys/switch/")
    assert 'data-single-keys="off"' in as_labeler.get("/help/").content.decode()
    as_labeler.post("/keys/switch/", {"single_keys": "1"})
    assert "data-single-keys" not in as_labeler.get("/help/").content.decode()


def test_switching_keeps_the_own_keys(as_labeler: Client) -> None:
    as_labeler.post("/keys/", usual(skip="p"))
    as_labeler.post("/keys/switch/")
    assert keys_of(as_labeler) == {"s": "p"}


def test_an_action_of_an_older_version_is_left_alone(as_labeler: Client, labeler: User) -> None:
    Preferences.objects.create(user=labeler, keys={"gone": "p"})
    assert keys_of(as_labeler) == {}


def test_keys_are_for_those_who_are_signed_in(client: Client) -> None:
    assert client.get("/keys/").status_code == 302
    assert client.post("/keys/", usual(skip="p")).status_code == 302
    assert client.post("/keys/switch/").status_code == 302
    assert not Preferences.objects.exists()
