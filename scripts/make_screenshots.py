"""Take a picture of every page, 1440 and 390 wide, light and dark: `make screenshots`, or with names only those pages.

They lie in var/screenshots/ (or the folder after --to). Drawn people alone are on them.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django  # noqa: E402

django.setup()

from tests.running_site import CHROMIUM, FLAGS, Site, run_site  # noqa: E402
from tests.site_tour import Stop, fill_site, plan_tour  # noqa: E402

PASSWORD = secrets.token_urlsafe(16)
VAULT = ["--faces", "230", "--people", "26", "--unlabeled", "64", "--clusters", "6", "--seed", "3"]
SIZES = {1440: 900, 390: 844}
_ADMIN = f"""
from django.contrib.auth.models import User
admin = User.objects.get(username="admin")
admin.set_password({PASSWORD!r})
admin.save()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="*", help="names of pages; all of them without")
    parser.add_argument("--to", type=Path, default=ROOT / "var" / "screenshots")
    arguments = parser.parse_args()
    arguments.to.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="facevault-screenshots-") as folder,
        run_site(Path(folder) / "vault", workers=0) as site,
    ):
        site.manage("build_demo_vault", *VAULT)
        site.manage("shell", code=_ADMIN)
        tour = plan_tour(fill_site(site, next((site.data / "previews").rglob("*.jpg"))))
        chosen = [stop for stop in tour if not arguments.pages or stop.name in arguments.pages]
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            for scheme in ("light", "dark"):
                for width in SIZES:
                    take_pictures(browser, site, chosen, scheme=scheme, width=width, folder=arguments.to)
            browser.close()
    sys.stdout.write(f"{len(chosen) * 4} pictures of {len(chosen)} pages in {arguments.to}\n")


def take_pictures(
    browser: Browser, site: Site, tour: list[Stop], *, scheme: str, width: int, folder: Path
) -> None:
    context = browser.new_context(
        base_url=site.address,
        viewport={"width": width, "height": SIZES[width]},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    for stop in (stop for stop in tour if stop.name == "login"):
        _take(page, stop, folder / f"{stop.name}-{width}-{scheme}.png")
    page.goto("/login/")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "login" not in url)
    for stop in (stop for stop in tour if stop.name != "login"):
        _take(page, stop, folder / f"{stop.name}-{width}-{scheme}.png")
    context.close()


def _take(page: Page, stop: Stop, file: Path) -> None:
    page.goto(stop.path)
    page.wait_for_load_state("networkidle")
    # Pictures below the window are loaded when somebody scrolls to them.
    page.evaluate("() => document.querySelectorAll('img').forEach((image) => { image.loading = 'eager'; })")
    page.evaluate("() => Promise.all([...document.images].map((image) => image.decode().catch(() => {})))")
    page.screenshot(path=file, full_page=True)


if __name__ == "__main__":
    main()
