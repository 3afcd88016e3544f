"""The README says what there is: every variable, every command, every target."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()


def test_every_variable_is_documented_and_every_documented_one_exists() -> None:
    sources = "".join(
        (ROOT / "facevault_site" / name).read_text() for name in ("settings.py", "run.py", "gunicorn_conf.py")
    )
    read = set(re.findall(r'env_\w+\(\s*"([A-Z_0-9]+)"', sources))
    documented = set(re.findall(r"`((?:FACEVAULT_|DATABASE_URL)[A-Z_0-9]*)`", README))
    assert documented == read


def test_every_command_is_documented() -> None:
    found = ROOT.glob("*/management/commands/*.py")
    commands = {path.stem for path in found if path.stem != "__init__"}
    table = README.split("## Commands")[1].split("##")[0]
    assert commands <= set(re.findall(r"^\| `(\w+)", table, re.MULTILINE))


def test_every_target_is_documented() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)) - {
        "help",
        "clean",
    }
    assert targets <= set(re.findall(r"`?make ([a-z-]+)", README))


def test_every_folder_is_on_the_map() -> None:
    rooms = README.split("| Folder | Room |")[1].split("\n##")[0]
    listed = set(re.findall(r"`(\w+)/`", rooms))
    houses = [ROOT, ROOT / "recognition", ROOT / "labeling"]
    packages = {path.parent.name for house in houses for path in house.glob("*/__init__.py")}
    assert packages - {"migrations", "management", "templatetags"} <= listed
    assert all(any((house / name).is_dir() for house in houses) for name in listed)
