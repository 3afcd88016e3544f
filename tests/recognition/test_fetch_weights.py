import hashlib
import io
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from recognition.embedders import WeightsRefused, choose_embedder
from recognition.embedders.fetch import FetchFailed, fetch_weights
from recognition.embedders.weights import WeightsPlan
from tests.factories import activate_embedder, make_embedding, make_face, unit_vectors

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """A file server that can be told to misbehave; it notes what was asked."""

    content = CONTENT
    ignores_range = False
    stops_after: int | None = None
    status = 200
    location = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ranges: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/weights.pt"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server = self.server
        wanted = self.headers.get("Range")
        server.ranges.append(wanted)
        if server.location:
            self.send_response(302)
            self.send_header("Location", server.location)
            self.end_headers()
            return
        if server.status != 200:
            self.send_error(server.status)
            return
        start = 0
        found = re.fullmatch(r"bytes=(\d+)-", wanted or "")
        if found and not server.ignores_range:
            start = int(found[1])
            if start >= len(server.content):
                self.send_error(416)
                return
            self.send_response(206)
            last = len(server.content) - 1
            self.send_header("Content-Range", f"bytes {start}-{last}/{len(server.content)}")
        else:
            self.send_response(200)
        body = server.content[start:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if server.stops_after is None else body[: server.stops_after])

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def plan(server: Server, tmp_path: Path) -> WeightsPlan:
    return WeightsPlan(
        path=tmp_path / "models" / "weights.pt", sha256=SHA256, size=len(CONTENT), url=server.url
    )


def part_of(plan: WeightsPlan) -> Path:
    return plan.path.with_name("weights.pt.part")


def leave_part(plan: WeightsPlan, data: bytes) -> None:
    part_of(plan).parent.mkdir()
    part_of(plan).write_bytes(data)


def test_a_download_is_verified_and_gets_its_name(plan: WeightsPlan, server: Server) -> None:
    seen: list[tuple[int, int | None]] = []
    assert fetch_weights(plan, progress=lambda done, whole: seen.append((done, whole))) == plan.path
    assert plan.path.read_bytes() == CONTENT
    assert not part_of(plan).exists()
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert server.ranges == [None]


def test_an_interrupted_download_goes_on_where_it_stopped(plan: WeightsPlan, server: Server) -> None:
    server.stops_after = 300_000
    with pytest.raises(FetchFailed, match=r"ended after 300,000 of 1,024,000 bytes.*Run the command again"):
        fetch_weights(plan)
    assert not plan.path.exists()
    assert part_of(plan).stat().st_size == 300_000
    server.stops_after = None
    fetch_weights(plan)
    assert plan.path.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=300000-"]


def test_a_server_that_cannot_resume_sends_it_all_again(plan: WeightsPlan, server: Server) -> None:
    leave_part(plan, b"x" * 5000)
    server.ignores_range = True
    fetch_weights(plan)
    assert plan.path.read_bytes() == CONTENT


@pytest.mark.parametrize("size", [None, len(CONTENT)])
def test_a_complete_part_needs_no_second_download(
    plan: WeightsPlan, server: Server, size: int | None
) -> None:
    leave_part(plan, CONTENT)
    fetch_weights(WeightsPlan(path=plan.path, sha256=SHA256, size=size, url=plan.url))
    assert plan.path.read_bytes() == CONTENT
    assert server.ranges == ([] if size else [f"bytes={len(CONTENT)}-"])


def test_a_part_that_is_too_long_is_thrown_away(plan: WeightsPlan) -> None:
    leave_part(plan, CONTENT + b"more")
    fetch_weights(plan)
    assert plan.path.read_bytes() == CONTENT


def test_a_part_of_another_file_is_refused_and_the_next_try_starts_afresh(plan: WeightsPlan) -> None:
    leave_part(plan, b"x" * 5000)
    with pytest.raises(WeightsRefused, match="wrong checksum"):
        fetch_weights(plan)
    assert not part_of(plan).exists()
    fetch_weights(plan)
    assert plan.path.read_bytes() == CONTENT


@pytest.mark.parametrize("content", [CONTENT[::-1], CONTENT + b"more", CONTENT[:-1], b""])
def test_another_content_never_gets_the_name(plan: WeightsPlan, server: Server, content: bytes) -> None:
    plan.path.parent.mkdir()
    plan.path.write_bytes(b"the old file")
    server.content = content
    with pytest.raises(WeightsRefused, match="expected"):
        fetch_weights(plan)
    assert plan.path.read_bytes() == b"the old file"
    assert not part_of(plan).exists()


def test_an_error_of_the_server_is_told(plan: WeightsPlan, server: Server) -> None:
    server.status = 404
    with pytest.raises(FetchFailed, match=r"answered 404.*by hand"):
        fetch_weights(plan)


def test_without_a_network_it_says_what_to_do(plan: WeightsPlan) -> None:
    closed = WeightsPlan(path=plan.path, sha256=SHA256, size=None, url="http://127.0.0.1:9/weights.pt")
    with pytest.raises(FetchFailed, match=r"refused.*copy the file to .*weights\.pt by hand"):
        fetch_weights(closed)


@pytest.mark.parametrize(
    "url", ["http://example.org/w.pt", "file:///etc/passwd", "ftp://example.org/w.pt", "w.pt"]
)
def test_only_https_is_asked(plan: WeightsPlan, url: str) -> None:
    with pytest.raises(FetchFailed, match="not an https address"):
        fetch_weights(WeightsPlan(path=plan.path, sha256=SHA256, size=None, url=url))


def test_a_redirect_may_not_lead_away_from_https(plan: WeightsPlan, server: Server) -> None:
    server.location = "http://example.org/w.pt"
    with pytest.raises(FetchFailed, match=r"example\.org.*not an https address"):
        fetch_weights(plan)


def test_two_fetches_do_not_write_the_same_part(plan: WeightsPlan) -> None:
    import fcntl

    leave_part(plan, b"")
    with part_of(plan).open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(FetchFailed, match="another fetch"):
            fetch_weights(plan)


@pytest.fixture
def configured(plan: WeightsPlan, settings: Settings) -> WeightsPlan:
    settings.FACEVAULT_WEIGHTS = str(plan.path)
    settings.FACEVAULT_WEIGHTS_SHA256 = SHA256
    settings.FACEVAULT_WEIGHTS_URL = plan.url
    return plan


@pytest.mark.django_db
def test_the_command_fetches_and_then_has_nothing_to_do(configured: WeightsPlan, server: Server) -> None:
    out, bar = io.StringIO(), io.StringIO()
    call_command("fetch_weights", stdout=out, stderr=bar)
    assert configured.path.read_bytes() == CONTENT
    assert f"facenet-vggface2-{SHA256[:8]}" in out.getvalue()
    assert "weights.pt" in bar.getvalue()
    call_command("fetch_weights", stdout=out)
    assert "is there already" in out.getvalue()
    assert len(server.ranges) == 1
    call_command("fetch_weights", "--force", stdout=out, stderr=bar, verbosity=0)
    assert len(server.ranges) == 2


@pytest.mark.django_db
@pytest.mark.parametrize("embedded", [False, True])
def test_the_command_says_how_the_weights_come_into_use(configured: WeightsPlan, embedded: bool) -> None:
    facenet = f"facenet-vggface2-{SHA256[:8]}"

    def closing_line() -> str:
        out = io.StringIO()
        call_command("fetch_weights", stdout=out, stderr=io.StringIO(), verbosity=0)
        return out.getvalue()

    assert "at its first start" in closing_line()
    activate_embedder("dlib-resnet")
    if embedded:
        make_embedding(make_face(), unit_vectors(1, 128)[0], "dlib-resnet")
        assert "stays with its embedder dlib-resnet" in closing_line()
        assert "use_embedder" not in closing_line()
    else:
        assert "now run `manage.py use_embedder`" in closing_line()
    activate_embedder(facenet)
    assert "Restart the worker." in closing_line()


def test_the_reason_of_the_bundled_embedder_names_both_steps(tmp_path: Path) -> None:
    reason = choose_embedder(data=tmp_path).reason
    assert "`manage.py fetch_weights`, then `manage.py use_embedder`, before the first photos" in reason


@pytest.mark.django_db
def test_the_command_reports_errors_as_errors(configured: WeightsPlan, server: Server) -> None:
    server.status = 503
    with pytest.raises(CommandError, match="answered 503"):
        call_command("fetch_weights", stdout=io.StringIO(), stderr=io.StringIO())
    configured.path.write_bytes(b"something else")
    with pytest.raises(CommandError, match="wrong checksum"):
        call_command("fetch_weights", stdout=io.StringIO(), stderr=io.StringIO())
