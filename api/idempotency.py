"""The header Idempotency-Key: a write that is repeated, after a lost answer say, is done once and answered the same.

One row per user and key, made before the view runs. It ends in one of three ways: the view succeeded, and its answer is
kept for a day, to be given again while the account may still see what it is about; it answered with an error, so nothing
was written, and the key is free again; the process died, and after STALE the row is taken over. Then the first run may
have written all the same, so what must not happen twice has a guard of its own: decisions derive their key from this
one, an event's name and a photo's bytes are unique.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial, wraps
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils import timezone

from access.problems import problem
from api.errors import answer_exception
from api.models import IdempotencyKey
from api.still_seen import is_still_seen

KEPT: Final = timedelta(hours=24)
STALE: Final = timedelta(seconds=60)
WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
REPLAYED: Final = "Idempotency-Replayed"
_KEY = re.compile(r"[\x21-\x7e]{1,64}")
_HEADERS = ("Content-Type", "Location")
_ATTRIBUTE = "facevault_idempotency"


def answer_once(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let a view's writes be repeated under a key. The request is read and signed in by now, not yet parsed by DRF."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        key = request.headers.get("Idempotency-Key")
        if key is None or request.method not in WRITES or not request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if not _KEY.fullmatch(key):
            return problem(
                400,
                "idempotency_key_invalid",
                "Idempotency-Key is 1 to 64 visible ASCII characters without spaces.",
            )
        try:
            fingerprint = _fingerprint(request)
        except (RequestDataTooBig, TooManyFilesSent) as error:
            return answer_exception(error, {}) or HttpResponse(status=413)
        except (MultiPartParserError, UnreadablePostError):
            return problem(400, "malformed", "The body ended early or is not what its Content-Type says.")
        # Bound here: an address has a parameter `key` of its own.
        return _answer_under_key(partial(view, request, *args, **kwargs), request, key, fingerprint)

    return answer


def decision_key(request: HttpRequest) -> UUID | None:
    """The key of the decision that this request makes, the same for its repetition; none without a key."""
    known: tuple[str, str] | None = getattr(request, _ATTRIBUTE, None)
    if known is None:
        return None
    key, fingerprint = known
    return uuid5(NAMESPACE_URL, f"facevault:{request.user.pk}:{key}:{fingerprint}")


def _answer_under_key(
    run: Callable[[], HttpResponseBase], request: HttpRequest, key: str, fingerprint: str
) -> HttpResponseBase:
    user_pk = int(request.user.pk or 0)
    claimed = _claim(user_pk, key, fingerprint)
    if isinstance(claimed, HttpResponse):
        if REPLAYED in claimed.headers and claimed.content and not is_still_seen(request):
            return answer_exception(Http404(), {}) or claimed
        return claimed
    setattr(request, _ATTRIBUTE, (key, fingerprint))
    mine = IdempotencyKey.objects.filter(user=user_pk, key=key, status=None, created_at=claimed)
    try:
        response = run()
        if hasattr(response, "render"):
            response = response.render()
    except BaseException:
        mine.delete()
        raise
    if isinstance(response, HttpResponse) and response.status_code < 400:
        headers = {name: response.headers[name] for name in _HEADERS if name in response.headers}
        mine.update(status=response.status_code, headers=headers, body=response.content)
    else:
        mine.delete()
    return response


def _claim(user_pk: int, key: str, fingerprint: str) -> datetime | HttpResponse:
    """The moment since which the key is ours, or the answer that there is already."""
    now = timezone.now()
    rows = IdempotencyKey.objects.filter(user=user_pk, key=key)
    # Lazily, by the writes themselves: nobody else needs these rows gone.
    IdempotencyKey.objects.filter(created_at__lt=now - KEPT).delete()
    try:
        with transaction.atomic():
            return IdempotencyKey.objects.create(user_id=user_pk, key=key, fingerprint=fingerprint).created_at
    except IntegrityError:
        row = rows.first()
    if row is None:
        # Its request ended in an error at this very moment.
        return _in_progress()
    if row.fingerprint != fingerprint:
        return problem(
            422,
            "idempotency_key_reused",
            "This Idempotency-Key came with another request before. Take a new key for each new request.",
        )
    if row.status is not None:
        answer = HttpResponse(bytes(row.body), status=row.status, headers={**row.headers, REPLAYED: "true"})
        if not row.body:
            answer.headers.pop("Content-Type", None)
        return answer
    # The guarded update lets one of several repetitions through.
    taken = rows.filter(status=None, created_at=row.created_at, created_at__lt=now - STALE).update(
        created_at=now
    )
    return now if taken else _in_progress()


def _in_progress() -> HttpResponse:
    answer = problem(
        409,
        "idempotency_in_progress",
        "The first request with this Idempotency-Key is still at work. Ask again soon.",
    )
    answer.headers["Retry-After"] = "2"
    return answer


def _fingerprint(request: HttpRequest) -> str:
    digest = hashlib.sha256()
    for part in (request.method or "", request.get_full_path(), *_body(request)):
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def _body(request: HttpRequest) -> Iterator[bytes | str]:
    """A form by its fields and files, since each sending draws another boundary; anything else byte by byte."""
    if request.content_type != "multipart/form-data":
        yield request.body
        return
    for name, values in sorted(request.POST.lists()):
        yield from (name, *map(str, values))
    for name, files in sorted(request.FILES.lists()):
        yield name
        for file in files:
            yield from _file(file)


def _file(file: UploadedFile[Any]) -> Iterator[bytes | str]:
    yield file.name or ""
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    yield digest.digest()
