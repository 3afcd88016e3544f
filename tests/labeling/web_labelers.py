"""Labelers who work through the pages of a running site as browsers without JavaScript do: forms, redirects, cookies."""

from __future__ import annotations

import random
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPMessage
from http.cookiejar import CookieJar
from typing import IO, Any
from uuid import UUID

_SECONDS = 120
_CLOSING = {("verdict", "stranger"), ("rest", "1")}
_FOR_TICKED = {("action", "confirm"), ("action", "stranger")}


@dataclass(slots=True)
class Form:
    """The hidden fields, which are always posted; the fields to type into; the boxes to tick; the buttons, one of them pressed."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    typed: list[str] = field(default_factory=list)
    boxes: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    def value(self, name: str) -> str | None:
        return next((value for other, value in self.fields if other == name), None)

    @property
    def is_open(self) -> bool:
        """Of a card: what is decided cannot be put off any more."""
        return ("verdict", "skip") in self.buttons or ("action", "skip") in self.buttons


@dataclass(slots=True)
class Answer:
    status: int
    url: str
    body: str


@dataclass(slots=True)
class Log:
    """What one labeler posted: the keys of the decisions that were accepted, and how often each status came."""

    accepted: list[UUID] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    pages: list[str] = field(default_factory=list)


class WebLabeler:
    def __init__(self, address: str, name: str, *, seed: int) -> None:
        self.log = Log()
        self._address = address
        self._name = name
        self._rng = random.Random(seed)
        self._guests = 0
        handlers = (urllib.request.HTTPCookieProcessor(CookieJar()), _NoRedirect())
        self._opener = urllib.request.build_opener(*handlers)

    def work(self, password: str) -> None:
        """Sign in, then decide card after card until the queue is empty."""
        self._sign_in(password)
        page = self._next_card()
        while cards := [form for form in read_forms(page.body) if form.value("key") is not None]:
            if not any(form.is_open for form in cards):
                # Somebody was faster than this page.
                page = self._next_card()
                continue
            action, data = self._choose(cards)
            answer = self._post(action, data, page=page.url)
            if answer.status < 400:
                self.log.accepted.append(UUID(dict(data)["key"]))
                page = self._follow(answer)
            else:
                # Somebody was first, or the name is unclear: on with whatever comes.
                page = self._next_card()

    def _next_card(self) -> Answer:
        return self._follow(self._get("/label/"))

    def _choose(self, cards: list[Form]) -> tuple[str, list[tuple[str, str]]]:
        """A suggested person, a new one, or strangers, up to everybody left on the photo."""
        ways: list[tuple[Form, list[tuple[str, str]]]] = []
        for form in cards:
            suggested = [button for button in form.buttons if button[0] == "person"][:1]
            verdicts = [button for button in form.buttons if button in _CLOSING]
            ways += [(form, [button]) for button in (*suggested, *verdicts)]
            # On a person's list all faces are ticked: what is left out would stay open.
            ways += [(form, [*form.boxes, button]) for button in form.buttons if button in _FOR_TICKED]
            if "name" in form.typed and ("new", "1") in form.buttons:
                self._guests += 1
                ways.append((form, [("name", f"Guest {self._guests} of {self._name}"), ("new", "1")]))
        form, extra = self._rng.choice(ways)
        return form.action, [*form.fields, *extra]

    def _sign_in(self, password: str) -> None:
        page = self._get("/login/")
        form = next(form for form in read_forms(page.body) if "password" in form.typed)
        data = [*form.fields, ("username", self._name), ("password", password)]
        answer = self._post(form.action or "/login/", data, page="/login/")
        assert answer.status == 302, answer.body

    def _get(self, path: str) -> Answer:
        return self._open(urllib.request.Request(urllib.parse.urljoin(self._address, path)))

    def _post(self, path: str, data: list[tuple[str, str]], *, page: str) -> Answer:
        url = urllib.parse.urljoin(urllib.parse.urljoin(self._address, page), path)
        request = urllib.request.Request(url, urllib.parse.urlencode(data).encode(), {"Referer": url})
        return self._open(request)

    def _follow(self, answer: Answer) -> Answer:
        for _ in range(5):
            if answer.status not in {301, 302, 303}:
                break
            answer = self._get(answer.url)
        return answer

    def _open(self, request: urllib.request.Request) -> Answer:
        try:
            reply: Any = self._opener.open(request, timeout=_SECONDS)
        except urllib.error.HTTPError as error:
            reply = error
        with reply:
            url = reply.headers.get("Location") or request.full_url
            answer = Answer(reply.status, url, reply.read().decode())
        self.log.statuses[answer.status] += 1
        if answer.status >= 500:
            self.log.pages.append(f"{request.full_url}: {answer.body[:400]}")
        return answer


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Each step is looked at."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        return None


def read_forms(body: str) -> list[Form]:
    parser = _Forms()
    parser.feed(body)
    return parser.forms


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and given.get("method", "").lower() == "post":
            self.forms.append(Form(given.get("action", "")))
            self._inside = True
        elif self._inside and "disabled" not in given and "form" not in given:
            self._take(self.forms[-1], tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False

    def _take(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name, kind = given.get("name", ""), given.get("type", "text")
        if not name:
            return
        if tag == "button":
            form.buttons.append((name, given.get("value", "")))
        elif tag == "input" and kind == "hidden":
            form.fields.append((name, given.get("value", "")))
        elif tag == "input" and kind == "checkbox":
            form.boxes.append((name, given.get("value", "on")))
        elif tag == "input":
            form.typed.append(name)
