"""The log: one line per request, in two formats, and never a name in any."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection
from django.http import HttpRequest, StreamingHttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from facevault_site.gunicorn_conf import NamelessLogger
from facevault_site.logs import (
    JsonFormatter,
    PlainFormatter,
    RequestLogMiddleware,
    describe_error,
    request_id_of,
)
from recognition.images import PhotoRefused
from tests.conftest import make_user
from tests.factories import make_person
from tests.log_lines import Log, capture_log

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(params=[JsonFormatter, PlainFormatter])
def log(request: pytest.FixtureRequest) -> Iterator[Log]:
    with capture_log(request.param()) as log:
        yield log


@pytest.fixture
def json_log() -> Iterator[Log]:
    with capture_log(JsonFormatter()) as log:
        yield log


def raised(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as caught:
        return caught


@pytest.mark.django_db
def test_a_request_is_one_line_with_what_monitoring_needs(json_log: Log, labeler: User) -> None:
    client = Client()
    client.force_login(labeler)
    person = make_person("Alice")
    client.get(f"/people/{person.pk}/", headers={"X-Request-ID": "abc-123"})
    line = json_log.request()
    assert line["route"] == "people/<int:person_pk>/"
    assert (line["method"], line["status"], line["user"]) == ("GET", 200, labeler.pk)
    assert (line["level"], line["request_id"]) == ("INFO", "abc-123")
    assert line["duration_ms"] > 0
    assert line["time"].endswith("Z")


@pytest.mark.django_db
def test_a_visitor_who_is_not_signed_in_has_no_user_and_costs_no_query(json_log: Log, client: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        client.get("/healthz/")
    assert "user" not in json_log.request()
    assert len(queries) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/people/?q=Alice", "/people/Alice/", "/people/999999/?q=Alice", "/static/Alice.css"]
)
@pytest.mark.parametrize("method", ["get", "put"])
def test_what_somebody_searched_for_is_never_logged(log: Log, labeler: User, path: str, method: str) -> None:
    logging.getLogger("django.request").setLevel(logging.DEBUG)
    client = Client()
    client.force_login(labeler)
    try:
        getattr(client, method)(path)
    finally:
        logging.getLogger("django.request").setLevel(logging.ERROR)
    assert "facevault.request" in log.text
    assert "Alice" not in log.text


@pytest.mark.django_db
def test_a_bug_is_logged_with_its_lines_and_without_its_values(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise KeyError("Al" + "ice")

    monkeypatch.setattr("recognition.views.people.load_people", fail)
    client = Client(raise_request_exception=False)
    client.force_login(make_user("lara", "labeler"))
    client.get("/people/?q=Alice", headers={"X-Request-ID": "the-one"})
    assert "KeyError: (...)" in log.text
    assert "test_logs.py" in log.text
    assert log.text.count("the-one") >= 2
    assert "Alice" not in log.text


@pytest.mark.django_db
def test_the_page_of_a_bug_and_its_answer_name_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("recognition.views.people.load_people", fail)
    client = Client(raise_request_exception=False)
    client.force_login(make_user("lara", "labeler"))
    response = client.get("/people/", headers={"X-Request-ID": "the-one"})
    assert response.headers["X-Request-ID"] == "the-one"
    assert "<code>the-one</code>" in response.content.decode()


@pytest.mark.django_db
def test_a_request_without_an_id_is_given_one(client: Client) -> None:
    first, second = client.get("/healthz/"), client.get("/healthz/")
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]
    assert len(first.headers["X-Request-ID"]) == 32


@pytest.mark.django_db
@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\nb", "ünïcode", "<b>", "٣"])
def test_an_id_that_is_not_well_formed_is_replaced(client: Client, given: str) -> None:
    response = client.get("/healthz/", headers={"X-Request-ID": given})
    assert response.headers["X-Request-ID"] != given


def test_an_answer_that_is_made_while_it_is_sent_is_logged_at_its_end(json_log: Log) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"one"
        logging.getLogger("export").info("half")
        yield b"two"

    middleware = RequestLogMiddleware(lambda request: StreamingHttpResponse(chunks()))
    with LevelOf("export", logging.INFO):
        response = middleware(RequestFactory().get("/", headers={"X-Request-ID": "zip"}))
        assert json_log.text == ""
        assert isinstance(response, StreamingHttpResponse)
        assert b"".join(response) == b"onetwo"
        logging.getLogger("export").info("after")
    assert [line.get("request_id") for line in json_log.lines] == ["zip", "zip", None]


class LevelOf:
    def __init__(self, name: str, level: int) -> None:
        self._logger, self._level = logging.getLogger(name), level

    def __enter__(self) -> None:
        self._before = self._logger.level
        self._logger.setLevel(self._level)

    def __exit__(self, *args: object) -> None:
        self._logger.setLevel(self._before)


def test_an_id_is_only_what_the_middleware_gave() -> None:
    assert request_id_of(HttpRequest()) == ""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            FileNotFoundError(2, "No such file or directory", "/photos/Alice.jpg"),
            "[Errno 2] No such file or directory",
        ),
        (
            IntegrityError(
                'duplicate key value violates unique constraint "name"\nDETAIL:  Key (name)=(Alice) exists.'
            ),
            "duplicate key value violates unique constraint (...)",
        ),
        (
            ValueError("invalid literal for int() with base 10: 'Alice O\\'Brien'"),
            "invalid literal for int() with base 10: (...)",
        ),
        (
            AttributeError("'NoneType' object has no attribute 'pk'"),
            "'NoneType' object has no attribute 'pk'",
        ),
    ],
)
def test_an_error_is_told_without_what_it_quotes(error: Exception, words: str) -> None:
    assert describe_error(raised(error)) == words


def test_an_error_that_is_given_to_a_line_is_cleaned_there_too(log: Log) -> None:
    logging.getLogger("recognition.faults").error(
        "photo %s waits: %s", 7, FileNotFoundError(2, "gone", "/x/Alice.jpg")
    )
    assert "photo 7 waits: [Errno 2] gone" in log.text
    assert "Alice" not in log.text


def test_a_cause_is_told_once_and_a_circle_ends(log: Log) -> None:
    inner, outer = raised(ValueError("inner")), raised(PhotoRefused("truncated", "Send it again."))
    outer.__cause__, inner.__cause__ = inner, outer
    logging.getLogger("recognition").error("photo 7", exc_info=outer)
    assert log.text.count("ValueError: inner") == 1
    assert "_photo_header.PhotoRefused" in log.text


def test_a_line_stays_one_line(log: Log) -> None:
    logging.getLogger("recognition").error("one\ntwo")
    assert len(log.text.splitlines()) == 1


def test_a_referring_page_is_logged_without_its_query(log: Log) -> None:
    logging.getLogger("django.security.csrf").error(
        "Forbidden (%s)", "Referer checking failed - https://a.example/people/?q=Alice does not match."
    )
    assert "https://a.example/people/ does not match" in log.text
    assert "Alice" not in log.text


def test_a_file_name_that_tried_to_climb_is_not_logged(log: Log) -> None:
    logging.getLogger("django.security.SuspiciousFileOperation").error(
        "Detected path traversal attempt in '../Alice'"
    )
    assert "Alice" not in log.text


def test_gunicorns_own_lines_have_our_format_and_no_address() -> None:
    from gunicorn.config import Config

    before = logging.getLogger("gunicorn.error").handlers[:]
    gunicorn_log = NamelessLogger(Config())
    stream = io.StringIO()
    try:
        for handler in gunicorn_log.error_log.handlers:
            assert isinstance(handler, logging.StreamHandler)
            handler.setStream(stream)
        gunicorn_log.error("Error handling request %s %s", "GET", "/people/?q=Alice")
        gunicorn_log.warning("Invalid request from ip=10.0.0.1: Invalid HTTP request line: 'GET /?q=Alice'")
    finally:
        gunicorn_log.error_log.handlers[:] = before
    assert "Error handling request GET (address)" in stream.getvalue()
    assert "Alice" not in stream.getvalue()


@pytest.mark.parametrize("format_", ["json", "plain"])
def test_the_format_comes_from_the_environment(tmp_path: Path, format_: str) -> None:
    program = (
        "import django; django.setup(); import logging; logging.getLogger('x').info('hello'); "
        "[logging.getLogger(n).debug('secret') for n in ('django.db.backends', 'django.template', 'PIL.TiffImagePlugin')]"
    )
    done = run_python(tmp_path, program, FACEVAULT_LOG_FORMAT=format_, FACEVAULT_LOG_LEVEL="DEBUG")
    assert done.returncode == 0, done.stderr
    assert "hello" in done.stderr
    assert "secret" not in done.stderr
    assert done.stderr.lstrip().startswith("{") is (format_ == "json")


def test_a_format_that_is_not_known_fails_loudly(tmp_path: Path) -> None:
    done = run_python(tmp_path, "import django; django.setup()", FACEVAULT_LOG_FORMAT="xml")
    assert "FACEVAULT_LOG_FORMAT must be one of plain, json" in done.stderr


def run_python(data: Path, program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, "DJANGO_SETTINGS_MODULE": "facevault_site.settings", "FACEVAULT_DATA": str(data)}
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**given, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
