"""A site of its own per test (web server and worker as processes) and a Chromium that fails on any console error."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright
from pysqlite3 import connect

from tests.running_site import CHROMIUM, FLAGS, Site, prepare_site, run_site

PASSWORD = "correct horse battery"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(autouse=True, scope="session")
def needs_chromium() -> None:
    """Skips from this one place, so that the summary says it in one line."""
    if CHROMIUM is None:
        pytest.skip("browser tests need Chromium: `apt-get install chromium`, or set CHROMIUM to its path")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """An empty site: gunicorn with two processes, and one worker with the real models."""
    with run_site(tmp_path / "vault", workers=1) as site:
        site.manage("shell", code=_USERS)
        yield site


@pytest.fixture(scope="session")
def stocked_vault(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a site with known people and 25 faces in the queue, all drawn."""
    folder = tmp_path_factory.mktemp("stocked") / "vault"
    site = prepare_site(folder)
    size = ("--faces", "70", "--people", "8", "--unlabeled", "25", "--clusters", "4", "--seed", "3")
    site.manage("build_demo_vault", *size)
    site.manage("shell", code=_USERS)
    return folder


@pytest.fixture(scope="session")
def stocked_site(stocked_vault: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The one site that all stocked tests of this process are served by: starting one takes longer than most of them."""
    folder = tmp_path_factory.mktemp("stocked-site") / "vault"
    shutil.copytree(stocked_vault, folder)
    with run_site(folder, workers=0, ready=True) as site:
        yield site


@pytest.fixture
def stocked(stocked_site: Site, stocked_vault: Path) -> Site:
    """The stocked site with every row as it was; nothing is uploaded there, so it has no worker."""
    _restore_rows(stocked_vault, stocked_site.data)
    return stocked_site


@pytest.fixture(scope="module")
def playwright_driver() -> Iterator[Playwright]:
    """Ends with the file: while it runs an event loop, Django refuses the database to every other test of the process."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def chromium(playwright_driver: Playwright) -> Iterator[Browser]:
    browser = playwright_driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def visitor(chromium: Browser, site: Site) -> Iterator[BrowserContext]:
    """A browser of its own; any console error, CSP report or server error fails the test at its end."""
    complaints: list[str] = []
    context = chromium.new_context(base_url=site.address, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(20_000)
    context.on(
        "console", lambda message: complaints.append(message.text) if message.type == "error" else None
    )
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on(
        "response",
        lambda reply: complaints.append(f"{reply.status} {reply.url}") if reply.status >= 500 else None,
    )
    yield context
    # What closing itself breaks off is no fault of the page.
    heard = list(complaints)
    context.close()
    # A conflict or an invalid form is an answer that the page draws; the browser logs its status all the same.
    drawn = ("status of 409", "status of 422")
    assert not [text for text in _without_broken_off(heard) if not any(status in text for status in drawn)]


def _without_broken_off(heard: list[str]) -> list[str]:
    """A request that leaving its page broke off is no fault, either: htmx tells it by two lines, the second says why."""
    kept: list[str] = []
    for text in heard:
        if text.startswith("htmx:sendAbort"):
            if kept and kept[-1].startswith("htmx:afterRequest"):
                kept.pop()
            continue
        kept.append(text)
    return kept


@pytest.fixture
def page(visitor: BrowserContext) -> Page:
    return visitor.new_page()


def sign_in(page: Page, name: str = "admin") -> None:
    """By a session that is there already: hashing the password takes longer than most tests. Shows the overview."""
    page.context.add_cookies(
        [
            {
                "name": "sessionid",
                "value": _SESSION + name,
                "domain": "localhost",
                "path": "/",
                "httpOnly": True,
            }
        ]
    )
    page.goto("/")


def sign_in_by_form(page: Page, name: str = "admin") -> None:
    page.goto("/login/")
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "login" not in url)


def _restore_rows(stocked: Path, served: Path) -> None:
    """Copy the database over the one that is being served, under an epoch that its processes have not seen."""
    name = "facevault.sqlite3"
    with closing(connect(stocked / name)) as source, closing(connect(served / name, timeout=20)) as target:
        source.backup(target)
        target.execute("UPDATE recognition_gallerystate SET epoch = ?", [uuid.uuid4().hex])
        target.commit()


_SESSION = "session-of-browser-tests-"
_USERS = f"""
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group, User
from datetime import timedelta
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.utils import timezone
admin = User.objects.get(username="admin")
admin.set_password({PASSWORD!r})
admin.save()
for name, role in [("lena", "labeler"), ("uli", "uploader"), ("mona", "manager")]:
    User.objects.create_user(name, password={PASSWORD!r}).groups.add(Group.objects.get(name=role))
for user in User.objects.filter(username__in=["admin", "lena", "uli", "mona"]):
    data = {{SESSION_KEY: str(user.pk), HASH_SESSION_KEY: user.get_session_auth_hash()}}
    data[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    Session.objects.create(
        session_key={_SESSION!r} + user.username,
        session_data=SessionStore().encode(data),
        expire_date=timezone.now() + timedelta(days=1),
    )
"""
