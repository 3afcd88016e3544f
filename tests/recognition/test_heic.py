"""HEIC photos: refused with what to do while they are off, and read like any other photo where they are on."""

import builtins
import contextlib
import io
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from pytest_django import Settings

from recognition import _photo_header, checks
from recognition._heic import name_brand
from recognition.forms import UploadForm
from recognition.images import PhotoRefused, decode_photo, encode_jpeg, read_photo_info
from recognition.ingest import process_next_photo
from recognition.models import Photo
from recognition.storage import original_path, preview_path
from recognition.uploads.adding import UploadResult, add_photo
from tests.factories import make_event
from tests.fakes import draw_photo
from tests.marked import marked, turned

WIDTH, HEIGHT = 128, 96


UPRIGHT = marked(WIDTH, HEIGHT)


def heic(image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(image).save(buffer, quality=90, **options)
    return buffer.getvalue()


PLAIN = heic(UPRIGHT)


def resized(width: int, height: int) -> bytes:
    """The plain file whose header says another size than its pixels have."""
    said = struct.pack(">II", WIDTH, HEIGHT)
    assert PLAIN.count(b"ispe\0\0\0\0" + said) == 1
    return PLAIN.replace(said, struct.pack(">II", width, height))


def refusal(data: bytes, **options: Any) -> PhotoRefused:
    with pytest.raises(PhotoRefused) as caught:
        decode_photo(io.BytesIO(data), **{"heic": True, **options})
    return caught.value


def is_upright(rgb: Any) -> bool:
    red, blue, grey = rgb[10, 10].astype(int), rgb[10, -10].astype(int), rgb[-10, 10].astype(int)
    return bool(
        rgb.shape == (HEIGHT, WIDTH, 3)
        and red[0] > 200 > 60 > red[2]
        and blue[2] > 200 > 60 > blue[0]
        and np.abs(grey - 128).max() < 20
    )


def test_while_it_is_off_the_refusal_says_what_to_do() -> None:
    for door in (read_photo_info, decode_photo):
        with pytest.raises(PhotoRefused) as caught:
            door(io.BytesIO(PLAIN))
        assert caught.value.code == "unsupported_format"
        assert "'Most compatible'" in caught.value.message
        assert "administrator" in caught.value.message


def test_while_it_is_off_the_decoder_is_not_even_loaded() -> None:
    code = (
        "import io, sys\n"
        "from recognition.images import PhotoRefused, read_photo_info\n"
        "try:\n    read_photo_info(io.BytesIO(b'\\0\\0\\0\\x18ftypheic' + b'\\0' * 100))\n"
        "except PhotoRefused: pass\n"
        "assert not {'pillow_heif', '_pillow_heif'} & set(sys.modules)\n"
    )
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=root)


def test_without_the_package_the_refusal_says_that_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_photo_header, "is_installed", lambda: False)
    refused = refusal(PLAIN)
    assert refused.code == "heic_unavailable"
    assert "pillow-heif" in refused.message


def test_its_header_and_pixels_are_read() -> None:
    info = read_photo_info(io.BytesIO(PLAIN), heic=True)
    assert (info.format, info.width, info.height) == ("HEIC", WIDTH, HEIGHT)
    rgb = decode_photo(io.BytesIO(PLAIN), heic=True)
    assert rgb.dtype == np.uint8
    assert rgb.flags.writeable
    assert is_upright(rgb)


def test_pillow_itself_learns_no_new_format() -> None:
    decode_photo(io.BytesIO(PLAIN), heic=True)
    with pytest.raises(OSError, match="cannot identify"):
        Image.open(io.BytesIO(PLAIN))


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypheix\0\0\0\0mif1heix", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "AVIF"),
        (b"\0\0\0\x10ftypmif1\0\0\0\0" + b"avif", "HEIC"),  # behind the box it is no brand
        (b"\0\0\0\x18ftypmsf1\0\0\0\0msf1hevc", "HEIC"),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1heic", "AVIF"),
        (b"\0\0\0\x18ftypqt  \0\0\0\0qt  heic", "Video"),
        (b"\0\0\0\x18ftyp", "Video"),
    ],
)
def test_the_kind_is_told_by_the_brands(head: bytes, kind: str) -> None:
    assert name_brand(head) == kind


def test_an_avif_under_a_general_brand_is_not_called_damaged() -> None:
    data = b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif" + b"\0" * 200
    assert refusal(data).code == "unsupported_format"
    assert "AVIF" in refusal(data).message


@pytest.mark.parametrize(
    ("width", "height", "code"),
    [
        (1, 1, "too_small"),
        (40_000, 30_000, "too_many_pixels"),
        (2**31 - 1, 2**31 - 1, "too_many_pixels"),
        (16_500, 400, "side_too_long"),
        (2_000, 20, "bad_aspect"),
    ],
)
def test_the_caps_are_checked_on_the_header(
    width: int, height: int, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(self: object) -> None:
        raise AssertionError("decoded before the caps were checked")

    monkeypatch.setattr(pillow_heif.HeifImageFile, "load", decode)
    assert refusal(resized(width, height)).code == code


def test_the_callers_caps_hold_for_heic_too() -> None:
    assert refusal(PLAIN, max_pixels=WIDTH * HEIGHT - 1).code == "too_many_pixels"
    assert refusal(PLAIN, max_bytes=len(PLAIN) - 1).code == "file_too_large"


@pytest.mark.parametrize(("width", "height"), [(64, 48), (16, 16), (256, 192), (WIDTH, HEIGHT + 2)])
def test_pixels_of_another_size_than_announced_are_refused(width: int, height: int) -> None:
    assert refusal(resized(width, height)).code == "truncated"


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(share: float) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8))
    data = heic(noise)
    refused = refusal(data[: int(len(data) * share)])
    assert refused.code == "truncated"
    assert "HEIC" in refused.message


def test_pixels_that_change_their_size_while_decoded_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def grow(self: Any) -> None:
        self._size = (WIDTH, HEIGHT * 2)

    monkeypatch.setattr(pillow_heif.HeifImageFile, "load", grow)
    assert refusal(PLAIN).code == "truncated"


def exif_of(*, orientation: int = 0, taken: str = "") -> bytes:
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    if taken:
        exif.get_ifd(0x8769)[0x9003] = taken
    return exif.tobytes()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_is_turned_once(orientation: int) -> None:
    data = heic(turned(UPRIGHT, orientation), exif=exif_of(orientation=orientation))
    # A phone writes both: the turn of the file itself, and the same once more in EXIF.
    assert (b"irot" in data or b"imir" in data) == (orientation > 1)
    assert exif_of(orientation=orientation)[6:] in data
    info = read_photo_info(io.BytesIO(data), heic=True)
    assert (info.width, info.height) == (WIDTH, HEIGHT)
    assert is_upright(decode_photo(io.BytesIO(data), heic=True))


def test_an_orientation_that_only_xmp_has_turns_nothing() -> None:
    # Written so that pillow-heif does not take it out when it reads, but Pillow's own getexif() would obey it.
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><tiff:Orientation> 6</tiff:Orientation>tiff:Orientation>8</x:xmpmeta>'
    data = heic(UPRIGHT, xmp=xmp).replace(b"irot", b"skip")
    assert is_upright(decode_photo(io.BytesIO(data), heic=True))


def test_the_capture_time_is_read_from_its_exif() -> None:
    data = heic(UPRIGHT, exif=exif_of(taken="2026:05:01 10:00:37"))
    taken = read_photo_info(io.BytesIO(data), heic=True).captured_at
    assert taken is not None
    assert taken.isoformat() == "2026-05-01T10:00:37"


def test_ten_bits_keep_their_shades() -> None:
    ramp = np.linspace(0, 65_535, WIDTH).astype(np.uint16)
    deep = np.broadcast_to(ramp[None, :, None], (HEIGHT, WIDTH, 3)).copy()
    buffer = io.BytesIO()
    pillow_heif.from_bytes("RGB;16", (WIDTH, HEIGHT), deep.tobytes()).save(buffer, quality=-1, chroma=444)
    assert pillow_heif.open_heif(io.BytesIO(buffer.getvalue())).info["bit_depth"] == 10
    rgb = decode_photo(io.BytesIO(buffer.getvalue()), heic=True)
    assert rgb.dtype == np.uint8
    assert np.abs(rgb[40].astype(int) - (ramp >> 8)[:, None]).max() <= 3


def test_transparency_is_flattened_on_white() -> None:
    picture = UPRIGHT.convert("RGBA")
    alpha = np.where(np.arange(WIDTH) < WIDTH // 2, 0, 255).astype(np.uint8)[None].repeat(HEIGHT, 0)
    picture.putalpha(Image.fromarray(alpha))
    rgb = decode_photo(io.BytesIO(heic(picture)), heic=True)
    assert (rgb[10, 10] > 245).all()
    assert (rgb[-10, -10] < 140).all()


def test_a_grey_one_becomes_rgb() -> None:
    rgb = decode_photo(io.BytesIO(heic(UPRIGHT.convert("L"))), heic=True)
    assert rgb.shape == (HEIGHT, WIDTH, 3)
    assert (rgb[..., 0] == rgb[..., 2]).all()


def test_of_many_images_the_primary_one_is_taken() -> None:
    green = Image.new("RGB", (200, 200), "green")
    both = pillow_heif.from_pillow(green)
    both.add_from_pillow(UPRIGHT)
    buffer = io.BytesIO()
    both.save(buffer, quality=90, primary_index=1)
    assert is_upright(decode_photo(io.BytesIO(buffer.getvalue()), heic=True))


def test_a_phones_grid_of_tiles_is_put_together() -> None:
    picture = UPRIGHT.resize((1024, 768), Image.Resampling.NEAREST)
    data = heic(picture, tile_size=256)
    assert b"grid" in data
    rgb = decode_photo(io.BytesIO(data), heic=True)
    assert is_upright(rgb[::8, ::8])


def test_its_color_profile_is_applied() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = (
        profile.replace(b"rXYZ", b"tXYZ", 1)
        .replace(b"gXYZ", b"rXYZ", 1)
        .replace(b"tXYZ", b"gXYZ", 1)
        .replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
        .replace(b"sRGB built-in", b"swap built-in")
    )
    picture = UPRIGHT
    picture.info["icc_profile"] = swapped
    green = decode_photo(io.BytesIO(heic(picture)), heic=True)[10, 10]
    assert green[1] > 180 > 80 > green[0]


def test_a_preview_of_it_carries_no_metadata() -> None:
    data = heic(UPRIGHT, exif=exif_of(taken="2026:05:01 10:00:37"), xmp=b"<x>secret</x>")
    assert b"secret" in data
    preview = encode_jpeg(decode_photo(io.BytesIO(data), heic=True), quality=85)
    assert b"secret" not in preview
    assert b"Exif" not in preview


def test_two_threads_can_decode_at_once() -> None:
    results: list[bool] = []

    def work() -> None:
        for _ in range(10):
            results.append(is_upright(decode_photo(io.BytesIO(PLAIN), heic=True)))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 20


@hypothesis_settings(max_examples=200, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), min_size=1, max_size=12))
def test_a_damaged_file_is_decoded_or_refused_never_worse(changes: Sequence[tuple[int, int]]) -> None:
    data = bytearray(PLAIN)
    for place, value in changes:
        data[place % len(data)] = value
    with contextlib.suppress(PhotoRefused):
        assert decode_photo(io.BytesIO(bytes(data)), max_pixels=2_000_000, heic=True).ndim == 3


def upload(data: bytes, name: str = "IMG_0001.HEIC") -> UploadResult:
    return add_photo(event=make_event(), file=io.BytesIO(data), name=name)


@pytest.mark.django_db
def test_an_upload_is_refused_while_it_is_off(settings: Settings) -> None:
    settings.FACEVAULT_HEIC = False
    assert upload(PLAIN).code == "unsupported_format"
    assert not Photo.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("drawn_faces")
def test_an_upload_is_kept_as_it_came_and_processed_even_when_it_is_off_again(settings: Settings) -> None:
    settings.FACEVAULT_HEIC = True
    data = heic(Image.open(io.BytesIO(draw_photo("red"))).convert("RGB"))
    assert upload(data).outcome == "added"
    settings.FACEVAULT_HEIC = False
    process_next_photo()
    photo = Photo.objects.get()
    assert (photo.format, photo.state, photo.failure_reason) == ("HEIC", "done", "")
    photo.full_clean()
    assert original_path(photo.sha256, photo.format).suffix == ".heic"
    assert original_path(photo.sha256, photo.format).read_bytes() == data
    assert preview_path(photo).read_bytes().startswith(b"\xff\xd8\xff")


def test_the_form_asks_for_heic_only_where_it_is_on(settings: Settings) -> None:
    settings.FACEVAULT_HEIC = False
    assert "heic" not in str(UploadForm()["files"])
    assert UploadForm().formats == "JPEG, PNG or WebP"
    settings.FACEVAULT_HEIC = True
    assert ',.heic,.heif"' in str(UploadForm()["files"])
    assert UploadForm().formats == "JPEG, PNG, WebP or HEIC"
    settings.FACEVAULT_HEIC = False
    assert "heic" not in str(UploadForm()["files"])


def test_a_missing_package_is_told_at_start(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "pillow_heif":
            raise ImportError("No module named 'pillow_heif'")
        return real(name, *args, **kwargs)

    settings.FACEVAULT_HEIC = True
    assert checks.check_heic(None) == []
    monkeypatch.setattr(builtins, "__import__", missing)
    (found,) = checks.check_heic(None)
    assert found.id == "recognition.E004"
    assert "requirements-heic.txt" in str(found.hint)
    settings.FACEVAULT_HEIC = False
    assert checks.check_heic(None) == []
