"""A demo vault has the sizes asked for, files for every row, and embeddings of a real shape."""

from collections import Counter, defaultdict
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from numpy.typing import NDArray
from PIL import Image

from recognition.demo import vault
from recognition.demo.plan import GROUPS, DemoSize, Plan, Role, plan_vault
from recognition.demo.seats import seat_casts, seat_freely
from recognition.demo.vectors import make_vectors
from recognition.detection import cut_crop
from recognition.embedders import Thresholds, describe_embedder
from recognition.gallery_journal import read_gallery_state
from recognition.ingest import CROP_MARGIN, CROP_SIDE
from recognition.models import Embedding, Event, Face, GalleryChange, Person, Photo, Sighting, UnlabeledFace
from recognition.search import find_top_k
from recognition.storage import crop_path, original_path, preview_path, thumb_path
from recognition.vectors import check_vectors, decode_vector
from tests.factories import make_photo

THRESHOLDS = Thresholds(automatic=0.7, margin=0.1, suggest=0.45, strict=0.8)
SIZE = DemoSize(faces=1200, people=60, unlabeled=300, clusters=20, seed=5)


def build(faces: int = 24, people: int = 4, unlabeled: int = 10, clusters: int = 2, seed: int = 0) -> str:
    out = StringIO()
    call_command(
        "build_demo_vault",
        *(f"--faces={faces}", f"--people={people}", f"--unlabeled={unlabeled}"),
        *(f"--clusters={clusters}", f"--seed={seed}"),
        stdout=out,
        stderr=StringIO(),
    )
    return out.getvalue()


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every vault counts as a large one, and the files that it shares are few: drawing takes most of the time."""
    monkeypatch.setattr(vault, "FULLY_DRAWN_PHOTOS", 0)
    monkeypatch.setattr(vault, "SHARED_CASTS", 2)


@pytest.mark.django_db
def test_it_writes_the_sizes_asked_for_with_files_for_every_row() -> None:
    said = build()
    assert "24 faces" in said
    assert "10 in the queue (2 clusters)" in said
    assert Face.objects.count() == Embedding.objects.count() == 24
    assert Person.objects.count() == 4
    assert UnlabeledFace.objects.open().count() == 10
    assert Sighting.objects.count() == 14
    assert Event.objects.filter(held_on__isnull=False).exclude(place="").count() == Event.objects.count() == 1
    for person in Person.objects.all():
        assert person.sightings.filter(is_reference=True).exists()
        assert list(Person.objects.named(person.name)) == [person]
    for photo in Photo.objects.all():
        original = original_path(photo.sha256, photo.format)
        assert original.stat().st_size == photo.byte_size
        assert preview_path(photo).is_file()
        assert thumb_path(photo).is_file()
        assert photo.state == Photo.State.DONE
    for face in Face.objects.select_related("photo"):
        assert crop_path(face).is_file()
        assert 0 <= face.left < face.left + face.width <= face.photo.width
        assert 0 <= face.top < face.top + face.height <= face.photo.height
        assert all(face.left < x < face.left + face.width for x, _ in face.landmarks)
        assert abs(face.yaw) < 25


@pytest.mark.django_db
@pytest.mark.usefixtures("large")
def test_the_gallery_answers_with_the_person_whom_the_machine_named() -> None:
    build(faces=40, people=5)
    assert read_gallery_state().version > 0
    assert GalleryChange.objects.count() == Sighting.objects.filter(is_reference=True).count()
    named = Sighting.objects.filter(decided_by="machine")
    assert named.exists()
    info = describe_embedder(Embedding.objects.values_list("embedder_id", flat=True)[0])
    for sighting in named:
        row = Embedding.objects.with_vectors().get(face=sighting.face_id)
        found = find_top_k(decode_vector(bytes(row.vector), info.dimension), 2, embedder_id=info.embedder_id)
        assert found[0].person_id == sighting.person_id
        assert sighting.similarity == pytest.approx(found[0].similarity, abs=1e-4)
        assert sighting.margin == pytest.approx(found[0].similarity - found[1].similarity, abs=1e-4)
        assert sighting.references[0] == found[0].references[0]
        assert found[0].similarity >= info.thresholds.automatic


@pytest.mark.django_db
@pytest.mark.usefixtures("large")
def test_a_large_vault_shares_a_few_pictures() -> None:
    build(faces=150, people=18, unlabeled=45, clusters=8)
    photos = Photo.objects.count()
    assert photos >= 36
    assert Photo.objects.values("sha256").distinct().count() <= photos / 3
    assert Event.objects.filter(photos__isnull=False).distinct().count() == Event.objects.count()
    assert abs(Event.objects.count() - photos / 2) <= 3


@pytest.mark.django_db
@pytest.mark.usefixtures("large")
def test_the_faces_of_a_stranger_in_the_queue_are_at_one_event() -> None:
    build(faces=120, people=10, unlabeled=50, clusters=8)
    events = dict(Face.objects.values_list("pk", "photo__event"))
    assert len(set(events.values())) > 1
    vectors = {
        row.face_id: decode_vector(bytes(row.vector), 128)
        for row in Embedding.objects.with_vectors().filter(face__unlabeled__reviewed=False)
    }
    info = describe_embedder(Embedding.objects.values_list("embedder_id", flat=True)[0])
    known = np.stack(
        [
            decode_vector(bytes(row.vector), 128)
            for row in Embedding.objects.with_vectors().filter(face__sighting__is_reference=True)
        ]
    )
    strangers = [pk for pk, vector in vectors.items() if (known @ vector).max() < info.thresholds.suggest]
    alike = [
        (one, other)
        for one in strangers
        for other in strangers
        if one < other and vectors[one] @ vectors[other] >= info.thresholds.automatic
    ]
    assert len(alike) >= 8
    assert all(events[one] == events[other] for one, other in alike)


@pytest.mark.django_db
@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("drawn", [150, 0])
def test_a_crop_is_cut_from_its_own_photo(monkeypatch: pytest.MonkeyPatch, drawn: int) -> None:
    monkeypatch.setattr(vault, "FULLY_DRAWN_PHOTOS", drawn)
    build(faces=14, people=3, unlabeled=6, clusters=1)
    for face in Face.objects.select_related("photo"):
        original = original_path(face.photo.sha256, face.photo.format)
        with Image.open(original) as photo, Image.open(crop_path(face)) as crop:
            again = Image.fromarray(cut_crop(np.asarray(photo), face.box, margin=CROP_MARGIN, side=CROP_SIDE))
            same, kept = (np.asarray(image.resize((80, 80)), dtype=float) for image in (again, crop))
        assert np.abs(same - kept).mean() < 6


@pytest.mark.django_db
def test_it_refuses_a_database_that_holds_photos() -> None:
    make_photo()
    with pytest.raises(CommandError, match="FACEVAULT_DATA"):
        build()
    assert Face.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"faces": 10, "people": 5, "unlabeled": 6, "clusters": 1}, "5 people need"),
        ({"faces": 10, "people": 0, "unlabeled": 6, "clusters": 1}, "there must be people"),
        ({"faces": 10, "people": 2, "unlabeled": 4, "clusters": 3}, "6 or more"),
        ({"faces": 10, "people": -2, "unlabeled": 4, "clusters": 1}, "negative"),
    ],
)
def test_it_refuses_sizes_that_contradict_each_other(sizes: dict[str, int], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        build(**sizes)
    assert Event.objects.count() == 0


@pytest.mark.django_db
def test_an_empty_vault_and_one_of_strangers_alone_are_fine() -> None:
    build(faces=0, people=0, unlabeled=0, clusters=0)
    assert Photo.objects.count() == 0
    build(faces=6, people=0, unlabeled=6, clusters=1)
    assert UnlabeledFace.objects.open().count() == 6


def test_nobody_is_on_a_photo_twice_and_every_face_is_on_one() -> None:
    plan = plan_vault(SIZE, np.random.default_rng(1))
    assert sorted(face for photo in plan.photos for face in photo) == list(range(SIZE.faces))
    for photo in plan.photos:
        people = plan.identities[photo]
        assert len(set(people)) == len(people) <= 8
    assert np.isin(plan.roles, [Role.DOUBTFUL, Role.CLUSTERED, Role.SINGLE]).sum() == SIZE.unlabeled
    clustered = plan.identities[plan.roles == Role.CLUSTERED]
    assert len(set(clustered)) == SIZE.clusters
    assert np.bincount(clustered)[SIZE.people :].min() >= 2


def test_shared_looks_stand_together_and_stay_with_their_person() -> None:
    plan = plan_vault(SIZE, np.random.default_rng(1))
    shared = seat_casts(plan, 6)
    assert sorted(face for photo in shared.photos for face in photo) == list(range(SIZE.faces))
    look_of = dict(zip(shared.identities.tolist(), shared.looks.tolist(), strict=True))
    assert [look_of[identity] for identity in shared.identities.tolist()] == shared.looks.tolist()
    # Names of women and men take turns, and so do the looks.
    assert ((shared.looks - shared.identities) % 2 == 0).all()
    cast_of = np.repeat(np.arange(6), GROUPS)
    for photo in shared.photos:
        looks = shared.looks[photo].tolist()
        assert looks == sorted(set(looks))
        assert len(set(cast_of[looks])) == 1
    assert len({tuple(shared.looks[photo]) for photo in shared.photos}) < len(shared.photos) / 3


@pytest.mark.parametrize("casts", [None, 48])
def test_a_stranger_stays_at_one_event_and_is_on_a_photo_once(casts: int | None) -> None:
    plan = plan_vault(SIZE, np.random.default_rng(1))
    seated = seat_casts(plan, casts) if casts else seat_freely(plan, photos_per_event=50)
    assert sorted(face for photo in seated.photos for face in photo) == list(range(SIZE.faces))
    assert seated.events == sorted(seated.events)
    assert set(seated.events) == set(range(max(seated.events) + 1))
    assert len(set(seated.events)) >= 4
    events_of = events_by_stranger(seated)
    faces = Counter(seated.identities[seated.roles == Role.CLUSTERED].tolist())
    assert len(faces) == SIZE.clusters
    assert [
        stranger for stranger, count in faces.items() if count <= 24 and len(events_of[stranger]) > 1
    ] == []
    for photo in seated.photos:
        assert len(set(seated.identities[photo].tolist())) == len(photo) <= 8


def test_events_of_a_large_vault_have_about_eight_photos_of_each_cast() -> None:
    size = DemoSize(faces=100_000, people=2000, unlabeled=25_000, clusters=5000)
    plan = seat_casts(plan_vault(size, np.random.default_rng(0)), 48)
    photos = np.bincount(plan.events)
    assert 44 <= len(photos) <= 52
    assert 300 <= photos.min() <= photos.max() <= 420
    assert {len(events) for events in events_by_stranger(plan).values()} == {1}
    pictures: Counter[tuple[int, ...]] = Counter()
    for (_, looks), count in Counter(
        (event, tuple(plan.looks[photo])) for event, photo in zip(plan.events, plan.photos, strict=True)
    ).items():
        pictures[looks] = max(pictures[looks], count)
    assert pictures.total() < 500


def test_a_person_alone_gets_a_photo_per_face() -> None:
    plan = plan_vault(DemoSize(faces=9, people=1, unlabeled=0, clusters=0), np.random.default_rng(0))
    assert [len(photo) for photo in plan.photos] == [1] * 9


@pytest.mark.parametrize("dimension", [128, 512])
def test_embeddings_have_a_real_shape(dimension: int) -> None:
    plan, vectors = shape(dimension)
    check_vectors(vectors, dimension)
    references = plan.roles == Role.REFERENCE
    scores = vectors @ vectors[references].T
    same = plan.identities[:, None] == plan.identities[references][None, :]
    own = np.where(same, scores, -1).max(axis=1)
    other = np.where(same, -1, scores).max(axis=1)
    machine, doubtful = plan.roles == Role.MACHINE, plan.roles == Role.DOUBTFUL
    assert own[machine].min() >= THRESHOLDS.automatic
    assert own[machine].std() > 0.02
    assert (own[machine] - other[machine]).min() >= THRESHOLDS.margin
    assert own[doubtful].min() >= THRESHOLDS.suggest
    assert own[doubtful].max() < THRESHOLDS.automatic
    assert np.quantile(other[~doubtful], 0.99) < THRESHOLDS.suggest
    # Some references of one person are far apart, as photos of many years are.
    pairs = (vectors[references] @ vectors[references].T)[
        same[references] & ~np.eye(references.sum(), dtype=bool)
    ]
    assert pairs.mean() > THRESHOLDS.automatic
    assert pairs.min() < THRESHOLDS.automatic


def test_faces_of_a_cluster_find_each_other_and_single_strangers_nobody() -> None:
    plan, vectors = shape(128)
    clustered = plan.roles == Role.CLUSTERED
    scores = vectors @ vectors.T - 2 * np.eye(len(vectors), dtype=np.float32)
    nearest = scores.argmax(axis=1)
    assert (plan.identities[nearest[clustered]] == plan.identities[clustered]).all()
    assert np.median(scores[clustered].max(axis=1)) > THRESHOLDS.automatic
    assert np.quantile(scores[plan.roles == Role.SINGLE].max(axis=1), 0.9) < THRESHOLDS.suggest


def test_the_same_seed_gives_the_same_vault() -> None:
    assert (shape(128)[1] == shape(128)[1]).all()


def events_by_stranger(plan: Plan) -> dict[int, set[int]]:
    found = defaultdict(set)
    for event, photo in zip(plan.events, plan.photos, strict=True):
        for face in photo:
            if plan.roles[face] == Role.CLUSTERED:
                found[int(plan.identities[face])].add(event)
    return found


def shape(dimension: int) -> tuple[Plan, NDArray[np.float32]]:
    rng = np.random.default_rng(SIZE.seed)
    plan = plan_vault(SIZE, rng)
    return plan, make_vectors(plan, dimension=dimension, thresholds=THRESHOLDS, rng=rng)
