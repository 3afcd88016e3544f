"""What goes out to browsers and scripts: under a safe name, kept by nobody, and without running anywhere."""

import pytest

from recognition.sending import send_original
from recognition.storage import original_path
from tests.factories import make_photo

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("name", "plain", "encoded"),
    [
        ("a.jpg", "a.jpg", "a.jpg"),
        ("Jürgen & Zoë.jpg", "J_rgen & Zo_.jpg", "J%C3%BCrgen%20%26%20Zo%C3%AB.jpg"),
        ('../"x"\r\nSet-Cookie: a.jpg', "_.._", "_.._"),
    ],
)
def test_an_original_has_a_name_that_every_system_takes(name: str, plain: str, encoded: str) -> None:
    photo = make_photo()
    path = original_path(photo.sha256, photo.format)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"the very bytes")
    photo.name = name
    response = send_original(photo)
    header = response.headers["Content-Disposition"]
    assert header.startswith(f'attachment; filename="{plain}')
    assert f"filename*=UTF-8''{encoded}" in header
    assert header.count('"') == 2
    assert not set("\r\n/\\") & set(header)
    assert response.headers["Cache-Control"] == "no-store, private"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    response.close()
