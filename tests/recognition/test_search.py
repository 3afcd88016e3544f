import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.models import EventGrant
from access.roles import VIEWER
from recognition.active_embedder import NoActiveEmbedder, WrongEmbedder
from recognition.embedders import describe_embedder
from recognition.gallery_index import SearchInsideTransaction
from recognition.gallery_journal import read_gallery_state
from recognition.matching import Verdict
from recognition.models import Event, Person, Sighting
from recognition.search import events_to_search, find_match, find_top_k, find_top_k_batch
from recognition.vectors import BadVector
from tests.factories import (
    EMBEDDER_ID,
    activate_embedder,
    label_face,
    make_event,
    make_person,
    make_photo,
    make_reference,
    unit_vectors,
    unlabel_face,
    vector_near,
)

pytestmark = pytest.mark.django_db
QUERY, OTHER, *_ = unit_vectors(20, seed=3)


@pytest.fixture(autouse=True)
def active() -> None:
    activate_embedder()


def make_known(*similarities: float, name: str = "") -> Person:
    """A person with one reference at each of these similarities to QUERY."""
    person, photo = make_person(name), make_photo()
    with transaction.atomic():
        for i, similarity in enumerate(similarities):
            make_reference(person, vector_near(QUERY, similarity, seed=person.pk * 1000 + i), photo=photo)
    return person


def references(person: Person) -> list[int]:
    return list(person.sightings.order_by("face_id").values_list("face_id", flat=True))


def test_an_empty_gallery_knows_nobody() -> None:
    assert find_top_k(QUERY) == []
    match = find_match(QUERY)
    assert (match.person_id, match.best_person_id, match.similarity, match.margin) == (None, None, None, None)
    assert match.references == ()


def test_a_person_scores_by_their_best_reference() -> None:
    alice, bob = make_known(0.3, 0.8, 0.5, 0.7), make_known(0.75)
    scores = find_top_k(QUERY, 5)
    assert [score.person_id for score in scores] == [alice.pk, bob.pk]
    assert [score.similarity for score in scores] == pytest.approx([0.8, 0.75], abs=1e-5)
    faces = references(alice)
    assert scores[0].references == (faces[1], faces[3], faces[2])
    assert [score.reference_count for score in scores] == [4, 1]


def test_k_counts_people_even_behind_many_faces_of_one() -> None:
    crowd = make_known(*np.linspace(0.95, 0.6, 150).tolist())
    others = [make_known(similarity) for similarity in (0.5, 0.4, 0.3)]
    scores = find_top_k(QUERY, 3)
    assert [score.person_id for score in scores] == [crowd.pk, others[0].pk, others[1].pk]
    assert scores[0].reference_count == 150


def test_fewer_people_than_asked_for() -> None:
    make_known(*np.linspace(0.9, 0.5, 64).tolist())
    assert len(find_top_k(QUERY, 5)) == 1


def test_a_batch_answers_each_vector_and_says_which_gallery_it_searched() -> None:
    alice, bob = make_known(0.9), make_person()
    make_reference(bob, OTHER)
    batch = find_top_k_batch(np.stack([OTHER, QUERY]), 1)
    assert [[score.person_id for score in scores] for scores in batch.scores] == [[bob.pk], [alice.pk]]
    assert batch.version == read_gallery_state().version == 2


def test_an_empty_batch() -> None:
    make_known(0.9)
    batch = find_top_k_batch(np.empty((0, 512), np.float32), 1)
    assert (batch.version, batch.scores) == (1, [])


def test_the_people_of_a_batch_are_looked_up_in_one_statement() -> None:
    for _ in range(5):
        make_known(0.9, 0.8)
    find_top_k(QUERY)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        find_top_k_batch(unit_vectors(30), 2)
    sightings = [query["sql"] for query in queries if "recognition_sighting" in query["sql"]]
    assert len(sightings) == 2  # who the faces are, and how many references they have
    # And which embedder is active, whether it is being changed, or an event deleted, and the gallery's version.
    assert len(queries) == 6


def test_agrees_with_a_plain_computation() -> None:
    vectors, queries = unit_vectors(120, seed=7), unit_vectors(6, seed=8)
    people, photo = [make_person() for _ in range(9)], make_photo()
    with transaction.atomic():
        for i, vector in enumerate(vectors):
            make_reference(people[i % 9], vector, photo=photo)
    for similarities, scores in zip(queries @ vectors.T, find_top_k_batch(queries, 4).scores, strict=True):
        best = {person.pk: similarities[i::9].max() for i, person in enumerate(people)}
        expected = sorted(best, key=lambda pk: -best[pk])[:4]
        assert [score.person_id for score in scores] == expected
        assert [score.similarity for score in scores] == pytest.approx(
            [best[pk] for pk in expected], abs=1e-5
        )


def test_a_relabeled_face_answers_for_the_new_person() -> None:
    alice, bob = make_known(0.9), make_person()
    face = alice.sightings.get().face
    assert find_top_k(QUERY)[0].person_id == alice.pk
    label_face(face, bob)
    assert [score.person_id for score in find_top_k(QUERY)] == [bob.pk]
    unlabel_face(face)
    assert find_top_k(QUERY) == []


def test_a_merge_that_touched_no_face_is_seen_at_once() -> None:
    """Names never enter the index."""
    alice, bob = make_known(0.9), make_known(0.5)
    find_top_k(QUERY)
    Sighting.objects.filter(person=alice).update(person=bob)
    (score,) = find_top_k(QUERY)
    assert (score.person_id, score.reference_count) == (bob.pk, 2)


def test_a_hit_whose_sighting_went_behind_the_journal_is_dropped() -> None:
    alice, bob = make_known(0.9), make_known(0.5)
    find_top_k(QUERY)
    Sighting.objects.filter(person=alice).delete()
    assert [score.person_id for score in find_top_k(QUERY, 1)] == [bob.pk]


def test_a_machines_sighting_never_answers() -> None:
    alice = make_known(0.9)
    sighting = alice.sightings.get()
    with transaction.atomic():
        label_face(sighting.face, alice)
        Sighting.objects.update(is_reference=False, decided_by="machine", similarity=0.9)
    assert find_top_k(QUERY) == []


def test_a_match_over_the_line_names_the_person() -> None:
    thresholds = describe_embedder(EMBEDDER_ID).thresholds
    alice = make_known(thresholds.automatic + 0.05)
    bob = make_known(0.1)
    match = find_match(QUERY)
    assert (match.verdict, match.person_id, match.best_person_id) == (Verdict.AUTOMATIC, alice.pk, alice.pk)
    assert match.similarity == pytest.approx(thresholds.automatic + 0.05, abs=1e-5)
    assert match.margin == pytest.approx(thresholds.automatic - 0.05, abs=1e-5)
    assert match.references == tuple(references(alice))
    assert match.thresholds == thresholds
    assert bob.pk not in {match.person_id}


def test_a_match_under_the_line_names_nobody_and_tells_the_score() -> None:
    thresholds = describe_embedder(EMBEDDER_ID).thresholds
    alice = make_known(thresholds.automatic - 0.01)
    match = find_match(QUERY)
    assert (match.person_id, match.best_person_id, match.margin) == (None, alice.pk, None)


def test_a_lead_under_the_margin_names_nobody() -> None:
    thresholds = describe_embedder(EMBEDDER_ID).thresholds
    alice = make_known(0.95)
    make_known(0.95 - thresholds.margin / 2)
    match = find_match(QUERY)
    assert (match.verdict, match.person_id, match.best_person_id) == (Verdict.SUGGEST, None, alice.pk)


def test_a_vector_of_another_embedder_is_refused() -> None:
    with pytest.raises(WrongEmbedder):
        find_top_k_batch(QUERY[np.newaxis], 1, embedder_id="another")
    with pytest.raises(WrongEmbedder):
        find_match(QUERY, embedder_id="another")
    assert find_top_k(QUERY, embedder_id=EMBEDDER_ID) == []


def test_bad_input_is_refused() -> None:
    with pytest.raises(BadVector):
        find_top_k(QUERY * 2)
    with pytest.raises(BadVector):
        find_match(QUERY[:128])
    with pytest.raises(ValueError, match="k must be"):
        find_top_k(QUERY, 0)


def test_a_search_inside_a_business_transaction_is_refused() -> None:
    find_top_k(QUERY)
    with transaction.atomic(), pytest.raises(SearchInsideTransaction):
        find_match(QUERY)


def test_without_an_active_embedder_there_is_nothing_to_search() -> None:
    from recognition.models import ActiveEmbedder

    ActiveEmbedder.objects.all().delete()
    with pytest.raises(NoActiveEmbedder):
        find_match(QUERY)


def make_known_at(event: Event, *similarities: float) -> Person:
    """The same with all references in photos of one event."""
    person, photo = make_person(), make_photo(event)
    with transaction.atomic():
        for i, similarity in enumerate(similarities):
            make_reference(person, vector_near(QUERY, similarity, seed=person.pk * 1000 + i), photo=photo)
    return person


@pytest.mark.parametrize("ivf_from", [1_000_000, 100])
def test_only_references_of_the_given_events_answer_however_many_others_are_nearer(
    ivf_from: int, settings: object
) -> None:
    settings.FACEVAULT_IVF_FROM = ivf_from  # type: ignore[attr-defined]
    mine, foreign = make_event(), make_event()
    crowd = [make_known_at(foreign, *np.linspace(0.99, 0.8, 50).tolist()) for _ in range(4)]
    wanted = [make_known_at(mine, similarity) for similarity in (0.6, 0.5, 0.4)]
    scores = find_top_k_batch(QUERY[np.newaxis], 3, events={mine.pk}).scores[0]
    assert [score.person_id for score in scores] == [person.pk for person in wanted]
    assert [score.similarity for score in scores] == pytest.approx([0.6, 0.5, 0.4], abs=1e-5)
    assert {score.person_id for score in find_top_k(QUERY, 3)} <= {person.pk for person in crowd}


def test_a_person_scores_by_what_is_at_the_given_events() -> None:
    mine, foreign = make_event(), make_event()
    alice = make_known_at(foreign, 0.95, 0.9)
    photo = make_photo(mine)
    seen = [
        make_reference(alice, vector_near(QUERY, s, seed=i), photo=photo) for i, s in enumerate((0.5, 0.6))
    ]
    (score,) = find_top_k_batch(QUERY[np.newaxis], 5, events={mine.pk}).scores[0]
    assert score.similarity == pytest.approx(0.6, abs=1e-5)
    assert score.references == (seen[1].pk, seen[0].pk)
    assert score.reference_count == 2


def test_no_events_know_nobody() -> None:
    make_known(0.9)
    assert find_top_k_batch(QUERY[np.newaxis], 5, events=set()).scores == [[]]


def test_a_search_among_events_asks_as_often_for_one_as_for_many() -> None:
    events = [make_event() for _ in range(20)]
    for event in events:
        make_known_at(event, 0.9, 0.8)
    find_top_k(QUERY)
    with CaptureQueriesContext(connection) as queries:
        find_top_k_batch(unit_vectors(30), 2, events={event.pk for event in events})
    assert len(queries) == 6  # which references are theirs, and the five of any search


def test_whoever_sees_everything_searches_everything(labeler: User) -> None:
    make_event()
    assert events_to_search(labeler) is None


def test_others_search_their_events_and_not_those_that_are_being_deleted(outsider: User) -> None:
    mine, doomed, _foreign = make_event(), make_event(), make_event()
    for event in (mine, doomed):
        EventGrant.objects.create(user=outsider, event=event, role=VIEWER)
    Event.objects.filter(pk=doomed.pk).update(deleted_at=timezone.now())
    assert events_to_search(outsider) == frozenset({mine.pk})
