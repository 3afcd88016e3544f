"""The script of the guide, run as the office runs it: against a whole site with a worker and the real models."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.photos import NAMES, TEST, TRAIN, needs_photos
from tests.running_site import ROOT, Site, run_site


@needs_photos
def test_the_whole_job_with_nothing_but_the_api_and_a_token(tmp_path: Path) -> None:
    first, names = prepare_photos(tmp_path)
    with run_site(tmp_path / "vault", workers=1) as site:
        site.manage(
            "shell",
            code="from tests.conftest import make_user\nfrom access.roles import MANAGER\nmake_user('mona', MANAGER)",
        )
        scopes = ("--scope", "read", "--scope", "upload", "--scope", "label", "--scope", "export")
        token = site.manage("create_token", "mona", "--name", "press office", *scopes).strip()
        arguments = ("--event", "Spring meeting", "--photos", first, "--names", names, "--more", TEST)
        out = tmp_path / "obama"
        said = run_example(site, token, *arguments, "--person", "Barack Obama", "--out", out)
        # Started again, it adds nothing and ends the same.
        again = run_example(site, token, *arguments)

    people = {
        photo: name for photo, name in csv.reader(names.read_text().splitlines()) if name == "Barack Obama"
    }
    expected = {*people, "obama1.jpg", "obama_and_biden.jpg"}
    with zipfile.ZipFile(out / "photos.zip") as archive:
        assert expected <= set(archive.namelist())
        assert "kit_with_rose.jpg" not in archive.namelist()
    rows = list(csv.DictReader((out / "list.csv").read_text("utf-8-sig").splitlines()))
    assert {row["photo"] for row in rows} == expected
    assert {row["person"] for row in rows} == {"Barack Obama"}
    decided = {row["photo"]: row["decided by"] for row in rows}
    assert decided["obama1.jpg"] == "FaceVault"
    assert {decided[photo] for photo in people} <= {"a person", "FaceVault"}
    assert f"{len(list(first.iterdir()))} added, 0 duplicate, 0 refused" in said
    assert "0 added" in again


def test_a_folder_that_is_not_there_is_said_before_anything_is_asked(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            ROOT / "docs" / "api_example.py",
            "--event",
            "Spring",
            "--photos",
            tmp_path / "tpyo",
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "FACEVAULT_TOKEN": "fv_none"},
    )
    assert done.returncode == 2
    assert "There is no folder" in done.stderr


def prepare_photos(folder: Path) -> tuple[Path, Path]:
    """Portraits in one folder, and the office's list of who is on which."""
    photos, names = folder / "first", folder / "names.csv"
    photos.mkdir()
    with names.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["photo", "person"])
        for path in sorted(TRAIN.rglob("*.jp*g")):
            # Two people's first photos have the same file name; the folder tells them apart.
            copy = f"{path.parent.name}-{path.name}"
            shutil.copy(path, photos / copy)
            writer.writerow([copy, NAMES[path.parent.name]])
    return photos, names


def run_example(site: Site, token: str, *arguments: str | Path) -> str:
    """Without the project's packages: the office has Python and nothing else."""
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            str(ROOT / "docs" / "api_example.py"),
            "--site",
            site.address,
            *map(str, arguments),
        ],
        env={"FACEVAULT_TOKEN": token, "PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
