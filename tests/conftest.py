"""Fixtures that every test may use: a data folder of its own, a fresh gallery index, people with roles."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from access.models import EventGrant
from access.roles import LABELER, MANAGER, UPLOADER
from recognition.models import Event


def pytest_collection_finish() -> None:
    """The modules that are imported by now live to the end: the garbage collector walks around them no more."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, settings: object) -> Path:
    """Photos and crops of one test never meet another's."""
    settings.FACEVAULT_DATA = tmp_path / "data"  # type: ignore[attr-defined]
    return tmp_path / "data"


@pytest.fixture(autouse=True)
def fresh_gallery_index() -> Iterator[None]:
    from recognition.gallery_index import reset_gallery_index
    from recognition.looks.index import reset_look_index

    reset_gallery_index()
    reset_look_index()
    yield
    reset_gallery_index()


def make_user(name: str, *roles: str) -> User:
    user = User.objects.create_user(name, password="correct horse battery")
    # A transactional test before this one has emptied the tables, and the migration's groups with them.
    user.groups.set(Group.objects.get_or_create(name=role)[0] for role in roles)
    return user


def make_local(name: str, role: str, *events: Event) -> User:
    """Somebody with a role in these events alone."""
    user = make_user(name)
    for event in events:
        EventGrant.objects.create(user=user, event=event, role=role)
    return user


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def count_queries(client: Client, path: str, **headers: str) -> int:
    """How many it takes to answer, the session's and the account's included."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path, headers=headers).status_code == 200
    return len(captured)


@pytest.fixture
def labeler(db: None) -> User:
    return make_user("lena", LABELER)


@pytest.fixture
def uploader(db: None) -> User:
    return make_user("uli", UPLOADER)


@pytest.fixture
def manager(db: None) -> User:
    return make_user("mona", MANAGER)


@pytest.fixture
def outsider(db: None) -> User:
    """Signed in, without any role."""
    return make_user("otto")


@pytest.fixture
def as_labeler(labeler: User) -> Client:
    return signed_in(labeler)


@pytest.fixture
def as_uploader(uploader: User) -> Client:
    return signed_in(uploader)


@pytest.fixture
def as_manager(manager: User) -> Client:
    return signed_in(manager)


@pytest.fixture
def as_outsider(outsider: User) -> Client:
    return signed_in(outsider)


@pytest.fixture
def drawn_faces(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker finds and tells apart drawn faces; see tests/fakes.py."""
    from recognition import detection, ingest
    from recognition.active_embedder import ensure_active_embedder
    from tests import fakes

    # Set to themselves, so that monkeypatch puts them back at the end.
    for module in (detection, ingest):
        monkeypatch.setattr(module, "get_detector", detection.get_detector)
    fakes.install_fakes()
    ensure_active_embedder(lambda: fakes.CHOICE)
