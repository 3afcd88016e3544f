"""DINOv3, with a tiny random model on disk in place of the published one: loaded, checked and named by the same code."""

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import huggingface_hub
import numpy as np
import pytest
from django.core.management import CommandError, call_command
from numpy.typing import NDArray
from PIL import Image
from pytest_django import Settings

from recognition.active_embedder import get_active_embedder_id
from recognition.checks import check_embedder
from recognition.detection import DetectedFace
from recognition.embedders import (
    EmbedderUnknown,
    WeightsMissing,
    WeightsRefused,
    choose_embedder,
    describe_embedder,
    dinov3,
    get_embedder,
    name_embedder,
    reset_embedders,
)
from recognition.embedders.dinov3_files import PUBLISHED, open_dinov3
from recognition.geometry import Box
from recognition.vectors import check_vectors
from tests.factories import make_embedding, make_face, unit_vectors

INPUTS = np.random.default_rng(3).integers(0, 256, (5, 224, 224, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def no_loaded_embedders() -> Iterator[None]:
    reset_embedders()
    yield
    reset_embedders()


def build(folder: Path, **sizes: Any) -> Any:
    """A random DINOv3 with `hidden_size` 32, saved as transformers saves one; returns the plain model."""
    from recognition._torchvision import load_torchvision

    load_torchvision()
    import torch
    from transformers import DINOv3ViTConfig, DINOv3ViTModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    torch.manual_seed(5)
    small = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    net = DINOv3ViTModel(DINOv3ViTConfig(patch_size=16, num_register_tokens=4, **{**small, **sizes})).eval()
    # As initialized, layers hardly do anything: give every tensor something to say.
    with torch.no_grad():
        for tensor in net.parameters():
            tensor.add_(torch.randn_like(tensor) * 0.2)
    net.save_pretrained(folder)
    return net


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("dinov3") / "tiny"
    return folder, build(folder)


@pytest.fixture
def folder(made: tuple[Path, Any], tmp_path: Path, settings: Settings) -> Path:
    """A copy of the tiny model, which this installation uses; the hub is out of reach."""
    copy = tmp_path / "tiny"
    shutil.copytree(made[0], copy)
    settings.FACEVAULT_DINOV3 = str(copy)
    return copy


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)


def id_of(folder: Path, kind: str = "dinov3-32d") -> str:
    return f"{kind}-{hashlib.sha256((folder / 'model.safetensors').read_bytes()).hexdigest()[:8]}"


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**(json.loads(path.read_text()) if path.exists() else {}), **values}))


def plain_vectors(net: Any, mean: Any, std: Any) -> NDArray[np.float32]:
    import torch

    with torch.inference_mode():
        pixels = torch.from_numpy(((INPUTS / 255.0 - mean) / std).astype(np.float32)).permute(0, 3, 1, 2)
        token = net(pixels).last_hidden_state[:, 0]
        found: NDArray[np.float32] = torch.nn.functional.normalize(token, dim=1).numpy()
    return found


def test_it_gives_the_class_token_of_the_plain_model_at_unit_length(
    folder: Path, made: tuple[Path, Any]
) -> None:
    embedder = get_embedder(id_of(folder))
    vectors = embedder.embed(INPUTS)
    assert vectors.shape == (5, 32)
    check_vectors(vectors, 32)
    expected = plain_vectors(made[1], (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    # The random model tells the inputs apart, so the comparison above means something.
    assert (expected @ expected.T)[~np.eye(5, dtype=bool)].max() < 0.9999
    assert (embedder.name, embedder.dimension, embedder.input_size) == ("dinov3-vitb16", 32, 224)


def test_the_preprocessors_own_numbers_are_used(folder: Path, made: tuple[Path, Any]) -> None:
    change(folder / "preprocessor_config.json", image_mean=[0.2, 0.3, 0.4], image_std=[0.5, 0.6, 0.7])
    vectors = get_embedder(id_of(folder)).embed(INPUTS)
    np.testing.assert_allclose(vectors, plain_vectors(made[1], (0.2, 0.3, 0.4), (0.5, 0.6, 0.7)), atol=1e-5)


def test_batches_do_not_change_a_vector(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = get_embedder(id_of(folder))
    whole = embedder.embed(INPUTS)
    monkeypatch.setattr(dinov3, "_BATCH", 2)
    np.testing.assert_allclose(embedder.embed(INPUTS), whole, atol=1e-5)
    assert embedder.embed(INPUTS[:0]).shape == (0, 32)


@pytest.mark.parametrize("bad", [INPUTS.astype(np.float32), INPUTS[0], INPUTS[:, :160]])
def test_inputs_of_another_shape_are_refused(folder: Path, bad: NDArray[Any]) -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        get_embedder(id_of(folder)).embed(bad)


@pytest.mark.parametrize(
    "box", [Box(100, 50, 140, 110), Box(0, 0, 6, 6), Box(290, 190, 300, 200), Box(0, 0, 300, 200)]
)
def test_its_input_is_a_square_of_the_photo_never_stretched(folder: Path, box: Box) -> None:
    rows, columns = np.mgrid[0:200, 0:300]
    rgb = np.stack([rows, columns // 2, rows * 0], axis=-1).astype(np.uint8)
    face = DetectedFace(box, np.zeros((5, 2), np.float32), 1.0)
    cut = get_embedder(id_of(folder)).cut_input(rgb, face)
    assert cut.shape == (224, 224, 3)
    assert cut.dtype == np.uint8
    # Red rises by one for each row, green by one half for each column: of a square, twice as much.
    tall = int(cut[-1, 112, 0]) - int(cut[0, 112, 0])
    wide = 2 * (int(cut[112, -1, 1]) - int(cut[112, 0, 1]))
    assert abs(tall - wide) <= 3
    center = Image.fromarray(cut).getpixel((112, 112))
    assert isinstance(center, tuple)
    assert abs(center[0] - np.clip((box.top + box.bottom) / 2, 0, 200)) <= 40


def test_another_models_id_says_dimension_and_weights(folder: Path) -> None:
    assert name_embedder("dinov3-vitb16").embedder_id == id_of(folder)
    info = describe_embedder(id_of(folder))
    assert (info.name, info.dimension, info.input_size) == ("dinov3-vitb16", 32, 224)


def test_a_vit_b_of_ones_own_keeps_the_name_and_adds_its_sum(tmp_path: Path, settings: Settings) -> None:
    build(tmp_path / "own", hidden_size=768, num_hidden_layers=1)
    settings.FACEVAULT_DINOV3 = str(tmp_path / "own")
    embedder_id = id_of(tmp_path / "own", "dinov3-vitb16")
    assert name_embedder("dinov3-vitb16").embedder_id == embedder_id
    assert describe_embedder(embedder_id).dimension == 768
    assert get_embedder(embedder_id).embed(INPUTS[:1]).shape == (1, 768)


@pytest.mark.parametrize(
    ("embedder_id", "dimension"), [("dinov3-vitb16", 768), ("dinov3-384d-0123abcd", 384)]
)
def test_it_is_described_by_its_id_alone(embedder_id: str, dimension: int, settings: Settings) -> None:
    settings.FACEVAULT_DINOV3 = "/nowhere"
    info = describe_embedder(embedder_id)
    assert (info.embedder_id, info.dimension) == (embedder_id, dimension)
    assert info.thresholds.automatic > 0.9


@pytest.mark.parametrize("embedder_id", ["dinov3", "dinov3-vitb16-xyz", "dinov3-384d", "dinov3-0d-0123abcd"])
def test_another_id_is_not_its_own(embedder_id: str) -> None:
    with pytest.raises(EmbedderUnknown, match=r"there are.*dinov3-vitb16"):
        describe_embedder(embedder_id)


@pytest.mark.parametrize("embedder_id", ["dinov3-vitb16", "dinov3-32d-00000000"])
def test_vectors_of_other_weights_are_never_continued(folder: Path, embedder_id: str) -> None:
    with pytest.raises(EmbedderUnknown, match=rf"{id_of(folder)}, not {embedder_id}.*FACEVAULT_DINOV3"):
        get_embedder(embedder_id)


def test_a_folder_that_is_not_there_is_never_looked_up_on_the_hub(settings: Settings, tmp_path: Path) -> None:
    for source in (str(tmp_path / "gone"), "./models/gone", "one/two/three", "~/gone/model"):
        settings.FACEVAULT_DINOV3 = source
        with pytest.raises(WeightsMissing, match=r"There is no folder .*FACEVAULT_DINOV3"):
            open_dinov3()


@pytest.mark.parametrize("package", ["transformers", "safetensors"])
def test_a_missing_package_says_what_to_install(
    package: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == package else real(name, *rest)
    )
    with pytest.raises(WeightsMissing, match=rf"{package}.*pip install -r requirements-dinov3\.txt"):
        get_embedder(id_of(folder))


@pytest.mark.parametrize(
    ("left", "words"),
    [
        ("pytorch_model.bin", "pickled weights, which could run code"),
        ("model.safetensors.index.json", "several parts"),
        ("README.md", "no weights"),
    ],
)
def test_only_one_file_of_safetensors_is_taken(left: str, words: str, folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / left)
    with pytest.raises(WeightsMissing, match=words):
        name_embedder("dinov3-vitb16")


def test_a_pickle_beside_the_weights_is_not_opened(folder: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"no pickle at all")
    assert get_embedder(id_of(folder)).embed(INPUTS[:1]).shape == (1, 32)


def test_code_in_the_folder_is_not_run(folder: Path, tmp_path: Path) -> None:
    witness = tmp_path / "ran"
    (folder / "modeling_own.py").write_text(f"open({str(witness)!r}, 'w').close()\nclass Own: pass\n")
    change(
        folder / "config.json", auto_map={"AutoModel": "modeling_own.Own", "AutoConfig": "modeling_own.Own"}
    )
    get_embedder(id_of(folder))
    assert not witness.exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model_type": "dinov2"}, "of type 'dinov2', not 'dinov3_vit'"),
        ({"hidden_size": "wide"}, "hidden_size is 'wide'"),
        ({"hidden_size": 64}, "cannot be loaded as DINOv3"),
        ({"num_hidden_layers": 3}, "lacks 17 of the model's tensors"),
        ({"patch_size": 15}, "patches of 15 pixels, which do not fill 224"),
    ],
)
def test_a_folder_that_does_not_fit_is_refused(changes: dict[str, Any], words: str, folder: Path) -> None:
    change(folder / "config.json", **changes)
    with pytest.raises(WeightsRefused, match=words):
        get_embedder(name_embedder("dinov3-vitb16").embedder_id)


@pytest.mark.parametrize("kept", [0, 7, 100, 5_000])
def test_damaged_weights_are_refused(kept: int, folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:kept])
    with pytest.raises(WeightsRefused, match="cannot be loaded as DINOv3"):
        get_embedder(id_of(folder))


@pytest.mark.parametrize(
    "pixels",
    [{"image_mean": [0.5, 0.5]}, {"image_mean": "grey"}, {"image_std": [0.2, 0.2, 0]}, {"image_std": 0.5}],
)
def test_a_preprocessor_that_says_nonsense_is_refused(pixels: dict[str, Any], folder: Path) -> None:
    change(folder / "preprocessor_config.json", **pixels)
    with pytest.raises(WeightsRefused, match="three numbers belong there"):
        open_dinov3()


def test_a_config_that_is_damaged_or_missing_is_told(folder: Path) -> None:
    (folder / "config.json").write_text("{")
    with pytest.raises(WeightsRefused, match=r"config\.json cannot be read"):
        open_dinov3()
    (folder / "config.json").write_text("[]")
    with pytest.raises(WeightsRefused, match=r"config\.json holds no settings"):
        open_dinov3()
    (folder / "config.json").unlink()
    with pytest.raises(WeightsMissing, match=r"There is no .*config\.json"):
        open_dinov3()


def test_a_hub_that_is_out_of_reach_says_what_to_do(settings: Settings, tmp_path: Path) -> None:
    settings.FACEVAULT_DATA = tmp_path
    settings.FACEVAULT_DINOV3 = PUBLISHED
    with pytest.raises(
        WeightsMissing, match=rf"{PUBLISHED} cannot be downloaded.*HF_TOKEN.*FACEVAULT_DINOV3"
    ):
        name_embedder("dinov3-vitb16")


def cached(data: Path, source: Path, name: str = PUBLISHED) -> None:
    """The model as the hub's client keeps what it downloaded."""
    repository = data / "models" / f"models--{name.replace('/', '--')}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("0" * 40)
    shutil.copytree(source, repository / "snapshots" / ("0" * 40))


def test_what_was_downloaded_once_is_used_without_asking_again(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(tmp_path / "model", hidden_size=768, num_hidden_layers=1)
    settings.FACEVAULT_DATA = tmp_path
    settings.FACEVAULT_DINOV3 = PUBLISHED
    cached(tmp_path, tmp_path / "model")
    real, asked = huggingface_hub.snapshot_download, []

    def download(*args: Any, **options: Any) -> Any:
        asked.append(options.get("local_files_only", False))
        return real(*args, **options)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert name_embedder("dinov3-vitb16").embedder_id == "dinov3-vitb16"
    assert get_embedder("dinov3-vitb16").dimension == 768
    assert set(asked) == {True}


def test_a_cache_without_the_weights_is_completed(
    settings: Settings, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FACEVAULT_DATA = tmp_path
    settings.FACEVAULT_DINOV3 = "someone/their-dinov3"
    (folder / "model.safetensors").rename(tmp_path / "kept")
    cached(tmp_path, folder, "someone/their-dinov3")
    real = huggingface_hub.snapshot_download

    def download(name: str, **options: Any) -> Any:
        if options.get("local_files_only"):
            return real(name, **options)
        (tmp_path / "kept").rename(folder / "model.safetensors")
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert name_embedder("dinov3-vitb16").embedder_id == id_of(folder)


def test_the_published_name_must_give_the_published_dimension(
    settings: Settings, folder: Path, tmp_path: Path
) -> None:
    settings.FACEVAULT_DATA = tmp_path
    settings.FACEVAULT_DINOV3 = PUBLISHED
    cached(tmp_path, folder)
    with pytest.raises(WeightsRefused, match="should give 768 numbers"):
        get_embedder("dinov3-vitb16")


def test_importing_and_describing_loads_no_net_library() -> None:
    code = (
        "import sys\n"
        "import recognition.embedders.dinov3\n"
        "from recognition.embedders import describe_embedder\n"
        "describe_embedder('dinov3-vitb16')\n"
        "heavy = {'torch', 'torchvision', 'transformers', 'safetensors', 'huggingface_hub'}\n"
        "found = heavy & set(sys.modules)\n"
        "assert not found, found\n"
    )
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=root)


def use(*options: str) -> str:
    out = StringIO()
    call_command("use_embedder", *options, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_it_is_used_only_where_somebody_names_it(folder: Path) -> None:
    assert not choose_embedder().embedder_id.startswith("dinov3")
    use()
    assert not get_active_embedder_id().startswith("dinov3")
    said = use("--name", "dinov3-vitb16")
    assert f"The embedder is {id_of(folder)}: It was chosen by name." in said
    assert get_active_embedder_id() == id_of(folder)
    use("--name", "dlib-resnet")
    assert get_active_embedder_id() == "dlib-resnet-c1"


@pytest.mark.django_db
def test_a_name_that_cannot_be_loaded_changes_nothing(folder: Path) -> None:
    use("--name", "dlib-resnet")
    (folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(CommandError, match="cannot be loaded as DINOv3"):
        use("--name", "dinov3-vitb16")
    with pytest.raises(CommandError, match="no embedder called 'arcface'; there are: dinov3-vitb16, dlib"):
        use("--name", "arcface")
    assert get_active_embedder_id() == "dlib-resnet-c1"


@pytest.mark.django_db
def test_it_cannot_be_named_once_faces_are_embedded(folder: Path) -> None:
    use("--name", "dlib-resnet")
    make_embedding(make_face(), unit_vectors(1, 128)[0], "dlib-resnet-c1")
    with pytest.raises(CommandError, match="1 faces"):
        use("--name", "dinov3-vitb16")


@pytest.mark.django_db
def test_the_check_command_knows_it_without_its_folder(
    folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    use("--name", "dinov3-vitb16")
    settings.FACEVAULT_DINOV3 = "/nowhere"
    monkeypatch.setattr(sys, "argv", ["manage.py", "check"])
    (told,) = check_embedder(None)
    assert told.id == "recognition.I001"
