import contextlib
import io
import struct
import threading
import warnings
import zlib
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from recognition.images import (
    MAX_BYTES,
    PhotoRefused,
    decode_photo,
    encode_jpeg,
    read_photo_info,
    shrink,
)
from tests.marked import marked, turned


def save(image: Image.Image, kind: str, **options: object) -> io.BytesIO:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    buffer.seek(0)
    return buffer


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    width: int, height: int, *, depth: int = 8, color: int = 2, rows: bytes = b"", extra: bytes = b""
) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def refusal(data: bytes) -> str:
    """The code with which both doors refuse the bytes; the header may pass where only the pixels are bad."""
    with pytest.raises(PhotoRefused) as caught:
        decode_photo(io.BytesIO(data))
    assert caught.value.message.endswith(".")
    return caught.value.code


def header_refusal(data: bytes) -> str:
    with pytest.raises(PhotoRefused) as caught:
        read_photo_info(io.BytesIO(data))
    return caught.value.code


WEBP_BOMB = (
    b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + b"\x10\0\0\0" + b"\xff" * 6
)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"\xff", "not_an_image"),
        (b"hello, this is not a photo at all" * 10, "not_an_image"),
        (b"<svg onload='alert(1)'/>", "not_an_image"),
        (b"\xff\xd8\xff", "truncated"),
        (png(0, 10), "truncated"),
        (png(1, 1), "too_small"),
        (png(15, 400), "too_small"),
        (png(16, 801), "bad_aspect"),
        (png(16_385, 400), "side_too_long"),
        (png(8000, 6251), "too_many_pixels"),
        (png(12_000, 12_000), "too_many_pixels"),
        (png(65_535, 65_535), "too_many_pixels"),
        (png(2**31 - 1, 2**31 - 1), "too_many_pixels"),
        (WEBP_BOMB + b"\0" * 40, "too_many_pixels"),
        (save(marked(), "GIF").getvalue(), "unsupported_format"),
        (save(marked(), "GIF", save_all=True, append_images=[marked()]).getvalue(), "unsupported_format"),
        (save(marked(), "TIFF").getvalue(), "unsupported_format"),
        (save(marked(), "BMP").getvalue(), "unsupported_format"),
        (save(marked(), "ICO").getvalue(), "unsupported_format"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 100, "unsupported_format"),
        (b"\0\0\0\x18ftypavif" + b"\0" * 100, "unsupported_format"),
        (b"\0\0\0\x18ftypmp42" + b"\0" * 100, "unsupported_format"),
        (b"%PDF-1.4\n" + b"\0" * 100, "unsupported_format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "unsupported_format"),
        (b"BLP2" + b"\0" * 200, "not_an_image"),
    ],
)
def test_what_is_no_photo_is_refused_by_its_header(data: bytes, code: str) -> None:
    assert header_refusal(data) == code
    assert refusal(data) == code


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_refused(kind: str, share: float) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8))
    data = save(noise, kind).getvalue()
    assert refusal(data[: int(len(data) * share)]) == "truncated"


def test_a_jpeg_without_its_last_two_bytes_is_refused() -> None:
    assert refusal(save(marked(), "JPEG").getvalue()[:-2]) == "truncated"


@pytest.mark.parametrize("rows", [b"", b"\0" * 100, b"\7" * (64 * 3 + 1) * 64])
def test_a_png_with_wrong_pixel_data_is_refused(rows: bytes) -> None:
    assert refusal(png(64, 64, rows=rows)) == "truncated"


def test_a_png_with_garbage_in_its_pixel_data_is_refused() -> None:
    data = png(64, 64).replace(zlib.compress(b""), b"\xde\xad\xbe\xef" * 2)
    assert refusal(data) == "truncated"


def test_a_compressed_text_bomb_is_refused_without_unpacking_it() -> None:
    bomb = chunk(b"zTXt", b"k\0\0" + zlib.compress(b"A" * 80_000_000))
    assert refusal(png(64, 64, extra=bomb, rows=b"\0" * (193 * 64))) == "truncated"


def test_the_limits_are_the_callers() -> None:
    data = save(marked(), "PNG").getvalue()
    with pytest.raises(PhotoRefused) as caught:
        read_photo_info(io.BytesIO(data), max_pixels=64 * 48 - 1)
    assert caught.value.code == "too_many_pixels"
    with pytest.raises(PhotoRefused) as caught:
        decode_photo(io.BytesIO(data), max_bytes=len(data) - 1)
    assert caught.value.code == "file_too_large"
    assert read_photo_info(io.BytesIO(data), max_pixels=64 * 48, max_bytes=len(data)).width == 64
    assert MAX_BYTES > 25_000_000


def test_a_photo_of_just_the_cap_is_accepted() -> None:
    info = read_photo_info(io.BytesIO(png(8000, 6250)))
    assert (info.width, info.height) == (8000, 6250)


def test_the_format_is_the_contents_not_the_names(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(save(marked(), "PNG").getvalue())
    with path.open("rb") as file:
        assert read_photo_info(file).format == "PNG"
        assert file.tell() == 0
        assert decode_photo(file).shape == (48, 64, 3)
    assert decode_photo(path).shape == (48, 64, 3)


def test_a_missing_file_is_the_callers_error_not_the_photos(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        decode_photo(tmp_path / "gone.jpg")


def test_a_failing_disk_is_not_blamed_on_the_photo() -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 4000:
                raise OSError(5, "Input/output error")
            return super().read(size)

    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8))
    with pytest.raises(OSError, match="Input/output error"):
        decode_photo(Failing(save(noise, "PNG").getvalue() + b"\0" * 500_000))


def test_pixels_come_out_as_writable_rgb() -> None:
    rgb = decode_photo(save(marked(), "PNG"))
    assert rgb.dtype == np.uint8
    assert rgb.flags.writeable
    assert rgb.flags.c_contiguous
    np.testing.assert_array_equal(rgb, np.asarray(marked()))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_every_exif_orientation_shows_the_same_upright_photo(orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = save(turned(marked(), orientation), kind, exif=exif, quality=95)
    info = read_photo_info(file)
    assert (info.width, info.height) == (64, 48)
    rgb = decode_photo(file)
    assert rgb.shape == (48, 64, 3)
    assert rgb[8, 8, 0] > 200 > 60 > rgb[8, 8, 2]
    assert rgb[8, 56, 2] > 200 > 60 > rgb[8, 56, 0]
    assert abs(int(rgb[40, 8, 0]) - 128) < 20


@pytest.mark.parametrize(
    ("kind", "count", "value"),
    [
        (3, 1, struct.pack("<HH", 0, 0)),
        (3, 1, struct.pack("<HH", 9, 0)),
        (3, 1, struct.pack("<HH", 255, 0)),
        (2, 2, b"6\0\0\0"),
        (11, 1, struct.pack("<f", 6.5)),
    ],
)
def test_a_bad_orientation_is_none(kind: int, count: int, value: bytes) -> None:
    entry = struct.pack("<HHHI", 1, 0x0112, kind, count) + value
    file = save(marked(), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0" + entry + b"\0" * 4)
    info = read_photo_info(file)
    assert (info.width, info.height) == (64, 48)
    assert decode_photo(file)[8, 8, 0] > 200


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0" + np.random.default_rng(1).bytes(500),
        b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01\x03\0" * 30,
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x87\x69\0\x04\x7f\xff\xff\xff\0\0\0\x08\0\0\0\x08",
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\x08\0\0\0",
        b"Exif\0\0",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
    ],
)
def test_garbage_in_exif_neither_refuses_nor_warns(exif: bytes) -> None:
    file = save(marked(), "JPEG", exif=exif)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_photo_info(file).captured_at is None
        assert decode_photo(file).shape == (48, 64, 3)


def with_times(original: object, offset: object = None) -> io.BytesIO:
    exif = Image.Exif()
    ifd = exif.get_ifd(0x8769)
    if original is not None:
        ifd[0x9003] = original
    if offset is not None:
        ifd[0x9011] = offset
    exif[0x0132] = "2001:01:01 00:00:00"
    return save(marked(), "JPEG", exif=exif)


def test_the_capture_time_is_naive_without_an_offset_and_aware_with_one() -> None:
    local = datetime(2026, 5, 1, 10, 0, 37)  # noqa: DTZ001
    assert read_photo_info(with_times("2026:05:01 10:00:37")).captured_at == local
    east = read_photo_info(with_times("2026:05:01 10:00:37", "+02:00")).captured_at
    assert east == local.replace(tzinfo=timezone(timedelta(hours=2)))
    west = read_photo_info(with_times("2026:05:01 10:00:37", "-03:30")).captured_at
    assert west == local.replace(tzinfo=timezone(timedelta(hours=-3.5)))
    assert read_photo_info(with_times("2026:05:01 10:00:37", "+99:00")).captured_at == local


@pytest.mark.parametrize(
    "text",
    [
        "0000:00:00 00:00:00",
        "2026:02:30 10:00:00",
        "2026:05:01 99:99:99",
        "1904:01:01 00:00:00",
        "9999:01:01 00:00:00",
        "<script>alert(1)</script>",
        "2026-05-01T10:00:00",
        "",
        None,
    ],
)
def test_an_impossible_capture_time_is_no_time(text: str | None) -> None:
    assert read_photo_info(with_times(text)).captured_at is None


def test_sixteen_bit_grey_keeps_its_shades() -> None:
    ramp = np.linspace(0, 65_535, 64 * 48).astype(np.uint16).reshape(48, 64)
    rgb = decode_photo(save(Image.fromarray(ramp), "PNG"))
    np.testing.assert_array_equal(rgb[..., 0], (ramp >> 8).astype(np.uint8))
    assert (rgb[..., 0] == rgb[..., 2]).all()


@pytest.mark.parametrize(("color", "channels"), [(2, 3), (6, 4)])
def test_sixteen_bit_color_keeps_its_high_bytes(color: int, channels: int) -> None:
    row = b"\0" + struct.pack(">HHH", 0x80FF, 0x4000, 0xC012) * 32
    if channels == 4:
        row = b"\0" + struct.pack(">HHHH", 0x80FF, 0x4000, 0xC012, 0xFFFF) * 32
    rgb = decode_photo(io.BytesIO(png(32, 32, depth=16, color=color, rows=row * 32)))
    assert np.abs(rgb[5, 5].astype(int) - (0x80, 0x40, 0xC0)).max() <= 1


def test_cmyk_is_shown_in_its_colors() -> None:
    rgb = decode_photo(save(marked().convert("CMYK"), "JPEG", quality=95))
    assert np.abs(rgb[8, 8].astype(int) - (250, 0, 0)).max() < 12
    assert np.abs(rgb[8, 56].astype(int) - (0, 0, 250)).max() < 12


@pytest.mark.parametrize("mode", ["L", "1"])
def test_greys_become_rgb(mode: str) -> None:
    rgb = decode_photo(save(marked().convert(mode), "PNG"))
    assert rgb.shape == (48, 64, 3)
    assert (rgb[..., 0] == rgb[..., 1]).all()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB", "L"])
def test_transparency_is_flattened_on_white(mode: str) -> None:
    if mode in ("RGBA", "LA"):
        picture = marked().convert(mode)
        picture.putalpha(
            Image.fromarray(np.where(np.arange(64) < 32, 0, 255).astype(np.uint8)[None].repeat(48, 0))
        )
        file = save(picture, "PNG")
    elif mode == "P":
        palette = marked().quantize(8)
        file = save(palette, "PNG", transparency=palette.getpixel((8, 8)))
    else:
        picture = marked().convert(mode)
        file = save(picture, "PNG", transparency=picture.getpixel((8, 8)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rgb = decode_photo(file)
    assert (rgb[8, 8] == 255).all()
    assert (rgb[40, 56] < 140).all()


@pytest.mark.parametrize("kind", ["WEBP", "PNG"])
def test_an_animation_is_its_first_frame(kind: str) -> None:
    second = Image.new("RGB", (64, 48), "green")
    options = {"lossless": True} if kind == "WEBP" else {}
    file = save(marked(), kind, save_all=True, append_images=[second, second], duration=50, **options)
    rgb = decode_photo(file)
    np.testing.assert_array_equal(rgb, np.asarray(marked()))
    assert read_photo_info(file).format == kind


def test_a_phones_mpo_is_its_first_jpeg() -> None:
    file = save(marked(), "MPO", save_all=True, append_images=[Image.new("RGB", (64, 48), "green")])
    assert read_photo_info(file).format == "JPEG"
    assert decode_photo(file)[8, 8, 0] > 200


def swapped_profile() -> bytes:
    """An sRGB profile whose red and green primaries are exchanged, under another name."""
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return (
        data.replace(b"rXYZ", b"tXYZ", 1)
        .replace(b"gXYZ", b"rXYZ", 1)
        .replace(b"tXYZ", b"gXYZ", 1)
        .replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
        .replace(b"sRGB built-in", b"swap built-in")
    )


def test_a_color_profile_is_applied() -> None:
    green = decode_photo(save(marked(), "PNG", icc_profile=swapped_profile()))[8, 8]
    assert green[1] > 200 > 60 > green[0]


@pytest.mark.parametrize(
    "profile",
    [
        np.random.default_rng(2).bytes(3000),
        b"",
        ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    ],
)
def test_a_useless_color_profile_changes_nothing(profile: bytes) -> None:
    rgb = decode_photo(save(marked(), "PNG", icc_profile=profile))
    np.testing.assert_array_equal(rgb, np.asarray(marked()))


def test_an_rgb_profile_on_a_cmyk_photo_is_ignored() -> None:
    rgb = decode_photo(save(marked().convert("CMYK"), "JPEG", quality=95, icc_profile=swapped_profile()))
    assert rgb[8, 8, 0] > 200


def test_a_written_jpeg_carries_no_metadata() -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    source = save(marked(), "JPEG", exif=exif, icc_profile=swapped_profile(), comment=b"secret name")
    data = encode_jpeg(decode_photo(source), quality=85)
    for mark in (b"Exif", b"secret", b"ICC_PROFILE", b"http://ns.adobe"):
        assert mark not in data
    assert Image.open(io.BytesIO(data)).size == (64, 48)


def test_shrinking_averages_and_leaves_small_ones_alone() -> None:
    checker = (np.indices((400, 600)).sum(0) % 2 * 255).astype(np.uint8)[..., None].repeat(3, 2)
    small = shrink(checker, 300)
    assert small.shape == (200, 300, 3)
    assert np.abs(small.astype(int) - 128).max() <= 1
    assert shrink(checker, 600) is checker
    assert shrink(np.zeros((1, 2000, 3), np.uint8), 100).shape == (1, 100, 3)


def test_two_threads_can_decode_at_once() -> None:
    data = save(marked(640, 480), "JPEG").getvalue()
    results: list[tuple[int, ...]] = []

    def work() -> None:
        for _ in range(20):
            results.append(decode_photo(io.BytesIO(data)).shape)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [(480, 640, 3)] * 40


SEEDS = [
    save(marked(), kind, **options).getvalue()
    for kind, options in (("JPEG", {}), ("PNG", {}), ("WEBP", {}), ("WEBP", {"lossless": True}))
]


@settings(max_examples=300, deadline=None)
@given(
    seed=st.sampled_from(SEEDS),
    changes=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), min_size=1, max_size=12),
)
def test_a_damaged_file_is_decoded_or_refused_never_worse(
    seed: bytes, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(seed)
    for place, value in changes:
        data[place % len(data)] = value
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with contextlib.suppress(PhotoRefused):
            assert decode_photo(io.BytesIO(bytes(data)), max_pixels=2_000_000).ndim == 3
