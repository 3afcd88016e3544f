"""The help page: for everybody who is signed in, and it names every key that any page knows."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from access.roles import ROLES
from tests.conftest import make_user

pytestmark = pytest.mark.django_db
TEMPLATES = Path(settings.BASE_DIR) / "templates"
SCRIPTS = Path(settings.BASE_DIR) / "static" / "js"
# How the page writes keys that have no letter; a browser's own keys need no script of ours.
WRITTEN = {"←": "ArrowLeft", "→": "ArrowRight", "↑": "ArrowUp", "↓": "ArrowDown", "Esc": "Escape"}
THE_BROWSERS = {"Tab", "Space", "Shift", "Ctrl"}


def keys_of_templates() -> set[str]:
    """Every value of data-hotkey; what a template computes there is a number of a list."""
    found: set[str] = set()
    for template in TEMPLATES.rglob("*.html"):
        for value in re.findall(r'data-hotkey="([^"]*)"', template.read_text()):
            plain = re.sub(r"{%.*?%}", " ", re.sub(r"{{.*?}}", " 1 ", value))
            found.update(plain.split())
    return found


@pytest.fixture
def page() -> str:
    client = Client()
    client.force_login(make_user("otto"))
    return client.get("/help/").content.decode()


def keys_of(page: str) -> set[str]:
    main = page.split("<main")[1]
    return {WRITTEN.get(key, key) for key in re.findall(r"<kbd>([^<]+)</kbd>", main)}


def test_the_templates_print_keys_at_all() -> None:
    assert {"1", "Enter", "x", "/", "n", "s", "u", "i", "d", "?", "y"} <= keys_of_templates()


def test_every_key_of_every_page_is_explained(page: str) -> None:
    assert keys_of_templates() - keys_of(page) == set()


def test_no_key_is_explained_that_no_page_knows(page: str) -> None:
    scripts = "".join(path.read_text() for path in SCRIPTS.glob("*.js"))
    known = keys_of_templates() | THE_BROWSERS | {str(number) for number in range(1, 6)}
    assert {key for key in keys_of(page) - known if f'"{key}"' not in scripts} == set()


@pytest.mark.parametrize("role", ["", *ROLES])
def test_everybody_who_is_signed_in_may_read_it(role: str) -> None:
    client = Client()
    client.force_login(make_user("rita", *([role] if role else [])))
    response = client.get("/help/")
    assert response.status_code == 200
    assert response.context["frame"].section == "help"


def test_the_anonymous_are_sent_to_sign_in(client: Client) -> None:
    assert client.get("/help/").status_code == 302


def test_every_role_is_explained(page: str) -> None:
    assert all(f'<th scope="col">{role}</th>' in page for role in ROLES)


def test_every_page_has_a_link_and_a_key_to_it(as_labeler: Client) -> None:
    assert re.search(r'href="/help/"[^>]*data-hotkey="\?"', as_labeler.get("/people/").content.decode())


def test_the_keys_are_listened_to_once_a_page() -> None:
    """A second listener would press every button twice."""
    loading = [path.name for path in TEMPLATES.rglob("*.html") if "js/hotkeys.js" in path.read_text()]
    assert loading == ["base.html"]
