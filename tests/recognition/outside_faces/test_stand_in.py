"""The picture that stands where a photo should."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from recognition.geometry import Box
from recognition.outside_faces.stand_in import (
    CANVAS_SIDE,
    draw_crop,
    draw_stand_in,
    encode_stand_in,
    plan_layout,
)
from tests.recognition.outside_faces.making import crop_of


def test_a_face_with_a_box_stays_where_it_was() -> None:
    box = Box(300.5, 40.25, 420.0, 190.75)
    layout = plan_layout([box], [None])
    assert (layout.scale, layout.boxes) == (1.0, [box])
    assert layout.width >= 420
    assert layout.height >= 191


def test_faces_without_a_box_stand_in_a_grid_and_do_not_touch() -> None:
    layout = plan_layout([None] * 7, [(80, 90)] * 5 + [None] * 2)
    sizes = [(box.width, box.height) for box in layout.boxes]
    assert sizes == [(80, 90)] * 5 + [(160, 160)] * 2
    for number, one in enumerate(layout.boxes):
        assert one == one.clamped(layout.width, layout.height)
        assert all(one.iou(other) == 0 for other in layout.boxes[number + 1 :])


def test_homeless_faces_stand_below_those_with_a_box() -> None:
    layout = plan_layout([Box(10, 10, 500, 400), None], [None, (50, 50)])
    assert layout.boxes[1].top > layout.boxes[0].bottom


def test_a_photo_larger_than_the_canvas_is_drawn_smaller() -> None:
    layout = plan_layout([Box(7000, 100, 8000, 1100)], [None])
    assert layout.scale == 0.5
    assert (layout.width, layout.boxes[0]) == (CANVAS_SIDE, Box(3500, 50, 4000, 550))


def test_a_crop_keeps_its_pixels_at_a_box_of_its_size() -> None:
    crop = np.random.default_rng(1).integers(0, 255, (50, 40, 3), dtype=np.uint8)
    rgb = draw_stand_in(200, 200, [(Box(20, 30, 60, 80), crop)])
    png = encode_stand_in(rgb, mark="one")
    read = np.asarray(Image.open(io.BytesIO(png)))
    assert np.array_equal(read[30:80, 20:60], crop)


def test_the_same_faces_give_the_same_bytes_and_another_mark_gives_others() -> None:
    def draw(mark: str) -> bytes:
        faces = [(Box(20, 30, 60, 80), crop_of("red")), (Box(90, 30, 150, 110), None)]
        return encode_stand_in(draw_stand_in(200, 200, faces), mark=mark)

    assert draw("one") == draw("one")
    assert draw("one") != draw("two")


def test_a_silhouette_can_be_seen() -> None:
    rgb = draw_stand_in(200, 200, [(Box(50, 50, 150, 150), None)])
    assert len(np.unique(rgb.reshape(-1, 3), axis=0)) == 2
    assert (rgb[:40] == rgb[0, 0]).all()


def test_what_a_page_shows_of_a_face_is_square_and_small() -> None:
    assert draw_crop(crop_of("red", width=900, height=300), side=320).shape == (320, 320, 3)
    assert draw_crop(None, side=320).shape == (160, 160, 3)
