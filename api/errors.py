"""Every error of the API as a problem (RFC 9457): a stable code for programs, a sentence that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFilesSent
from django.core.exceptions import ValidationError as ModelError
from django.http import Http404, HttpResponseBase
from rest_framework import exceptions

from access.problems import problem

INVALID: Final = 422


class ApiProblem(Exception):
    """An answer of the API that is no success. `extra` goes beside code and detail."""

    def __init__(self, status: int, code: str, detail: str, **extra: Any) -> None:
        super().__init__(code)
        self.status, self.code, self.detail, self.extra = status, code, detail, extra


def answer_exception(error: Exception, context: dict[str, Any]) -> HttpResponseBase | None:
    """DRF's exception handler. None: a fault of ours, which Django logs and answers by handler500."""
    match error:
        case ApiProblem():
            return problem(error.status, error.code, error.detail, **error.extra)
        case exceptions.ValidationError():
            return _invalid(list(_flatten(error.detail)))
        case ModelError():
            return _invalid(list(_of_model(error)))
        case Http404() | exceptions.NotFound():
            return problem(404, "not_found", _not_found_detail(error))
        case PermissionDenied() | exceptions.PermissionDenied():
            return problem(403, "forbidden", "Your roles do not allow this. Ask a manager.")
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return problem(401, "not_signed_in", "Send a token: `Authorization: Bearer fv_...`.")
        case exceptions.ParseError():
            return problem(400, "malformed", f"The body cannot be read: {error.detail}")
        case exceptions.MethodNotAllowed():
            return _method_not_allowed(error, context)
        case exceptions.UnsupportedMediaType():
            takes = " or ".join(parser.media_type for parser in context["view"].get_parsers())
            return problem(415, "unsupported_media_type", f"Send the body as {takes}.")
        case exceptions.Throttled():
            answer = problem(
                429, "too_many_requests", "Wait as many seconds as Retry-After says, then go on."
            )
            answer.headers["Retry-After"] = str(int(getattr(error, "wait", None) or 1) + 1)
            return answer
        case RequestDataTooBig():
            return problem(413, "body_too_large", "This body is too large. Only files may be so large.")
        case TooManyFilesSent():
            return problem(
                413, "too_many_files", "Send at most 100 files a request, the rest in the next one."
            )
        case _:
            return None


def _invalid(errors: list[dict[str, str]]) -> HttpResponseBase:
    first = errors[0] if errors else {"field": "", "detail": "The request is not valid."}
    where = f"{first['field']}: " if first["field"] else ""
    return problem(INVALID, "invalid", f"{where}{first['detail']}", errors=errors)


def _flatten(detail: Any, field: str = "") -> Iterator[dict[str, str]]:
    """DRF's nested details as a list: field "" is the request as a whole."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else str(name)
            yield from _flatten(inner, f"{field}.{own}".strip("."))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _flatten(inner, field)
    else:
        yield {"field": field, "code": str(getattr(detail, "code", "invalid")), "detail": str(detail)}


def _of_model(error: ModelError) -> Iterator[dict[str, str]]:
    by_field = error.error_dict if hasattr(error, "error_dict") else {"": error.error_list}
    for field, errors in by_field.items():
        for one in errors:
            name = "" if field == "__all__" else field
            yield {"field": name, "code": one.code or "invalid", "detail": " ".join(one.messages)}


def _not_found_detail(error: Exception) -> str:
    """Our own words where there are some; Django's would name a model."""
    if isinstance(error, exceptions.NotFound):
        return str(error.detail)
    text = str(error)
    ours = text.endswith(".") and not text.endswith("matches the given query.")
    return text if ours else "There is nothing of this id that your account may see."


def _method_not_allowed(error: exceptions.MethodNotAllowed, context: dict[str, Any]) -> HttpResponseBase:
    allowed = ", ".join(cast("list[str]", context["view"].allowed_methods))
    answer = problem(405, "method_not_allowed", f"This address takes {allowed}.")
    answer.headers["Allow"] = allowed
    return answer
