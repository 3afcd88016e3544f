#!/usr/bin/env python3
"""The whole job over FaceVault's API: an event, a folder of photos, names, more photos, and one person's photos back.

    export FACEVAULT_TOKEN=$(manage.py create_token mona --name "press office" --scope read --scope upload \
        --scope label --scope export)
    python3 api_example.py --site https://faces.example.edu --event "Graduation 2026" --photos day1/ \
        --names names.csv --more day2/ --person "Alice Berg" --out alice/

Needs Python 3.11 and nothing else. `names.csv` has the columns `photo` and `person`: whose portrait each file of day1/
is. Without a line for a photo the script asks; an empty answer leaves the face for the desk. Stopped at any moment, it
may be started again with the same arguments: what was done stays done.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

# One request holds so many files and bytes at most; the server takes 100 files.
BATCH_FILES = 20
BATCH_BYTES = 100 * 1024 * 1024
PHOTOS = {".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".zip"}
# A request that got no answer is sent again; its Idempotency-Key makes the repetition harmless.
TRIES = 5


class Refused(Exception):
    """The API answered with a problem: `code` is stable, `detail` says what to do."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status, self.problem = status, problem
        self.code = str(problem.get("code", ""))
        super().__init__(f"{status} {self.code}: {problem.get('detail', '')}")


@dataclass(frozen=True)
class Api:
    site: str
    token: str

    def get(self, path: str, **query: Any) -> Any:
        given = {name: value for name, value in query.items() if value is not None}
        with self._send("GET", f"{path}?{urlencode(given)}" if given else path) as answer:
            return json.load(answer)

    def post(self, path: str, body: Any = None) -> Any:
        data = json.dumps({} if body is None else body).encode()
        with self._send("POST", path, data, "application/json") as answer:
            return json.load(answer)

    def upload(self, path: str, files: list[Path]) -> Any:
        boundary = uuid.uuid4().hex
        pieces: list[bytes] = []
        for file in files:
            name = file.name.replace('"', "'")
            head = f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
            pieces += [
                f"{head}Content-Type: application/octet-stream\r\n\r\n".encode(),
                file.read_bytes(),
                b"\r\n",
            ]
        body = b"".join([*pieces, f"--{boundary}--\r\n".encode()])
        with self._send("POST", path, body, f"multipart/form-data; boundary={boundary}") as answer:
            return json.load(answer)

    def download(self, path: str, target: Path) -> None:
        """Stream an answer into a file, which has its name only once it is whole."""
        part = target.with_name(target.name + ".part")
        with self._send("GET", path) as answer, part.open("wb") as file:
            while chunk := answer.read(1024 * 1024):
                file.write(chunk)
        part.replace(target)

    def _send(self, method: str, path: str, body: bytes | None = None, content_type: str = "") -> Any:
        address = path if path.startswith("/") else f"/api/v1/{path}"
        headers = {"Authorization": f"Bearer {self.token}"}
        if method != "GET":
            headers |= {"Content-Type": content_type, "Idempotency-Key": str(uuid.uuid4())}
        request = urllib.request.Request(self.site + address, data=body, headers=headers, method=method)
        for attempt in range(1, TRIES + 1):
            wait = 2.0**attempt
            try:
                return urllib.request.urlopen(request, timeout=300)
            except urllib.error.HTTPError as error:
                refused = Refused(error.code, _problem_of(error))
                again = error.code in {429, 502, 503, 504} or refused.code == "idempotency_in_progress"
                if not again or attempt == TRIES:
                    raise refused from None
                wait = float(error.headers.get("Retry-After") or wait)
            except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
                if attempt == TRIES:
                    raise SystemExit(f"{self.site} does not answer: {error}") from error
            time.sleep(wait)
        raise AssertionError("every attempt returns or raises")


def find_or_create_event(api: Api, name: str) -> int:
    try:
        return int(api.post("events/", {"name": name})["id"])
    except Refused as refused:
        # It was created by an earlier run.
        if refused.code != "name_taken" or refused.problem["event"] is None:
            raise
        return int(refused.problem["event"])


def upload_folder(api: Api, event: int, folder: Path) -> None:
    """Every photo of the folder and the folders in it. One that is there already is a duplicate, which is no harm."""
    counts = {"added": 0, "duplicate": 0, "refused": 0}
    for batch in _batches(sorted(path for path in folder.rglob("*") if path.suffix.lower() in PHOTOS)):
        for result in api.upload(f"events/{event}/photos/", batch)["results"]:
            counts[result["outcome"]] += 1
            if result["outcome"] == "refused":
                print(f"  {result['name']}: {result['code']}: {result['message']}")
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))


def wait_until_processed(api: Api, event: int) -> None:
    while (photos := api.get(f"events/{event}/")["photos"])["waiting"]:
        if photos["stalled"]:
            raise SystemExit("Nobody processes the photos. Ask the administrator whether the worker runs.")
        print(f"{photos['total'] - photos['waiting']} of {photos['total']} photos processed", flush=True)
        time.sleep(2)
    if photos["failed"]:
        for photo in api.get("photos/", event=event, state="failed", page_size=200)["results"]:
            print(f"  {photo['name']} failed: {photo['failure']['reason']}")


def label_queue(api: Api, event: int, names: dict[str, str]) -> None:
    """Work the event's queue: a name from the list, else by hand; without either the face is left to the desk."""
    while (found := api.get("queue/next/", event=event))["face"] is not None:
        face, photo = found["face"], found["photo"]
        name = names.get(photo["name"], "")
        # Of several faces on one photo the list does not say which one it means.
        if not name or len(api.get(f"photos/{photo['id']}/")["faces"]) > 1:
            name = _ask_name(photo["name"], found["suggestions"])
        if not (name and label_face(api, face, name)):
            api.post(f"faces/{face['face_id']}/skip/")


def label_face(api: Api, face: dict[str, Any], name: str) -> bool:
    """Whether the face has that name now. A name that nobody has creates the person: our list is no typing error."""
    address, body = f"faces/{face['face_id']}/label/", {"name": name, "version": face["version"]}
    try:
        try:
            answer = api.post(address, body)
        except Refused as refused:
            if refused.code != "name_unknown":
                raise
            answer = api.post(address, {**body, "new": True})
    except Refused as refused:
        if refused.code == "conflict":
            print("  A colleague was first; their decision stands.")
            return True
        if refused.code not in {"name_shared", "already_on_photo"}:
            raise
        print(f"  {name}: {refused}")
        return False
    print(f"  {answer['decision']['person']['name']}")
    return True


def fetch_person(api: Api, name: str, folder: Path) -> None:
    """The photos and the list of a person, also where FaceVault named them by itself."""
    found = [person for person in _every(api, "people/", q=name) if person["name"] == name]
    if len(found) != 1:
        raise SystemExit(f"{len(found)} people are called {name}; the API finds them by external_id, too.")
    folder.mkdir(parents=True, exist_ok=True)
    person = found[0]["id"]
    try:
        api.download(f"people/{person}/photos.zip?faces=all", folder / "photos.zip")
    except Refused as refused:
        if refused.code != "export_too_large":
            raise
        _fetch_export(api, {"person": person, "faces": "all"}, folder / "photos.zip")
    api.download(f"people/{person}/list.csv?faces=all", folder / "list.csv")
    print(f"{folder / 'photos.zip'} and {folder / 'list.csv'}")


def _fetch_export(api: Api, asked: dict[str, Any], target: Path) -> None:
    """A large ZIP: the worker makes it, we ask how far it is."""
    export = api.post("exports/", asked)
    while export["state"] in {"queued", "processing"}:
        time.sleep(2)
        export = api.get(f"exports/{export['id']}/")
    if export["state"] != "done":
        raise SystemExit(export["failure"]["reason"])
    api.download(export["file"], target)


def _every(api: Api, path: str, **query: Any) -> Iterator[dict[str, Any]]:
    """All rows of a list, page by page."""
    page: int | None = 1
    while page is not None:
        answer = api.get(path, **query, page=page, page_size=200)
        yield from answer["results"]
        page = page + 1 if answer["next"] else None


def _batches(paths: list[Path]) -> Iterator[list[Path]]:
    batch: list[Path] = []
    size = 0
    for path in paths:
        if batch and (len(batch) == BATCH_FILES or size + path.stat().st_size > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(path)
        size += path.stat().st_size
    if batch:
        yield batch


def _ask_name(photo: str, suggestions: list[dict[str, Any]]) -> str:
    if not sys.stdin.isatty():
        return ""
    known = ", ".join(f"{one['person']['name']} {one['similarity']:.2f}" for one in suggestions)
    return input(f"Who is on {photo}{f' ({known}?)' if known else ''} ").strip()


def _read_names(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        return {row["photo"]: row["person"].strip() for row in csv.DictReader(file)}


def _problem_of(error: urllib.error.HTTPError) -> dict[str, Any]:
    try:
        problem: dict[str, Any] = json.load(error)
    except ValueError:
        return {"code": "", "detail": error.reason}
    return problem


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--site", default="http://127.0.0.1:8000")
    parser.add_argument("--event", required=True, help="name of the event; created if there is none")
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR", help="its photos")
    parser.add_argument("--names", type=Path, metavar="CSV", help="columns photo, person")
    parser.add_argument("--more", type=Path, metavar="DIR", help="photos that come later")
    parser.add_argument("--person", help="whose photos to fetch at the end")
    parser.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="where to put them")
    options = parser.parse_args()
    for folder in filter(None, (options.photos, options.more)):
        if not folder.is_dir():
            parser.error(f"There is no folder {folder}.")
    token = os.environ.get("FACEVAULT_TOKEN", "")
    if not token:
        raise SystemExit("Put a token into FACEVAULT_TOKEN. `manage.py create_token` makes one.")
    api = Api(options.site.rstrip("/"), token)
    try:
        event = find_or_create_event(api, options.event)
        for folder in filter(None, (options.photos, options.more)):
            print(f"Uploading {folder}")
            upload_folder(api, event, folder)
            wait_until_processed(api, event)
            label_queue(api, event, _read_names(options.names))
        if options.person:
            fetch_person(api, options.person, options.out)
    except Refused as refused:
        raise SystemExit(str(refused)) from refused


if __name__ == "__main__":
    main()
