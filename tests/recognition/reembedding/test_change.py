"""A change of the embedder, step by step: embed, compare, switch, go back."""

from __future__ import annotations

import io
import json
import os
from datetime import timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from labeling.decisions import label_face
from recognition import reembedding
from recognition.active_embedder import WrongEmbedder, get_active_embedder_id
from recognition.answering import read_answering
from recognition.embedders import get_embedder
from recognition.gallery_index import get_gallery_index
from recognition.gallery_journal import touch_gallery
from recognition.ingest import process_next_photo
from recognition.models import DisputedFace, Embedding, Face, Person, Photo, Reembedding, Sighting
from recognition.reembedding import (
    ReembeddingBusy,
    ReembeddingLost,
    ReembeddingRefused,
    cancel_reembedding,
    find_newest,
    forget_embeddings,
    prepare_switch,
    start_reembedding,
    switch_back,
    switch_embedder,
    try_switch,
)
from recognition.reembedding.hold import Hold, hold
from recognition.search import find_top_k
from recognition.storage import original_path
from tests import fakes
from tests.fakes import EMBEDDER_ID, SECOND_ID, vector_of
from tests.recognition.reembedding.photos import faces_of, fill, process, read_rows, upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("drawn_faces")]
ONE: Any = pytest.approx(1)


@pytest.fixture(autouse=True)
def stay_as_nice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "setpriority", lambda *given: None)


def begin() -> Reembedding:
    return start_reembedding(SECOND_ID)


def prepare(**options: Any) -> Reembedding:
    row = begin()
    assert prepare_switch(row, get_embedder(SECOND_ID), **options)
    return row


def switch() -> Reembedding:
    row = prepare()
    assert switch_embedder(row)
    return row


def second_vector(color: str) -> Any:
    size = fakes.DrawnEmbedder.input_size
    pixels = np.broadcast_to(np.array(fakes.COLORS[color], dtype=np.uint8), (1, size, size, 3))
    return fakes.SecondEmbedder().embed(pixels)[0]


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("reembed", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


class TestEmbedding:
    def test_every_face_gets_the_vector_that_a_new_photo_would_give_it(self, labeler: User) -> None:
        fill(labeler)
        row = prepare()
        made = Embedding.objects.filter(embedder_id=SECOND_ID)
        assert made.count() == Face.objects.count() == row.faces_done == row.faces_total
        assert row.state == Reembedding.State.READY
        switch_embedder(row)
        again = faces_of(process("red", salt=9))[0]
        vectors = dict(made.values_list("face_id", "vector"))
        old = Face.objects.exclude(pk=again.pk).filter(sighting__person__name="red person").first()
        assert old is not None
        assert bytes(vectors[old.pk]) == bytes(Embedding.objects.with_vectors().get(face=again).vector)

    def test_nothing_is_switched_before_it_is_asked_for(self, labeler: User) -> None:
        fill(labeler)
        before = read_rows()
        prepare()
        assert get_active_embedder_id() == EMBEDDER_ID
        assert read_rows() == before

    def test_it_goes_on_where_it_stopped(self) -> None:
        for salt in range(4):
            process("red", "blue", salt=salt)
        row = begin()
        batches: list[int] = []

        def pause() -> bool:
            return len(batches) == 2

        assert not prepare_switch(row, get_embedder(SECOND_ID), batch=2, pause=pause, tell=batches.append)
        assert Embedding.objects.filter(embedder_id=SECOND_ID).count() == 4
        assert find_newest() == row
        rest: list[int] = []
        assert prepare_switch(begin(), get_embedder(SECOND_ID), batch=2, tell=rest.append)
        assert sum(rest) == 4
        assert Reembedding.objects.count() == 1

    def test_photos_that_come_meanwhile_are_embedded_too(self) -> None:
        process("red")
        row = begin()

        def another(written: int) -> None:
            if Photo.objects.count() == 1:
                process("blue", salt=1)

        assert prepare_switch(row, get_embedder(SECOND_ID), tell=another)
        assert Embedding.objects.filter(embedder_id=SECOND_ID).count() == 2

    def test_a_photo_that_cannot_be_read_is_told_and_the_others_go_on(self, labeler: User) -> None:
        fill(labeler)
        broken = process("cyan", "red", salt=5)
        original_path(broken.sha256, broken.format).unlink()
        before = read_rows()
        row = prepare()
        assert row.failures == {str(broken.pk): "The file of this photo is gone from the server."}
        assert row.agreement["failed_faces"] == 2
        switch_embedder(row)
        assert get_active_embedder_id() == SECOND_ID
        assert read_rows() == before
        assert not Embedding.objects.filter(embedder_id=SECOND_ID, face__photo=broken).exists()

    def test_a_file_that_came_back_is_read_by_the_next_run(self) -> None:
        photo = process("red")
        path = original_path(photo.sha256, photo.format)
        data = path.read_bytes()
        path.unlink()
        assert prepare().failures
        path.write_bytes(data)
        assert prepare().failures == {}
        assert Embedding.objects.filter(embedder_id=SECOND_ID).count() == 1

    def test_a_face_that_is_removed_meanwhile_is_left_out(self) -> None:
        first, second = faces_of(process("red", "blue"))
        row, net = begin(), fakes.SecondEmbedder()
        embed = net.embed

        def remove_one(inputs: Any) -> Any:
            touch_gallery([first.pk])
            Face.objects.filter(pk=first.pk).update(left=1)
            first.unlabeled.delete()
            Face.objects.filter(pk=first.pk).delete()
            return embed(inputs)

        net.embed = remove_one  # type: ignore[method-assign]
        assert prepare_switch(row, net)
        made = Embedding.objects.filter(embedder_id=SECOND_ID)
        assert list(made.values_list("face", flat=True)) == [second.pk]

    def test_a_face_that_was_measured_anew_meanwhile_is_embedded_by_its_new_box(self) -> None:
        [face] = faces_of(process("red"))
        row, net = begin(), fakes.SecondEmbedder()
        moved: list[int] = []
        embed = net.embed

        def move_once(inputs: Any) -> Any:
            if not moved:
                # To where nothing is drawn: another vector.
                moved.append(Face.objects.filter(pk=face.pk).update(left=500))
            return embed(inputs)

        net.embed = move_once  # type: ignore[method-assign]
        assert prepare_switch(row, net)
        [made] = Embedding.objects.with_vectors().filter(embedder_id=SECOND_ID)
        assert bytes(made.vector) != second_vector("red").tobytes()

    def test_the_machine_names_nobody_by_a_change(self, labeler: User) -> None:
        fill(labeler)
        named = Sighting.objects.count()
        switch()
        assert Sighting.objects.count() == named


class TestSwitching:
    def test_no_label_rejection_verdict_or_decision_is_lost_there_and_back(self, labeler: User) -> None:
        fill(labeler)
        before = read_rows()
        row = switch()
        assert (get_active_embedder_id(), read_rows()) == (SECOND_ID, before)
        assert switch_back(row)
        assert (get_active_embedder_id(), read_rows()) == (EMBEDDER_ID, before)

    def test_the_people_are_found_by_either_embedder_around_a_switch(self, labeler: User) -> None:
        people = fill(labeler)
        old, new = vector_of("red"), second_vector("red")
        row = prepare()
        for _ in range(2):
            for vector, embedder_id in ((old, EMBEDDER_ID), (new, SECOND_ID)):
                best = find_top_k(vector, embedder_id=embedder_id)[0]
                assert (best.person_id, best.similarity) == (people["red"].pk, ONE)
            if row.state == Reembedding.State.READY:
                switch_embedder(row)
        assert find_top_k(new)[0].person_id == people["red"].pk

    def test_before_it_is_ready_nobody_is_answered_by_half_an_index(self) -> None:
        process("red")
        begin()
        with pytest.raises(WrongEmbedder):
            find_top_k(second_vector("red"), embedder_id=SECOND_ID)

    def test_what_is_named_after_the_switch_is_found_by_the_old_embedder_until_it_is_forgotten(
        self, labeler: User
    ) -> None:
        people = fill(labeler)
        switch()
        assert find_top_k(vector_of("blue"), embedder_id=EMBEDDER_ID)[0].person_id == people["blue"].pk
        forget_embeddings()
        with pytest.raises(WrongEmbedder):
            find_top_k(vector_of("blue"), embedder_id=EMBEDDER_ID)

    def test_an_index_that_was_loaded_before_the_switch_knows_who_was_named_since(
        self, labeler: User
    ) -> None:
        people = fill(labeler)
        row = prepare()
        assert get_gallery_index(SECOND_ID).status().count == 2
        face = faces_of(process("purple", salt=7))[0]
        label_face(face=face, actor=labeler, person=people["red"])
        switch_embedder(row)
        assert find_top_k(second_vector("purple"))[0].person_id == people["red"].pk
        assert get_gallery_index().member_ids() == set(
            Sighting.objects.filter(is_reference=True).values_list("face_id", flat=True)
        )

    def test_an_index_from_an_earlier_change_is_not_trusted(self, labeler: User) -> None:
        people = fill(labeler)
        switch_back(switch())
        get_gallery_index(SECOND_ID)
        forget_embeddings()
        label_face(face=faces_of(process("cyan", salt=7))[0], actor=labeler, person=people["blue"])
        switch_embedder(prepare())
        assert find_top_k(second_vector("cyan"))[0].person_id == people["blue"].pk

    def test_new_photos_are_embedded_by_the_new_one(self) -> None:
        process("red")
        switch()
        [face] = faces_of(process("blue", salt=1))
        assert list(face.embeddings.values_list("embedder_id", flat=True)) == [SECOND_ID]

    def test_the_old_embedder_sees_on_the_way_back_what_came_since(self) -> None:
        process("red")
        row = switch()
        [face] = faces_of(process("blue", salt=1))
        assert switch_back(row)
        assert set(face.embeddings.values_list("embedder_id", flat=True)) == {EMBEDDER_ID, SECOND_ID}
        assert row.state == Reembedding.State.RETURNED

    def test_a_photo_that_was_in_hand_during_the_switch_is_seen_anew(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        process("red")
        row = prepare()
        photo = upload("blue", salt=1)
        old = get_embedder(EMBEDDER_ID)

        def embed_late(inputs: Any) -> Any:
            if get_active_embedder_id() == EMBEDDER_ID:
                assert switch_embedder(row)
            return fakes.DrawnEmbedder().embed(inputs)

        monkeypatch.setattr(old, "embed", embed_late)
        process_next_photo()
        photo.refresh_from_db()
        assert (photo.state, photo.attempts, photo.failure_code) == ("queued", 0, "")
        process_next_photo()
        photo.refresh_from_db()
        assert photo.state == "done"
        assert Embedding.objects.get(face__photo=photo).embedder_id == SECOND_ID

    def test_a_page_switches_at_once_only_where_nothing_is_missing(self) -> None:
        process("red")
        row = prepare()
        process("blue", salt=1)
        assert not try_switch(row, to_target=True)
        assert prepare_switch(row, get_embedder(SECOND_ID))
        assert try_switch(row, to_target=True)
        assert get_active_embedder_id() == SECOND_ID

    def test_what_was_never_ready_is_not_switched_to(self) -> None:
        process("red")
        with pytest.raises(ReembeddingRefused):
            switch_embedder(begin())

    def test_the_warmed_index_is_not_built_again_at_the_switch(
        self, labeler: User, caplog: pytest.LogCaptureFixture
    ) -> None:
        fill(labeler)
        row = prepare()
        get_gallery_index(SECOND_ID)
        caplog.clear()
        switch_embedder(row)
        with caplog.at_level("INFO"):
            assert find_top_k(second_vector("red"))
        assert "gallery index built" not in caplog.text


class TestHolding:
    def test_two_processes_do_not_work_on_it_at_once(self) -> None:
        process("red")
        row = begin()
        with hold(row), pytest.raises(ReembeddingBusy):
            prepare_switch(row, get_embedder(SECOND_ID))

    def test_a_dead_process_is_taken_over(self) -> None:
        process("red")
        row = begin()
        dead = Hold(row.pk, uuid4())
        Reembedding.objects.update(lease=dead.lease, lease_until=timezone.now() - timedelta(seconds=1))
        assert prepare_switch(row, get_embedder(SECOND_ID))
        with pytest.raises(ReembeddingLost):
            dead.renew()

    def test_whoever_was_given_up_writes_nothing_more(self) -> None:
        process("red")
        row, net = begin(), fakes.SecondEmbedder()
        embed = net.embed

        def cancel(inputs: Any) -> Any:
            cancel_reembedding()
            return embed(inputs)

        net.embed = cancel  # type: ignore[method-assign]
        with pytest.raises(ReembeddingLost):
            prepare_switch(row, net)
        assert not Embedding.objects.filter(embedder_id=SECOND_ID).exists()

    def test_after_a_change_was_given_up_another_begins(self) -> None:
        process("red")
        first = begin()
        cancel_reembedding()
        second = prepare()
        assert second.pk != first.pk
        assert read_answering().other == SECOND_ID

    def test_what_is_under_way_keeps_its_embeddings(self) -> None:
        process("red")
        prepare()
        with pytest.raises(ReembeddingRefused):
            forget_embeddings()


class TestReport:
    def test_it_says_what_the_two_make_of_labeled_open_and_machine_named_faces(self, labeler: User) -> None:
        people = fill(labeler)
        for salt in (11, 12):
            for color, face in zip(("red", "blue"), faces_of(process("red", "blue", salt=salt)), strict=True):
                label_face(face=face, actor=labeler, person=people[color])
        figures = prepare().agreement
        assert figures["labeled"] == {
            "compared": 6, "same": 6, "changed": 0, "right_before": 6, "right_after": 6, "gained": 0, "lost": 0,
        }  # fmt: skip
        assert figures["machine"] == {"compared": 2, "agrees": 2, "differs": 0}
        assert figures["open"]["named_after"] == 0
        assert figures["disputed"] == 0

    def test_names_that_the_new_one_gives_to_somebody_else_are_disputed_and_stay(
        self, labeler: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        people = fill(labeler)
        # One reference alone would be disputed as soon as somebody resembles it.
        label_face(face=faces_of(process("red", salt=7))[0], actor=labeler, person=people["red"])
        # Two colors, by people's word one person; to the second embedder the first of them is somebody else's.
        yellow, purple = faces_of(process("yellow", "purple", salt=8))
        somebody = Person.objects.create(name="somebody")
        for face in (yellow, purple):
            label_face(face=face, actor=labeler, person=somebody)
        monkeypatch.setattr(fakes.SecondEmbedder, "confused", ("yellow", "red"))
        before = read_rows()
        row = prepare()
        [disputed] = DisputedFace.objects.all()
        assert (disputed.face, disputed.named, disputed.proposed) == (yellow, somebody, people["red"])
        assert (disputed.similarity, disputed.proposed_similarity) == (0.0, ONE)
        assert row.agreement["disputed"] == 1
        assert read_rows() == before


class TestCommand:
    def test_it_embeds_compares_and_switches(self, labeler: User) -> None:
        fill(labeler)
        told = run("--to", SECOND_ID)
        assert get_active_embedder_id() == SECOND_ID
        assert f"Embedder in use: {SECOND_ID}" in told
        assert "Labeled faces" in told

    def test_it_stops_before_the_switch_when_told_to_and_switches_later_and_goes_back(self) -> None:
        process("red")
        facts = json.loads(run("--to", SECOND_ID, "--no-switch", "--json"))
        assert (facts["embedder_id"], facts["change"]["state"]) == (EMBEDDER_ID, "ready")
        assert json.loads(run("--switch", "--json"))["embedder_id"] == SECOND_ID
        assert json.loads(run("--back", "--json"))["embedder_id"] == EMBEDDER_ID

    def test_it_does_not_switch_by_itself_to_one_that_knows_fewer(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        process("red")
        monkeypatch.setattr("recognition.management.commands.reembed.is_worse", lambda figures: True)
        run("--to", SECOND_ID)
        assert get_active_embedder_id() == EMBEDDER_ID
        run("--switch")
        assert get_active_embedder_id() == SECOND_ID

    def test_it_is_given_up_and_what_it_made_is_removed(self) -> None:
        process("red")
        run("--to", SECOND_ID, "--no-switch")
        run("--cancel")
        assert find_newest() is None
        run("--forget")
        assert not Embedding.objects.filter(embedder_id=SECOND_ID).exists()
        assert Embedding.objects.filter(embedder_id=EMBEDDER_ID).count() == 1

    @pytest.mark.parametrize(
        "arguments",
        [("--to", EMBEDDER_ID), ("--to", "nothing"), ("--switch",), ("--back",), ("--cancel",)],
    )
    def test_it_says_what_cannot_be_and_changes_nothing(self, arguments: tuple[str, ...]) -> None:
        process("red")
        with pytest.raises(CommandError):
            run(*arguments)
        assert not Reembedding.objects.exists()
        assert get_active_embedder_id() == EMBEDDER_ID

    def test_it_tells_the_state_before_the_first_change(self) -> None:
        assert "never changed" in run("--status")


def test_a_worse_one_is_told_apart_from_chance() -> None:
    labeled = {"compared": 1000, "right_before": 990}
    assert not reembedding.is_worse({"labeled": {**labeled, "right_after": 986}})
    assert reembedding.is_worse({"labeled": {**labeled, "right_after": 980}})
    assert not reembedding.is_worse({})
