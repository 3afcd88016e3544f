import json
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from recognition.gallery_index import get_gallery_index
from recognition.gallery_journal import touch_gallery
from recognition.index_check import check_gallery_index
from recognition.models import ActiveEmbedder, Embedding, Face, Photo, Sighting
from recognition.stats import stats
from tests.factories import (
    EMBEDDER_ID,
    activate_embedder,
    make_embedding,
    make_event,
    make_face,
    make_person,
    make_photo,
    make_reference,
    make_unlabeled,
    unit_vectors,
)

pytestmark = pytest.mark.django_db
VECTORS = unit_vectors(6)


@pytest.fixture
def faces() -> list[Face]:
    activate_embedder()
    person, photo = make_person(), make_photo()
    return [make_reference(person, vector, photo=photo) for vector in VECTORS[:4]]


def run(name: str, *args: str) -> str:
    out = StringIO()
    call_command(name, *args, stdout=out)
    return out.getvalue()


def run_failing(name: str, *args: str) -> tuple[str, CommandError]:
    out = StringIO()
    with pytest.raises(CommandError) as failed:
        call_command(name, *args, stdout=out)
    return out.getvalue(), failed.value


class TestRebuildIndex:
    def test_it_verifies_everything_and_makes_every_process_rebuild(self, faces: list[Face]) -> None:
        index = get_gallery_index()
        before = index.status()
        make_embedding(make_face(), VECTORS[4])
        Sighting.objects.filter(face=faces[0]).delete()
        out = run("rebuild_index")
        assert f"5 stored vectors of {EMBEDDER_ID} verified, 0 broken" in out
        assert "Index rebuilt: 3 gallery faces, Flat" in out
        assert index.status().epoch != before.epoch
        assert index.member_ids() == {face.pk for face in faces[1:]}

    def test_a_broken_vector_is_listed_and_the_rest_is_searched(self, faces: list[Face]) -> None:
        Embedding.objects.filter(face=faces[1]).update(vector=b"123")
        waiting = make_embedding(make_face(), VECTORS[4])
        Embedding.objects.filter(pk=waiting.pk).update(vector=np.full(512, np.nan, "<f4").tobytes())
        out, error = run_failing("rebuild_index")
        assert error.returncode == 1
        assert f"face {faces[1].pk}: expected 2048 bytes" in out
        assert f"face {waiting.face_id}: " in out
        assert "Index rebuilt: 3 gallery faces" in out

    def test_before_an_embedder_is_chosen_it_says_what_to_run(self) -> None:
        _, error = run_failing("rebuild_index")
        assert "manage.py run_worker" in str(error)

    def test_an_embedder_that_this_version_does_not_know(self) -> None:
        activate_embedder("from-the-future")
        for name in ("rebuild_index", "check_index", "stats"):
            assert "from-the-future" in str(run_failing(name)[1])

    def test_an_empty_installation(self) -> None:
        activate_embedder()
        assert "0 gallery faces" in run("rebuild_index")


class TestCheckIndex:
    def test_agreement(self, faces: list[Face]) -> None:
        assert f"4 faces in the index of {EMBEDDER_ID}, version 4" in run("check_index")
        report = json.loads(run("check_index", "--json"))
        assert report["ok"]
        assert (report["count"], report["version"], report["missing"], report["extra"]) == (4, 4, [], [])

    def test_every_kind_of_difference_is_found(self, faces: list[Face]) -> None:
        get_gallery_index()
        Sighting.objects.filter(face=faces[0]).delete()
        Embedding.objects.filter(face=faces[1]).update(vector=VECTORS[5].tobytes())
        Embedding.objects.filter(face=faces[2]).update(vector=b"")
        added = make_face()
        make_embedding(added, VECTORS[4])
        Sighting.objects.create(
            face=added,
            person=make_person(),
            decided_by="human",
            is_reference=True,
            seen_at=added.created_at,
        )
        out, error = run_failing("check_index", "--json")
        report = json.loads(out)
        assert not report["ok"]
        assert report["missing"] == [added.pk]
        assert report["extra"] == [faces[0].pk, faces[2].pk]
        assert report["different"] == [faces[1].pk]
        assert list(report["broken"]) == [str(faces[2].pk)]
        assert error.returncode == 1
        out, error = run_failing("check_index")
        assert f"in the database, not in the index: faces {added.pk}" in out
        assert "manage.py rebuild_index" in str(error)

    def test_a_difference_is_gone_after_a_rebuild(self, faces: list[Face]) -> None:
        get_gallery_index()
        Sighting.objects.filter(face=faces[0]).delete()
        run_failing("check_index")
        run("rebuild_index")
        assert "3 faces" in run("check_index")

    def test_long_lists_are_cut_for_people_only(self) -> None:
        activate_embedder()
        get_gallery_index()
        person, photo = make_person(), make_photo()
        with transaction.atomic():
            made = [make_reference(person, VECTORS[0], photo=photo) for _ in range(30)]
        get_gallery_index().refresh()
        Sighting.objects.all().delete()
        assert "and 10 more" in run_failing("check_index")[0]
        assert json.loads(run_failing("check_index", "--json")[0])["extra"] == [face.pk for face in made]

    def test_it_pulls_before_it_compares(self, faces: list[Face]) -> None:
        get_gallery_index()
        with transaction.atomic():
            touch_gallery([faces[0].pk])
            Sighting.objects.filter(face=faces[0]).delete()
        assert check_gallery_index(get_gallery_index()).ok

    def test_ivf_is_compared_alike(self, faces: list[Face], settings: Any) -> None:
        settings.FACEVAULT_IVF_FROM = 2
        assert "4 faces" in run("check_index")
        assert get_gallery_index().status().kind == "IVFFlat"

    def test_before_an_embedder_is_chosen_it_says_what_to_run(self) -> None:
        assert "manage.py run_worker" in str(run_failing("check_index")[1])


class TestStats:
    def test_an_empty_installation(self) -> None:
        facts = stats()
        assert (facts["events"], facts["faces"], facts["people"]) == (0, 0, 0)
        assert facts["photos"] == {"queued": 0, "processing": 0, "done": 0, "failed": 0, "total": 0}
        assert facts["embedder"] is facts["index"] is None
        assert "embedder   none" in run("stats")

    def test_it_counts_what_there_is(self, faces: list[Face]) -> None:
        event = make_event()
        make_photo(event, state=Photo.State.QUEUED)
        make_photo(event, state=Photo.State.FAILED)
        make_unlabeled(VECTORS[4], photo=faces[0].photo)
        closed = make_unlabeled(photo=faces[0].photo)
        closed.reviewed, closed.verdict = True, "stranger"
        closed.save()
        guessed = make_face(faces[0].photo)
        make_embedding(guessed, VECTORS[5], "another")
        Sighting.objects.create(
            face=guessed,
            person=make_person(),
            decided_by="machine",
            similarity=0.9,
            seen_at=guessed.created_at,
        )
        facts = json.loads(run("stats", "--json"))
        assert facts == json.loads(json.dumps(stats()))
        assert facts["events"] == 2
        assert facts["photos"] == {"queued": 1, "processing": 0, "done": 1, "failed": 1, "total": 3}
        assert (facts["faces"], facts["people"]) == (7, 2)
        assert facts["sightings"] == {"machine": 1, "human": 4, "total": 5, "references": 4}
        assert facts["unlabeled"] == {"total": 2, "open": 1}
        assert facts["embeddings"] == {EMBEDDER_ID: 5, "another": 1}
        assert facts["embedder"] == {"embedder_id": EMBEDDER_ID, "reason": "chosen by a test"}
        assert (facts["lines"]["automatic"], facts["lines"]["fitted_to_people"]) == (0.7, None)
        index = facts["index"]
        assert (index["kind"], index["count"], index["nlist"], index["nprobe"]) == ("Flat", 4, 0, 0)
        assert (index["version"], index["fresh"], index["skipped"]) == (4, True, [])

    def test_a_stale_index_says_so(self, faces: list[Face]) -> None:
        get_gallery_index()
        make_reference(make_person(), VECTORS[4])
        assert stats()["index"]["fresh"] is False

    def test_the_plain_form_names_every_part(self, faces: list[Face]) -> None:
        out = run("stats")
        for line in ("people     1", "photos     queued 0", "index      kind Flat, count 4"):
            assert line in out
        assert ActiveEmbedder.objects.get().reason in out
