import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from recognition._mtcnn import _cut
from recognition._torchvision import suppress_overlaps
from recognition.detection import (
    DetectedFace,
    FaceDetector,
    cut_crop,
    get_detector,
    reset_detector,
)
from recognition.geometry import Box
from recognition.images import decode_photo, shrink
from tests.photos import PHOTOS, needs_photos


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return get_detector()


@pytest.fixture
def fresh_process() -> Iterator[None]:
    reset_detector()
    yield
    reset_detector()


@needs_photos
@pytest.mark.parametrize(("name", "count"), [("multiface.jpg", 6), ("two_people.jpg", 2), ("32bit.png", 1)])
def test_every_face_of_a_photo_is_found(detector: FaceDetector, name: str, count: int) -> None:
    rgb = decode_photo(PHOTOS / name)
    faces = detector.detect(rgb)
    assert len(faces) == count
    for face in faces:
        assert 0 <= face.box.left < face.box.right <= rgb.shape[1]
        assert 0 <= face.box.top < face.box.bottom <= rgb.shape[0]
        assert face.landmarks.shape == (5, 2)
        assert face.landmarks.dtype == np.float32
        assert 0.9 <= face.score <= 1
        left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks
        assert left_eye[0] < right_eye[0]
        assert left_mouth[0] < right_mouth[0]
        assert max(left_eye[1], right_eye[1]) < nose[1] < max(left_mouth[1], right_mouth[1])
    assert [face.box.area for face in faces] == sorted((face.box.area for face in faces), reverse=True)


@needs_photos
def test_boxes_are_in_full_size_pixels_whatever_the_working_size(detector: FaceDetector) -> None:
    rgb = decode_photo(PHOTOS / "two_people.jpg")
    large = np.asarray(Image.fromarray(rgb).resize((rgb.shape[1] * 3, rgb.shape[0] * 3)))
    found = [sorted(detector.detect(photo)[:2], key=lambda face: face.box.left) for photo in (rgb, large)]
    for small, big in zip(*found, strict=True):
        assert small.box.iou(big.box.scaled(1 / 3)) > 0.85
        np.testing.assert_allclose(big.landmarks / 3, small.landmarks, atol=8)


@needs_photos
def test_detection_is_the_same_every_time(detector: FaceDetector) -> None:
    rgb = decode_photo(PHOTOS / "multiface.jpg")
    first, second = detector.detect(rgb), detector.detect(rgb)
    assert [f.box for f in first] == [f.box for f in second]
    assert [f.score for f in first] == [f.score for f in second]


@needs_photos
def test_a_face_cut_by_the_edge_keeps_its_box_inside(detector: FaceDetector) -> None:
    rgb = decode_photo(PHOTOS / "two_people.jpg")
    whole = min(detector.detect(rgb), key=lambda face: face.box.left)
    cut = np.ascontiguousarray(rgb[:, round(whole.box.left + whole.box.width * 0.2) :])
    face = min(detector.detect(cut), key=lambda face: face.box.left)
    assert face.box.left >= 0
    assert face.box.width < whole.box.width


@pytest.mark.parametrize(
    "shape", [(16, 16), (16, 700), (700, 16), (20, 20), (24, 30), (64, 48), (300, 400), (19, 3000)]
)
@pytest.mark.parametrize("fill", ["black", "white", "noise"])
def test_photos_without_a_face_have_none(detector: FaceDetector, shape: tuple[int, int], fill: str) -> None:
    rgb = np.full((*shape, 3), 255 if fill == "white" else 0, np.uint8)
    if fill == "noise":
        rgb = np.random.default_rng(4).integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert detector.detect(rgb) == []


@needs_photos
def test_a_small_face_is_found_and_a_tiny_one_is_not_invented(detector: FaceDetector) -> None:
    rgb = decode_photo(PHOTOS / "32bit.png")
    face = shrink(rgb, 100)
    canvas = np.full((600, 800, 3), 120, np.uint8)
    canvas[200 : 200 + face.shape[0], 300 : 300 + face.shape[1]] = face
    (found,) = detector.detect(canvas)
    assert 12 < found.box.width < 40


@needs_photos
@pytest.mark.parametrize("name", ["multiface.jpg", "knn/test/obama_and_biden.jpg", "portraits/paul_rudd.jpg"])
def test_the_cascade_finds_what_facenet_pytorch_finds(detector: FaceDetector, name: str) -> None:
    from facenet_pytorch import MTCNN

    rgb = shrink(decode_photo(PHOTOS / name), 1600)
    boxes, scores, landmarks = MTCNN(keep_all=True).detect(Image.fromarray(rgb), landmarks=True)
    ours = detector.detect(rgb)
    theirs = [k for k, score in enumerate(scores) if score >= 0.9]
    assert len(ours) == len(theirs)
    for k in theirs:
        box = Box(*map(float, boxes[k]))
        twin = max(ours, key=lambda face: face.box.iou(box))
        assert twin.box.iou(box) > 0.8
        np.testing.assert_allclose(twin.landmarks, landmarks[k].astype(float), atol=0.06 * box.width)


def test_a_candidate_outside_the_photo_is_dropped() -> None:
    image = Image.new("RGB", (100, 80))
    boxes = np.array([[-30.0, 5, -2, 40], [10, 10, 40, 40], [120, 5, 150, 40], [90, 70, 130, 110]])
    kept, crops = _cut(image, boxes, 24)
    assert kept.tolist() == boxes[[1, 3]].tolist()
    assert crops.shape == (2, 24, 24, 3)


@needs_photos
@pytest.mark.slow
def test_composed_events_are_found_nearly_complete(detector: FaceDetector, tmp_path: Path) -> None:
    import csv

    tool = PHOTOS.parent / "tools" / "make_events.py"
    subprocess.run([sys.executable, tool, tmp_path, "--photos", "10", "--seed", "3"], check=True)
    found = extra = total = 0
    with (tmp_path / "truth.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for name in sorted({row["photo"] for row in rows}):
        places = [
            (
                float(r["x"]),
                float(r["y"]),
                float(r["x"]) + float(r["width"]),
                float(r["y"]) + float(r["height"]),
            )
            for r in rows
            if r["photo"] == name
        ]
        total += len(places)
        seen: set[tuple[float, ...]] = set()
        for face in detector.detect(decode_photo(tmp_path / name)):
            x, y = (face.box.left + face.box.right) / 2, (face.box.top + face.box.bottom) / 2
            hits = [p for p in places if p[0] <= x <= p[2] and p[1] <= y <= p[3]]
            extra += not hits
            seen.update(hits)
        found += len(seen)
    # A second face inside a portrait is a bystander of the original photo, not an invention.
    assert found / total >= 0.97
    assert extra / total <= 0.03


def test_one_detector_serves_the_process(fresh_process: None, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[int] = []
    monkeypatch.setattr(FaceDetector, "__init__", lambda self: loads.append(1))
    seen: list[FaceDetector] = []
    threads = [threading.Thread(target=lambda: seen.append(get_detector())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == [1]
    assert len({id(one) for one in seen}) == 1
    reset_detector()
    assert get_detector() is not seen[0]


def overlap_free_brute_force(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], limit: float
) -> list[int]:
    keep: list[int] = []
    for one in sorted(range(len(boxes)), key=lambda k: -scores[k]):
        if all(Box(*map(float, boxes[one])).iou(Box(*map(float, boxes[two]))) <= limit for two in keep):
            keep.append(one)
    return keep


@pytest.mark.parametrize("limit", [0.3, 0.5, 0.7])
def test_overlaps_are_suppressed_as_torchvision_does(limit: float) -> None:
    rng = np.random.default_rng(5)
    corner, size = rng.uniform(0, 100, (200, 2)), rng.uniform(10, 60, (200, 2))
    boxes = np.hstack([corner, corner + size]).astype(np.float32)
    scores = rng.permutation(200).astype(np.float32)
    assert suppress_overlaps(boxes, scores, limit).tolist() == overlap_free_brute_force(boxes, scores, limit)
    assert suppress_overlaps(boxes[:0], scores[:0], limit).tolist() == []


def test_torchvision_answers_through_the_replacement_or_its_own_operator(detector: FaceDetector) -> None:
    import torch
    from torchvision.ops import nms

    boxes = torch.tensor([[0.0, 0, 10, 10], [1, 0, 11, 10], [30, 30, 40, 40]])
    assert nms(boxes, torch.tensor([0.5, 0.9, 0.7]), 0.5).tolist() == [1, 2]


RAMP = np.arange(300 * 400 * 3, dtype=np.uint32).reshape(300, 400, 3).astype(np.uint8)


def test_a_crop_is_a_square_around_the_face() -> None:
    crop = cut_crop(RAMP, Box(100, 100, 140, 160), margin=0.5, side=512)
    # 60 high plus half of it on both sides: 120 around (120, 130).
    np.testing.assert_array_equal(crop, RAMP[70:190, 60:180])


def test_a_crop_is_never_larger_than_asked() -> None:
    assert cut_crop(RAMP, Box(100, 100, 200, 200), margin=0.35, side=64).shape == (64, 64, 3)


@pytest.mark.parametrize(
    "box", [Box(0, 0, 50, 60), Box(350, 250, 400, 300), Box(390, 290, 400, 300), Box(0, 0, 400, 300)]
)
def test_a_crop_at_the_edge_is_still_a_square_of_real_pixels(box: Box) -> None:
    crop = cut_crop(RAMP, box, margin=0.35, side=1000)
    assert crop.shape[0] == crop.shape[1]
    assert crop.flags.c_contiguous
    assert crop.shape[0] <= 300


def test_a_face_without_extent_still_gives_a_crop() -> None:
    assert cut_crop(RAMP, Box(400, 300, 400, 300), margin=0.35, side=96).shape == (1, 1, 3)


def test_a_detected_face_is_compared_by_identity() -> None:
    one = DetectedFace(Box(0, 0, 1, 1), np.zeros((5, 2), np.float32), 1.0)
    assert one in [one]
