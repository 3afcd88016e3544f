"""Take the README's pictures: a site of drawn people in a folder that is removed again, seen by Chromium.

Run it in the virtual environment: `python scripts/make_pictures.py`. CHROMIUM is the browser's path.
"""

from __future__ import annotations

import io
import secrets
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.running_site import CHROMIUM, FLAGS, ROOT, Site, run_site

PICTURES = ROOT / "docs"
SIZE: ViewportSize = {"width": 1440, "height": 900}
PASSWORD = secrets.token_urlsafe(16)
LARGEST = 300 * 1024
VAULT = ["--faces", "230", "--people", "26", "--unlabeled", "64", "--clusters", "6", "--seed", "3"]
# Faces that the labeler names before the picture is taken, so that the desk shows work in progress.
NAMED_BEFORE = 5

_SIGN_IN = f"""
from django.contrib.auth.models import Group, User
lena = User.objects.create_user("lena", password={PASSWORD!r}, first_name="Lena")
lena.groups.set(Group.objects.filter(name__in=["labeler", "manager", "uploader"]))
"""
# An installation as it should be, with FaceNet: nothing is embedded, so its weights need not be here.
_USE_FACENET = """
from recognition.active_embedder import change_active_embedder
from recognition.embedders import EmbedderChoice
change_active_embedder(EmbedderChoice(embedder_id="facenet-vggface2", reason="FaceNet's weights are installed."))
"""
# Doubtful faces that one key may name, the best last.
_CHOOSE = """
from labeling.suggestions import suggest_people
from django.contrib.auth.models import User
from recognition.models import Face, UnlabeledFace
admin = User.objects.filter(is_superuser=True).first()
merits = {}
for entry in UnlabeledFace.objects.open().select_related("face__photo"):
    found = suggest_people(entry.face, 5, user=admin)
    if len(found) == 5 and found[0].acceptable and not any(one.beside for one in found):
        named = Face.objects.filter(photo=entry.face.photo, sighting__isnull=False).count()
        likely = sum(one.word != "unlikely" for one in found)
        size = entry.face.size / 400
        merits[str(entry.face.face_id)] = min(likely, 2) + min(named, 4) / 4 + size + found[0].reference_count / 10
print("CHOSEN", *sorted(merits, key=merits.get))
"""
# Some faces of the largest group get a name, so that its card shows whom the others are like.
_BEGIN_GROUP = """
from django.contrib.auth.models import User
from labeling.decisions import label_faces
from labeling.models import Cluster
from recognition.models import Face
group = Cluster.objects.filter(mixed=False).order_by("-open_count", "pk").first()
faces = Face.objects.filter(member__cluster=group).select_related("photo").order_by("-size", "pk")
label_faces(faces=list(faces[1:4]), actor=User.objects.get(username="lena"), name="Ada Quist", new=True)
print("GROUP", group.pk)
"""


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="facevault-pictures-") as folder,
        run_site(Path(folder) / "vault", workers=0) as site,
    ):
        site.manage("shell", code=_USE_FACENET)
        site.manage("build_demo_vault", *VAULT)
        site.manage("shell", code=_SIGN_IN)
        chosen = site.manage("shell", code=_CHOOSE).split("CHOSEN ")[1].split()
        group = site.manage("shell", code=_BEGIN_GROUP).split("GROUP ")[1].strip()
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            take_pictures(browser, site, chosen, group=group)
            browser.close()


def take_pictures(browser: Browser, site: Site, chosen: list[str], *, group: str) -> None:
    page = browser.new_page(
        base_url=site.address, viewport=SIZE, color_scheme="light", reduced_motion="reduce"
    )
    page.goto("/login/")
    page.fill("input[name=username]", "lena")
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "login" not in url)
    for face in chosen[-NAMED_BEFORE:]:
        page.goto(f"/label/{face}/")
        page.keyboard.press("Enter")
        page.locator(f".hero[src*='{face}']").wait_for(state="detached")
    page.goto(f"/label/group/{group}/")
    save_picture(page, "labeling.png")
    page.goto("/events/")
    page.locator("main a[href^='/events/']").filter(has_text="Graduation").first.click()
    page.wait_for_load_state("networkidle")
    save_picture(page, "event.png")
    page.goto("/people/?sort=faces")
    page.locator(".person-card").first.click()
    page.wait_for_load_state("networkidle")
    save_picture(page, "person.png")


def save_picture(page: Page, name: str) -> None:
    """The window as a PNG of at most LARGEST bytes: with fewer colors if it must."""
    page.wait_for_load_state("networkidle")
    page.evaluate("() => Promise.all([...document.images].map((image) => image.decode().catch(() => {})))")
    page.evaluate("() => document.activeElement?.blur()")
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    for colors in (256, 192, 128, 96, 64):
        few = image.quantize(colors, method=Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE)
        file = io.BytesIO()
        few.save(file, "PNG", optimize=True)
        if file.tell() <= LARGEST:
            break
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / name).write_bytes(file.getvalue())
    sys.stdout.write(
        f"docs/{name}: {image.width} x {image.height}, {file.tell() // 1024} KiB, {colors} colors\n"
    )


if __name__ == "__main__":
    main()
