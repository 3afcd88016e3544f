"""What the log says: one line per request, as text or JSON, with ids alone; never a name, a query string or a vector."""

from __future__ import annotations

import json
import logging
import re
import time
import traceback
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.functional import LazyObject

logger = logging.getLogger("facevault.request")

_current: ContextVar[HttpRequest | None] = ContextVar("facevault_request", default=None)
# A key that no header can set: those begin with HTTP_.
_ID_KEY = "facevault.request_id"
_ID = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_QUOTED = re.compile(r"""['"].*['"]""", re.DOTALL)
_URL_QUERY = re.compile(r"(\w+://[^\s?#]*)[?#]\S*")
# The interpreter's words about code; every other error may quote what somebody typed.
_ABOUT_CODE = (AttributeError, ImportError, NameError, TypeError)
# These quote a host name or the name of a header, and without it nobody can mend the configuration.
_QUOTES_STAY = {"django.security.csrf", "django.security.DisallowedHost"}


class RequestLogMiddleware:
    """Gives each request its id, and logs it when it was answered. First in the list, so that it sees everything."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request.META[_ID_KEY] = given if _ID.fullmatch(given) else uuid.uuid4().hex
        token = _current.set(request)
        try:
            response = self.get_response(request)
            response.headers["X-Request-ID"] = request_id_of(request)
            if isinstance(response, StreamingHttpResponse) and not getattr(response, "file_to_stream", None):
                # An export is made while it is sent: its line and its time come at its end.
                chunks = iter(response.streaming_content)  # type: ignore[arg-type] # nothing here is asynchronous
                response.streaming_content = _followed(request, response.status_code, chunks, started)
            else:
                _log_request(request, response.status_code, started)
            return response
        finally:
            _current.reset(token)


def request_id_of(request: HttpRequest) -> str:
    return str(request.META.get(_ID_KEY, ""))


class PlainFormatter(logging.Formatter):
    """Lines for people: time, level, logger, the request's id, message."""

    def format(self, record: logging.LogRecord) -> str:
        request_id = _request_fields(record).get("request_id")
        mark = f" [{request_id}]" if request_id else ""
        message = _message_of(record).replace("\n", "\\n")
        line = f"{self.formatTime(record)} {record.levelname} {record.name}{mark}: {message}"
        trace = _traceback_of(record)
        return f"{line}\n{trace}" if trace else line


class JsonFormatter(logging.Formatter):
    """One JSON object per line for machines; what does not apply is left out."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        fields = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message_of(record),
            **_request_fields(record),
            "status": getattr(record, "status", None),
            "duration_ms": getattr(record, "duration_ms", None),
            "traceback": _traceback_of(record),
        }
        return json.dumps({name: value for name, value in fields.items() if value is not None})


def describe_error(error: BaseException) -> str:
    """The error's words without what it quotes: a file's name, a value that broke a constraint, a key."""
    if isinstance(error, OSError) and error.strerror:
        return f"[Errno {error.errno}] {error.strerror}"
    text = str(error)
    if isinstance(error, _ABOUT_CODE):
        return text
    # Only the first line: PostgreSQL's second one, DETAIL, gives the values of the row.
    return _without_quotes(text.split("\n", 1)[0])


def _followed(request: HttpRequest, status: int, chunks: Iterator[bytes], started: float) -> Iterator[bytes]:
    """The same chunks; lines that are logged while they are made carry the request, too."""
    token = _current.set(request)
    try:
        yield from chunks
    finally:
        _log_request(request, status, started)
        _current.reset(token)


def _log_request(request: HttpRequest, status: int, started: float) -> None:
    took = round((time.perf_counter() - started) * 1000, 1)
    user = _user_id(request)
    logger.log(
        logging.ERROR if status >= 500 else logging.INFO,
        "%s %s %s %s ms%s",
        _method_of(request),
        _route_of(request),
        status,
        took,
        f" user {user}" if user else "",
        extra={"status": status, "duration_ms": took, "request": request},
    )


def _request_fields(record: logging.LogRecord) -> dict[str, Any]:
    request = getattr(record, "request", None)
    # Django logs some answers after the middleware is done, with the request beside; its test server gives a socket.
    if not isinstance(request, HttpRequest):
        request = _current.get()
    if request is None:
        return {}
    return {
        "request_id": request_id_of(request) or None,
        "user": _user_id(request),
        "method": _method_of(request),
        "route": _route_of(request),
    }


def _method_of(request: HttpRequest) -> str:
    return request.method if request.method in _METHODS else "OTHER"


def _route_of(request: HttpRequest) -> str:
    """The pattern that matched, never what was asked for: that may be anything that somebody typed."""
    match = getattr(request, "resolver_match", None)
    if match is not None:
        return match.route or "/"
    return "static/" if request.path_info.startswith(settings.STATIC_URL) else "unknown"


def _user_id(request: HttpRequest) -> int | None:
    """Of whom is known already: a log line must not cost a query."""
    user = vars(request).get("user")
    if isinstance(user, LazyObject):
        user = vars(request).get("_cached_user")
    pk = getattr(user, "pk", None)
    return pk if isinstance(pk, int) else None


def _message_of(record: logging.LogRecord) -> str:
    args = record.args
    if isinstance(args, Mapping):
        text = str(record.msg) % {key: _clean(value, record) for key, value in args.items()}
    elif args:
        text = str(record.msg) % tuple(_clean(value, record) for value in args)
    else:
        text = describe_error(record.msg) if isinstance(record.msg, BaseException) else str(record.msg)
    if record.name.startswith(("gunicorn", "django.security")) and record.name not in _QUOTES_STAY:
        text = _without_quotes(text)
    return _URL_QUERY.sub(r"\1", text)


def _clean(value: object, record: logging.LogRecord) -> object:
    if isinstance(value, BaseException):
        return describe_error(value)
    if isinstance(value, str) and value.startswith("/"):
        request = getattr(record, "request", None)
        if isinstance(request, HttpRequest) and value == _escaped(request.path):
            return _route_of(request)
        if record.name.startswith("gunicorn"):
            return "(address)"
    return value


def _escaped(path: str) -> str:
    # As Django's log_response does.
    return path.encode("unicode_escape").decode("ascii")


def _without_quotes(text: str) -> str:
    return _QUOTED.sub("(...)", text)


def _traceback_of(record: logging.LogRecord) -> str | None:
    """Files, lines and the errors' words; no local variables."""
    error = record.exc_info[1] if record.exc_info else None
    parts: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        frames = "".join(traceback.format_tb(error.__traceback__))
        name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
        parts.append(f"Traceback (most recent call last):\n{frames}{name}: {describe_error(error)}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nwhich came after:\n".join(parts) or None
