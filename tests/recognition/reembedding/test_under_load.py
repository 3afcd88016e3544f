"""The embedder is changed, and back, while people and workers go on: no request fails, no photo fails, no name is lost."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from access.roles import LABELER, MANAGER
from labeling.clusters.tending import tend_queue
from labeling.models import Decision, Look, QueueState, Rejection
from recognition.active_embedder import get_active_embedder_id
from recognition.embedders import get_embedder
from recognition.gallery_journal import read_gallery_state
from recognition.ingest import process_next_photo
from recognition.models import Embedding, Face, Photo, Probe, Sighting, UnlabeledFace
from recognition.probes import add_probe, process_next_probe
from recognition.reembedding import prepare_switch, start_reembedding, switch_back, switch_embedder
from tests.conftest import make_user, signed_in
from tests.fakes import COLORS, EMBEDDER_ID, SECOND_ID, draw_photo
from tests.recognition.reembedding.photos import fill, upload

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("drawn_faces")]


@dataclass(slots=True)
class Traffic:
    """What goes on beside the change. `troubles` are answers that nobody should ever see."""

    user: User
    statuses: Counter[int] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def going_on(self, *ways: Callable[[], Iterator[None]]) -> Iterator[None]:
        threads = [threading.Thread(target=self._keep, args=(way,)) for way in ways]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def wait_for(self, more: int) -> None:
        """Until so many more requests were answered: each state of the change has met traffic."""
        until, end = sum(self.statuses.values()) + more, time.monotonic() + 60
        while sum(self.statuses.values()) < until:
            assert time.monotonic() < end, f"nothing is answered any more: {self.troubles}"
            time.sleep(0.02)

    def browse(self) -> Iterator[None]:
        client = self._sign_in()
        for turn in count():
            faces = list(Face.objects.order_by("pk").values_list("face_id", flat=True))
            face = faces[turn % len(faces)]
            people = list(Sighting.objects.values_list("person_id", flat=True))
            for path in (
                "/", "/label/", f"/label/{face}/", "/people/", f"/people/{people[turn % len(people)]}/", "/people/may-be-one/",
                f"/api/v1/faces/{face}/suggestions/", "/api/v1/stats/", "/api/v1/queue/next/",
            ):  # fmt: skip
                self._ask(client.get, path)
                yield

    def search(self) -> Iterator[None]:
        """A picture is searched with, and its page looked at again and again, also after a switch."""
        client = self._sign_in()
        pages: list[str] = []
        for turn in count():
            if turn % 10 == 0:
                color = list(COLORS)[turn // 10 % len(COLORS)]
                picture = upload_probe(self.user, color, salt=turn)
                pages.append(f"/search/{picture.probe_id}/")
            for page in pages[-4:]:
                self._ask(client.get, page)
            yield

    def decide(self) -> Iterator[None]:
        client = self._sign_in()
        for turn in count():
            entry = UnlabeledFace.objects.open().select_related("face").order_by("?").first()
            if entry is not None:
                face = entry.face
                kind = {"name": f"somebody {turn % 5}"} if turn % 2 else {"verdict": "stranger"}
                self._ask(
                    client.post,
                    f"/label/{face.face_id}/decide/",
                    {"version": face.version, "key": uuid4(), **kind},
                )
            yield

    def work(self) -> Iterator[None]:
        """The worker: photos that come, searches, and the queue."""
        colors = list(COLORS)
        for turn in count():
            if turn < 200:
                upload(colors[turn % 6], colors[(turn + 1) % 6], salt=100 + turn)
            process_next_photo()
            process_next_probe()
            if turn % 5 == 0:
                tend_queue()
            yield

    def _keep(self, way: Callable[[], Iterator[None]]) -> None:
        try:
            for _ in way():
                if self._stop.is_set():
                    return
        except Exception as error:  # noqa: BLE001 - told by the test's own thread
            self.troubles.append(f"{way.__name__}: {type(error).__name__}: {error}")
        finally:
            connection.close()

    def _sign_in(self) -> Client:
        client = signed_in(self.user)
        client.raise_request_exception = False
        return client

    def _ask(self, how: Callable[..., Any], path: str, *given: Any) -> None:
        answer = how(path, *given)
        self.statuses[answer.status_code] += 1
        if answer.status_code >= 500:
            self.troubles.append(f"{path}: {answer.status_code}")


def upload_probe(user: User, color: str, *, salt: int) -> Probe:
    import io

    return add_probe(file=io.BytesIO(draw_photo(color, salt=salt)), user=user)


def read_decided() -> dict[str, Any]:
    """What people said, by face: names, verdicts, rejections and the decisions behind them."""
    human = Sighting.objects.filter(decided_by="human")
    return {
        "names": dict(human.values_list("face", "person")),
        "verdicts": dict(UnlabeledFace.objects.exclude(verdict="").values_list("face", "verdict")),
        "rejections": set(Rejection.objects.values_list("face", "person")),
        "decisions": set(Decision.objects.values_list("key", "kind", "person", "undone_at")),
    }


def test_nothing_fails_and_nothing_is_lost_under_a_loop_of_requests() -> None:
    user = make_user("lena", LABELER, MANAGER)
    fill(user)
    before = read_decided()
    traffic = Traffic(user)
    states = []
    with traffic.going_on(traffic.browse, traffic.browse, traffic.search, traffic.decide, traffic.work):
        traffic.wait_for(20)
        row = start_reembedding(SECOND_ID)
        prepare_switch(row, get_embedder(SECOND_ID), batch=8)
        for step in (switch_embedder, switch_back):
            traffic.wait_for(20)
            assert step(row, batch=8)
            states.append(get_active_embedder_id())
            traffic.wait_for(40)
        row = start_reembedding(SECOND_ID)
        prepare_switch(row, get_embedder(SECOND_ID), batch=8)
        assert switch_embedder(row, batch=8)
        traffic.wait_for(40)
    assert traffic.troubles == []
    assert set(traffic.statuses) <= {200, 302, 404, 409, 422}
    assert traffic.statuses[200] > 100
    assert states == [SECOND_ID, EMBEDDER_ID]
    assert get_active_embedder_id() == SECOND_ID
    after = read_decided()
    for what in ("names", "verdicts"):
        assert after[what].items() >= before[what].items()
    for what in ("rejections", "decisions"):
        assert after[what] >= before[what]
    assert not Photo.objects.filter(state="failed").exists()
    assert not Probe.objects.filter(state="failed").exists()
    # Whoever named, the answer is kept as long as nobody undid it.
    labeled = Decision.objects.filter(kind="label", undone_at=None).values_list("face", "person")
    names = dict(Sighting.objects.values_list("face", "person"))
    assert {face: names.get(face) for face, _ in labeled} == dict(labeled)
    while process_next_photo() is not None:
        pass
    assert not Face.objects.exclude(embeddings__embedder_id=SECOND_ID).exists()
    assert Embedding.objects.filter(embedder_id=SECOND_ID).count() == Face.objects.count()


def test_the_queue_is_looked_at_anew_in_the_words_of_the_new_embedder() -> None:
    user = make_user("lena", LABELER, MANAGER)
    fill(user)
    tend_queue()
    looked = set(Look.objects.values_list("face", flat=True))
    assert looked
    row = start_reembedding(SECOND_ID)
    prepare_switch(row, get_embedder(SECOND_ID))
    switch_embedder(row)
    tend_queue()
    assert set(Look.objects.values_list("face", flat=True)) == looked
    state, now = QueueState.objects.get(), read_gallery_state()
    assert (state.embedder_id, state.version) == (SECOND_ID, now.version)
