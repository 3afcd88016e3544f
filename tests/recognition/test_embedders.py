import hashlib
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pytest_django import Settings

from recognition.detection import DetectedFace, get_detector
from recognition.embedders import (
    Embedder,
    EmbedderInfo,
    EmbedderUnknown,
    Thresholds,
    WeightsMissing,
    WeightsRefused,
    choose_embedder,
    describe_embedder,
    dlib_resnet,
    embedders,
    facenet,
    get_embedder,
    registry,
    reset_embedders,
    weights,
)
from recognition.embedders._dlib_net import DlibNet
from recognition.geometry import Box
from recognition.images import decode_photo
from recognition.vectors import check_vectors
from tests.photos import PHOTOS, needs_photos

SQUARES = np.random.default_rng(7).integers(0, 256, (5, 160, 160, 3), dtype=np.uint8)
CHIPS = np.random.default_rng(8).integers(0, 256, (3, 150, 150, 3), dtype=np.uint8)


def face_at(box: Box) -> DetectedFace:
    return DetectedFace(box, np.zeros((5, 2), np.float32), 1.0)


@pytest.fixture(autouse=True)
def no_loaded_embedders() -> Any:
    reset_embedders()
    yield
    reset_embedders()


@pytest.fixture(scope="module")
def random_net() -> Any:
    """The published file's shape with random numbers: the net and its trained classifier."""
    from recognition._torchvision import load_torchvision

    load_torchvision()
    import torch
    from facenet_pytorch.models.inception_resnet_v1 import InceptionResnetV1

    torch.manual_seed(11)
    return InceptionResnetV1(pretrained=None, classify=True, num_classes=7).eval()


@pytest.fixture(scope="module")
def random_weights(random_net: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch

    path = tmp_path_factory.mktemp("weights") / "random.pt"
    torch.save(random_net.state_dict(), path)
    return path


def sum_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def installed(random_weights: Path, settings: Settings) -> str:
    """This installation uses the random weights; the embedder_id they get."""
    settings.FACEVAULT_WEIGHTS = str(random_weights)
    settings.FACEVAULT_WEIGHTS_SHA256 = sum_of(random_weights)
    return f"facenet-vggface2-{sum_of(random_weights)[:8]}"


def test_weights_of_ones_own_go_through_the_same_loader(installed: str, random_net: Any) -> None:
    import torch

    assert choose_embedder().embedder_id == installed
    embedder = get_embedder(installed)
    vectors = embedder.embed(SQUARES)
    assert vectors.shape == (5, 512)
    check_vectors(vectors, 512)
    assert embedder.embedder_id == installed
    assert (embedder.name, embedder.dimension, embedder.input_size) == ("facenet-vggface2", 512, 160)

    random_net.classify = False
    with torch.inference_mode():
        plain = random_net((torch.from_numpy(SQUARES).permute(0, 3, 1, 2).float() - 127.5) / 128.0)
        plain = torch.nn.functional.normalize(plain, dim=1).numpy()
    np.testing.assert_allclose(vectors, plain, atol=1e-5)


def test_batches_do_not_change_a_vector(installed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = get_embedder(installed)
    whole = embedder.embed(SQUARES)
    monkeypatch.setattr(facenet, "_BATCH", 2)
    np.testing.assert_allclose(embedder.embed(SQUARES), whole, atol=1e-5)
    assert embedder.embed(SQUARES[:0]).shape == (0, 512)


@pytest.mark.parametrize("bad", [SQUARES.astype(np.float32), SQUARES[0], SQUARES[:, :150]])
def test_inputs_of_another_shape_are_refused(installed: str, bad: NDArray[Any]) -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        get_embedder(installed).embed(bad)


@needs_photos
def test_facenets_input_is_what_facenet_pytorch_cuts(installed: str) -> None:
    from facenet_pytorch import extract_face

    rgb = decode_photo(PHOTOS / "multiface.jpg")
    embedder = get_embedder(installed)
    for face in get_detector().detect(rgb):
        box = [face.box.left, face.box.top, face.box.right, face.box.bottom]
        theirs = extract_face(Image.fromarray(rgb), np.array(box), image_size=160, margin=0)
        np.testing.assert_array_equal(embedder.cut_input(rgb, face), theirs.permute(1, 2, 0).numpy())


@pytest.mark.parametrize("box", [Box(0, 0, 0.4, 0.4), Box(99.7, 49.8, 100, 50), Box(0, 0, 100, 50)])
def test_facenets_input_of_an_odd_box_is_still_a_square(installed: str, box: Box) -> None:
    rgb = np.zeros((50, 100, 3), np.uint8)
    assert get_embedder(installed).cut_input(rgb, face_at(box)).shape == (160, 160, 3)


def test_a_wrong_checksum_is_refused_before_anything_is_unpickled(tmp_path: Path, settings: Settings) -> None:
    trap = tmp_path / "trap.pt"
    witness = tmp_path / "unpickled"
    trap.write_bytes(pickle.dumps(Touch(witness)))
    settings.FACEVAULT_WEIGHTS = str(trap)
    settings.FACEVAULT_WEIGHTS_SHA256 = "ab" * 32
    with pytest.raises(WeightsRefused, match="expected sha256 abab.*got " + sum_of(trap)):
        get_embedder("facenet-vggface2-abababab")
    assert not witness.exists()


def test_a_right_checksum_still_runs_no_code_of_the_file(tmp_path: Path, settings: Settings) -> None:
    import torch

    trap, witness = tmp_path / "trap.pt", tmp_path / "unpickled"
    torch.save({"x": Touch(witness)}, trap)
    settings.FACEVAULT_WEIGHTS = str(trap)
    settings.FACEVAULT_WEIGHTS_SHA256 = sum_of(trap)
    with pytest.raises(WeightsRefused, match="not a file of tensors"):
        get_embedder(f"facenet-vggface2-{sum_of(trap)[:8]}")
    assert not witness.exists()


class Touch:
    """Leaves a file behind when it is unpickled carelessly."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("content", ["text", "list", "other net", "missing layer"])
def test_a_file_that_is_no_state_of_the_net_is_refused(
    content: str, tmp_path: Path, settings: Settings, random_net: Any
) -> None:
    import torch

    path = tmp_path / "other.pt"
    state = random_net.state_dict()
    if content == "text":
        path.write_text("not weights")
    elif content == "list":
        torch.save([1, 2, 3], path)
    elif content == "other net":
        torch.save({"conv.weight": torch.zeros(3)}, path)
    else:
        torch.save({k: v for k, v in state.items() if k != "last_linear.weight"}, path)
    settings.FACEVAULT_WEIGHTS = str(path)
    settings.FACEVAULT_WEIGHTS_SHA256 = sum_of(path)
    with pytest.raises(WeightsRefused, match=str(path)):
        get_embedder(f"facenet-vggface2-{sum_of(path)[:8]}")


def test_missing_weights_say_where_they_belong_and_what_to_run(tmp_path: Path, settings: Settings) -> None:
    settings.FACEVAULT_DATA = tmp_path
    settings.FACEVAULT_WEIGHTS = settings.FACEVAULT_WEIGHTS_SHA256 = None
    with pytest.raises(WeightsMissing, match="fetch_weights") as caught:
        get_embedder("facenet-vggface2")
    assert str(tmp_path / "models" / "20180402-114759-vggface2.pt") in str(caught.value)


def test_the_known_file_must_have_its_size(tmp_path: Path, settings: Settings) -> None:
    settings.FACEVAULT_DATA = tmp_path
    settings.FACEVAULT_WEIGHTS = settings.FACEVAULT_WEIGHTS_SHA256 = None
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / weights.WEIGHTS_NAME).write_bytes(b"half of it")
    with pytest.raises(WeightsRefused, match="expected 111,898,327 bytes, got 10"):
        get_embedder("facenet-vggface2")
    choice = choose_embedder()
    assert choice.embedder_id == dlib_resnet.EMBEDDER_ID
    assert "10 bytes" in choice.reason


def test_without_weights_the_bundled_embedder_is_chosen_and_says_so(
    tmp_path: Path, settings: Settings
) -> None:
    settings.FACEVAULT_WEIGHTS = settings.FACEVAULT_WEIGHTS_SHA256 = None
    choice = choose_embedder(data=tmp_path)
    assert choice.embedder_id == dlib_resnet.EMBEDDER_ID
    assert "manage.py fetch_weights" in choice.reason


def test_the_known_sum_gives_the_plain_id_and_a_bad_sum_is_refused() -> None:
    plain = weights.plan_weights(path="x", sha256=weights.WEIGHTS_SHA256.upper())
    assert facenet.facenet_id(plain) == "facenet-vggface2"
    assert plain.size == 111_898_327
    with pytest.raises(WeightsRefused, match="64 hex"):
        weights.plan_weights(path="x", sha256="abc")


def test_embeddings_of_other_weights_cannot_be_continued(installed: str) -> None:
    with pytest.raises(EmbedderUnknown, match=installed):
        get_embedder("facenet-vggface2")
    with pytest.raises(EmbedderUnknown, match=installed):
        get_embedder("facenet-vggface2-00000000")


@pytest.mark.parametrize("embedder_id", ["", "facenet", "facenet-vggface2-xyz", "dlib", "arcface"])
def test_an_unknown_embedder_is_refused(embedder_id: str) -> None:
    with pytest.raises(EmbedderUnknown, match="there are"):
        describe_embedder(embedder_id)
    with pytest.raises(EmbedderUnknown):
        get_embedder(embedder_id)


def test_an_embedder_is_described_without_being_loaded() -> None:
    info = describe_embedder("facenet-vggface2-1a2b3c4d")
    assert (info.dimension, info.input_size, info.name) == (512, 160, "facenet-vggface2")
    assert info.thresholds == Thresholds(automatic=0.70, margin=0.10, suggest=0.45, strict=0.78)
    assert describe_embedder(dlib_resnet.EMBEDDER_ID).dimension == 128


def test_importing_and_describing_loads_no_net_library() -> None:
    code = (
        "import sys\n"
        "import recognition.images, recognition.geometry, recognition.vectors, recognition.quality\n"
        "import recognition.detection\n"
        "from recognition.embedders import describe_embedder\n"
        "from recognition.embedders.dlib_resnet import EMBEDDER_ID\n"
        "describe_embedder('facenet-vggface2'); describe_embedder(EMBEDDER_ID)\n"
        "heavy = {'torch', 'torchvision', 'facenet_pytorch', 'dlib', '_dlib_pybind11', 'faiss', 'transformers'}\n"
        "found = heavy & set(sys.modules)\n"
        "assert not found, found\n"
    )
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=root)


def test_an_embedder_is_loaded_once_for_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []

    def create(embedder_id: str) -> Embedder:
        loads.append(embedder_id)
        return dlib_resnet.DlibEmbedder.__new__(dlib_resnet.DlibEmbedder)

    fresh = registry.EmbedderRegistry()
    info = EmbedderInfo(
        embedder_id="fake-1",
        name="fake",
        dimension=2,
        input_size=3,
        shipped=Thresholds(automatic=0.7, margin=0.1, suggest=0.4, strict=0.8),
    )
    fresh.register("fake", describe=lambda wanted: info if wanted == "fake-1" else None)(create)
    monkeypatch.setattr(registry, "embedders", fresh)
    seen: list[Embedder] = []
    threads = [threading.Thread(target=lambda: seen.append(get_embedder("fake-1"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == ["fake-1"]
    assert len({id(one) for one in seen}) == 1
    with pytest.raises(ValueError, match="twice"):
        fresh.register("fake", describe=lambda wanted: None)(create)
    assert {"dlib-resnet", "facenet-vggface2"} <= set(embedders.names())


def test_dlib_gives_unit_vectors_of_its_own_length() -> None:
    embedder = get_embedder(dlib_resnet.EMBEDDER_ID)
    vectors = embedder.embed(CHIPS)
    assert vectors.shape == (3, 128)
    check_vectors(vectors, 128)
    assert embedder.embed(CHIPS[:0]).shape == (0, 128)
    np.testing.assert_allclose(embedder.embed(CHIPS[1:2])[0], vectors[1], atol=1e-5)
    with pytest.raises(ValueError, match="expected uint8"):
        embedder.embed(SQUARES)


def test_torch_computes_what_dlib_computes() -> None:
    import dlib

    path = dlib_resnet.find_model_file("dlib_face_recognition_resnet_model_v1.dat")
    theirs = dlib.face_recognition_model_v1(str(path)).compute_face_descriptor(list(CHIPS))
    np.testing.assert_allclose(DlibNet(path).describe(CHIPS), np.array(theirs), atol=2e-5)


@pytest.mark.parametrize("kept", [0, 100, 5_000, 1_000_000, 22_400_000])
def test_a_damaged_dlib_net_is_refused(kept: int, tmp_path: Path) -> None:
    whole = dlib_resnet.find_model_file("dlib_face_recognition_resnet_model_v1.dat")
    cut = tmp_path / "cut.dat"
    cut.write_bytes(whole.read_bytes()[:kept])
    with pytest.raises(ValueError, match="reinstall face_recognition_models"):
        DlibNet(cut)


def test_a_mirrored_face_has_the_same_vector() -> None:
    embedder = get_embedder(dlib_resnet.EMBEDDER_ID)
    np.testing.assert_allclose(embedder.embed(CHIPS[:, :, ::-1]), embedder.embed(CHIPS), atol=1e-5)


def test_dlibs_input_of_an_odd_box_is_still_a_chip() -> None:
    rgb = np.random.default_rng(9).integers(0, 256, (50, 100, 3), dtype=np.uint8)
    embedder = get_embedder(dlib_resnet.EMBEDDER_ID)
    for box in (Box(0, 0, 6, 6), Box(95, 44, 100, 50), Box(0, 0, 100, 50)):
        chip = embedder.cut_input(rgb, face_at(box))
        assert chip.shape == (150, 150, 3)
        assert chip.dtype == np.uint8


@needs_photos
def test_dlib_tells_known_people_apart_at_its_own_lines() -> None:
    embedder = get_embedder(dlib_resnet.EMBEDDER_ID)
    names = ["biden/biden.jpg", "biden/biden2.jpg", "obama/obama.jpg", "obama/obama2.jpg"]
    inputs = []
    for name in names:
        rgb = decode_photo(PHOTOS / "knn" / "train" / name)
        inputs.append(embedder.cut_input(rgb, get_detector().detect(rgb)[0]))
    vectors = embedder.embed(np.stack(inputs))
    similarity = vectors @ vectors.T
    assert min(similarity[0, 1], similarity[2, 3]) >= embedder.thresholds.automatic
    assert similarity[:2, 2:].max() < embedder.thresholds.suggest
