"""Download FaceNet's weights: resumable, verified before they get their name."""

from __future__ import annotations

import fcntl
import http.client
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO, BinaryIO

from recognition.embedders.weights import WeightsPlan, WeightsRefused, check_weights

_BLOCK = 256 * 1024
_TIMEOUT = 30  # seconds without a byte
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}

Progress = Callable[[int, int | None], None]
"""Called with the bytes on disk so far and the whole size, if it is known."""


class FetchFailed(Exception):
    """The weights could not be downloaded. The message says why and what to do instead."""


def fetch_weights(plan: WeightsPlan, *, progress: Progress | None = None) -> Path:
    """Download into `<name>.part`, going on where an earlier try stopped; verify; rename. Returns the path.

    Raises FetchFailed for the network, WeightsRefused for what arrived: the part is deleted then, so that the
    next try starts afresh.
    """
    _check_url(plan.url)
    part = plan.path.with_name(plan.path.name + ".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    with part.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FetchFailed(f"another fetch is writing {part}; wait for it") from error
        have = file.tell()
        if plan.size is not None and have > plan.size:
            have = file.truncate(0)
        if plan.size is None or have < plan.size:
            _download(plan, file, progress or (lambda done, whole: None))
        try:
            check_weights(file, plan)
        except WeightsRefused as error:
            part.unlink()
            raise WeightsRefused(
                f"{plan.url} sent something else than the weights and it was deleted. {error}"
            ) from error
        file.flush()
        os.fsync(file.fileno())
        part.replace(plan.path)
    _sync_folder(plan.path.parent)
    return plan.path


def _download(plan: WeightsPlan, file: BinaryIO, progress: Progress) -> None:
    """Append what is missing to the part, or replace it if the server cannot resume."""
    have = file.seek(0, os.SEEK_END)
    request = urllib.request.Request(plan.url, headers={"User-Agent": "facevault"})  # noqa: S310 - _check_url
    if have:
        request.add_header("Range", f"bytes={have}-")
    opener = urllib.request.build_opener(_CheckedRedirects)
    try:
        with opener.open(request, timeout=_TIMEOUT) as response:
            if not _resumes_at(response, have):
                file.truncate(0)
                have = 0
            _copy(response, file, have, plan, progress)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            # Nothing is missing, or the part is not of this file: the checksum will tell which.
            return
        raise _failed(plan, f"the server answered {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise _failed(plan, str(reason) or type(error).__name__) from error


def _resumes_at(response: http.client.HTTPResponse, have: int) -> bool:
    if have == 0:
        return True
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return response.status == http.HTTPStatus.PARTIAL_CONTENT and found is not None and int(found[1]) == have


def _copy(
    response: http.client.HTTPResponse, file: IO[bytes], have: int, plan: WeightsPlan, progress: Progress
) -> None:
    length = response.headers.get("Content-Length")
    whole = have + int(length) if length and length.isdigit() else plan.size
    progress(have, whole)
    while block := response.read(_BLOCK):
        have += len(block)
        if plan.size is not None and have > plan.size:
            # Keep one byte too many: the size check refuses the file and names both sizes.
            file.write(block[: len(block) - (have - plan.size) + 1])
            return
        file.write(block)
        progress(have, whole)
    if whole is not None and have < whole:
        file.flush()
        raise _failed(plan, f"the connection ended after {have:,} of {whole:,} bytes")


def _failed(plan: WeightsPlan, why: str) -> FetchFailed:
    return FetchFailed(
        f"could not download {plan.url}: {why}. Run the command again to go on from where it stopped; without a "
        f"network, copy the file to {plan.path} by hand or point FACEVAULT_WEIGHTS at a copy."
    )


def _check_url(url: str) -> None:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return
    raise FetchFailed(f"{url} is not an https address; set FACEVAULT_WEIGHTS_URL to one")


class _CheckedRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect may lead to another host, never to plain http."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        _check_url(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
