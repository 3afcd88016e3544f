"""A client that speaks JSON and bears a token, and two events with a photo, a named face and an open one in each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponseBase
from django.test import Client
from django.utils import timezone

from access.scopes import SCOPES
from access.tokens import create_token
from recognition.models import Event, Face, Person, Photo, UnlabeledFace
from tests.conftest import make_local
from tests.factories import activate_embedder, label_face, make_event, make_face, make_person, make_photo

V1 = "/api/v1/"


class Api:
    """What a script of the user's sends; without a token it is a stranger's."""

    def __init__(self, user: User | None = None, *scopes: str, secret: str = "") -> None:
        headers = {}
        if user is not None:
            made = create_token(
                user=user,
                name="a test",
                scopes=list(scopes or SCOPES),
                expires_at=timezone.now() + timedelta(days=1),
            )
            secret = made.secret
        if secret:
            headers["Authorization"] = f"Bearer {secret}"
        self.client = Client(headers=headers, raise_request_exception=False, enforce_csrf_checks=True)

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(V1 + path, query)

    def post(self, path: str, body: Any = None, *, key: str = "", **headers: str) -> Any:
        return self._send("post", path, body, key, headers)

    def patch(self, path: str, body: Any = None, *, key: str = "") -> Any:
        return self._send("patch", path, body, key, {})

    def put(self, path: str, body: Any = None, *, key: str = "") -> Any:
        return self._send("put", path, body, key, {})

    def delete(self, path: str, *, key: str = "") -> Any:
        return self._send("delete", path, None, key, {})

    def _send(self, method: str, path: str, body: Any, key: str, headers: dict[str, str]) -> HttpResponseBase:
        sent = {**headers, **({"Idempotency-Key": key} if key else {})}
        data = json.dumps(body) if body is not None else ""
        answer: HttpResponseBase = getattr(self.client, method)(
            V1 + path, data, content_type="application/json", headers=sent
        )
        return answer


@dataclass(frozen=True)
class Side:
    """An event with one photo, on it a face that a person has and one that waits."""

    event: Event
    photo: Photo
    named: Face
    open: Face
    person: Person


def make_side(name: str) -> Side:
    event = make_event(name)
    photo = make_photo(event)
    named, waiting, person = make_face(photo), make_face(photo), make_person(f"{name} person")
    label_face(named, person)
    UnlabeledFace.objects.create(face=waiting)
    return Side(event, photo, named, waiting, person)


@pytest.fixture(autouse=True)
def active(db: None) -> None:
    activate_embedder()


@pytest.fixture
def mine() -> Side:
    return make_side("Mine")


@pytest.fixture
def foreign() -> Side:
    return make_side("Foreign")


def local_user(event: Event, role: str, name: str = "rita") -> User:
    """An account with a role in this event alone."""
    return make_local(name, role, event)


def problem_of(answer: Any, status: int) -> dict[str, Any]:
    """The problem that was answered, which says its status itself and what to do."""
    assert answer.status_code == status, (answer.status_code, answer.content)
    assert answer.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["detail"]
    return body
