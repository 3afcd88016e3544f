import threading

import pytest
from django.db import connection

from recognition.active_embedder import (
    EmbedderInUse,
    NoActiveEmbedder,
    WrongEmbedder,
    change_active_embedder,
    ensure_active_embedder,
    get_active_embedder_id,
    require_active,
)
from recognition.embedders import EmbedderChoice
from recognition.models import ActiveEmbedder
from tests.factories import make_embedding, make_face, unit_vectors


def choose_first() -> EmbedderChoice:
    return EmbedderChoice(embedder_id="first", reason="It was there.")


@pytest.mark.django_db
def test_without_a_choice_the_error_says_what_to_run() -> None:
    with pytest.raises(NoActiveEmbedder, match=r"manage\.py run_worker"):
        get_active_embedder_id()
    with pytest.raises(NoActiveEmbedder):
        require_active("first")


@pytest.mark.django_db
def test_the_first_start_chooses_and_logs_why(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        row = ensure_active_embedder(choose_first)
    assert (row.pk, row.embedder_id, row.reason) == (1, "first", "It was there.")
    assert get_active_embedder_id() == "first"
    assert "chose the embedder first: It was there." in caplog.text


@pytest.mark.django_db
def test_later_starts_change_nothing_and_do_not_choose() -> None:
    ensure_active_embedder(choose_first)

    def fail() -> EmbedderChoice:
        raise AssertionError("chosen again")

    assert ensure_active_embedder(fail).embedder_id == "first"


@pytest.mark.django_db
def test_a_long_reason_is_cut_to_what_the_column_holds() -> None:
    row = ensure_active_embedder(lambda: EmbedderChoice(embedder_id="first", reason="x" * 1000))
    assert len(row.reason) == 400


@pytest.mark.django_db
def test_a_vector_of_another_embedder_is_refused_with_what_to_do() -> None:
    ensure_active_embedder(choose_first)
    require_active("first")
    with pytest.raises(WrongEmbedder, match=r"'second'.*'first'.*make run"):
        require_active("second")


@pytest.mark.django_db(transaction=True)
def test_of_processes_that_start_at_once_one_chooses_for_all() -> None:
    barrier = threading.Barrier(3)
    chosen: list[str] = []

    def start(name: str) -> None:
        def choose() -> EmbedderChoice:
            barrier.wait()  # all of them saw that there is none
            return EmbedderChoice(embedder_id=name, reason="race")

        try:
            chosen.append(ensure_active_embedder(choose).embedder_id)
        finally:
            connection.close()

    threads = [threading.Thread(target=start, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(chosen) == 3
    assert set(chosen) == {ActiveEmbedder.objects.get().embedder_id}


@pytest.mark.django_db
def test_the_choice_can_be_made_again_while_nothing_is_embedded() -> None:
    ensure_active_embedder(choose_first)
    change_active_embedder(EmbedderChoice(embedder_id="second", reason="Its weights came."))
    assert get_active_embedder_id() == "second"


@pytest.mark.django_db
def test_it_cannot_once_a_face_is_embedded() -> None:
    ensure_active_embedder(choose_first)
    make_embedding(make_face(), unit_vectors(1)[0], "first")
    with pytest.raises(EmbedderInUse, match="1 faces"):
        change_active_embedder(EmbedderChoice(embedder_id="second", reason="Its weights came."))
    assert get_active_embedder_id() == "first"
