"""docs/deployment.md and the files beside it: what they name exists, and what can be checked here is valid."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from django.test import Client

from facevault_site.logs import JsonFormatter
from tests.log_lines import capture_log
from tests.new_vault import copy_new_vault

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "docs" / "deploy"
PAGE = (ROOT / "docs" / "deployment.md").read_text()
FILES = {path.name: path.read_text() for path in DEPLOY.iterdir()}
UNITS = sorted(name for name in FILES if name.endswith((".service", ".socket", ".timer")))
EVERYTHING = PAGE + "".join(FILES.values())


def test_every_file_is_in_the_page_and_every_one_in_the_page_is_there() -> None:
    table = PAGE.split("| File of `deploy/`")[1].split("\n\n")[0]
    named = {name for row in table.splitlines()[2:] for name in re.findall(r"`([^`/]+)`", row.split("|")[1])}
    assert named == set(FILES)


def test_every_unit_that_is_named_is_there() -> None:
    named = set(re.findall(r"\bfacevault-(?:web|worker|drop|backup)[@\w]*", EVERYTHING))
    stems = {re.sub(r"@.*", "@", name) for name in named} - {"facevault-drop"}  # a group and a folder, too
    assert stems == {Path(name).stem for name in UNITS}


def test_every_variable_that_is_named_is_read() -> None:
    sources = "".join(
        (ROOT / "facevault_site" / name).read_text() for name in ("settings.py", "run.py", "gunicorn_conf.py")
    )
    read = set(re.findall(r'env_\w+\(\s*"([A-Z_0-9]+)"', sources))
    ours = {"FACEVAULT_APP", "FACEVAULT_ENVIRONMENT"}  # of the two scripts
    assert set(re.findall(r"\b(FACEVAULT_[A-Z_0-9]+|DATABASE_URL)\b", EVERYTHING)) - ours <= read


def test_every_command_that_is_named_is_there() -> None:
    named = set(re.findall(r"^facevault ([a-z_]+)", PAGE, re.MULTILINE))
    named |= set(re.findall(r"`facevault ([a-z_]+)", PAGE))
    named |= set(re.findall(r"manage\.py ([a-z_]+)", EVERYTHING))
    assert {"migrate", "rebuild_index", "check_index", "run_worker", "ingest_photos"} <= named
    assert named <= set(get_commands())


@pytest.mark.parametrize("name", [name for name in UNITS if "manage.py" in FILES[name]])
def test_a_units_command_has_only_options_that_are_there(name: str) -> None:
    line = re.search(r"^ExecStart=.*manage\.py (.*)$", FILES[name], re.MULTILINE)
    assert line is not None
    command, *arguments = line.group(1).split()
    parser = load_command_class("recognition", command).create_parser("manage.py", command)
    parser.parse_args(arguments)


def test_gunicorns_configuration_is_where_the_unit_says() -> None:
    module, application = re.findall(r"--config python:(\S+) (\S+)", FILES["facevault-web.service"])[0]
    assert importlib.import_module(module).worker_class == "gthread"
    assert application == "facevault_site.wsgi:application"


def test_the_proxy_takes_what_the_site_takes() -> None:
    from facevault_site.settings import FACEVAULT_MAX_ARCHIVE_MB

    for name, pattern in (("nginx.conf", r"client_max_body_size (\d+)m"), ("Caddyfile", r"max_size (\d+)MB")):
        size = re.search(pattern, FILES[name])
        assert size is not None
        assert int(size.group(1)) >= FACEVAULT_MAX_ARCHIVE_MB


def test_every_address_of_the_page_answers() -> None:
    from django.urls import resolve

    for path in set(re.findall(r"`(/(?:healthz|readyz|admin)/)`", PAGE)):
        resolve(path)


@pytest.mark.django_db
@pytest.mark.usefixtures("drawn_faces")
def test_the_page_names_every_check_of_readyz(client: Client) -> None:
    sentence = PAGE.split("`/readyz/` says `ok`")[1].split("\n\n")[0]
    assert set(client.get("/readyz/").json()["checks"]) <= set(re.findall(r"`(\w+)`", sentence))


@pytest.mark.django_db
def test_the_page_names_every_field_of_the_log(client: Client) -> None:
    with capture_log(JsonFormatter()) as log:
        client.get("/healthz/")
    table = PAGE.split("### The log")[1].split("### ")[0].split("\n## ")[0]
    assert set(log.request()) <= set(re.findall(r"`(\w+)`", table))


def test_every_link_within_leads_somewhere() -> None:
    headings = {
        "#" + re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    }
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        assert target in headings or (ROOT / "docs" / target).exists(), target


@pytest.mark.parametrize("name", ["facevault", "backup.sh"])
def test_a_script_is_a_shell_script_that_may_be_run(name: str) -> None:
    assert os.access(DEPLOY / name, os.X_OK)
    subprocess.run(["sh", "-n", str(DEPLOY / name)], check=True)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    for name in UNITS:
        text = FILES[name].replace("/opt/facevault/.venv/bin/python", sys.executable)
        text = text.replace("/usr/local/lib/facevault/backup.sh", str(DEPLOY / "backup.sh"))
        (tmp_path / name.replace("@", "@1")).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(path) for path in tmp_path.iterdir())],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not (shutil.which("rsync") and shutil.which("realpath")), reason="rsync is not here")
def test_a_backup_is_whole_and_only_the_newest_are_kept(tmp_path: Path) -> None:
    data, target = tmp_path / "data", tmp_path / "backups"
    target.mkdir()
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "facevault_site.settings",
        "FACEVAULT_DATA": str(data),
        "FACEVAULT_APP": str(ROOT),
        "PYTHON": sys.executable,
        "KEEP": "1",
    }
    for name in ("DATABASE_URL", "FACEVAULT_SECRET_KEY"):
        environment.pop(name, None)
    manage = [sys.executable, "manage.py"]
    copy_new_vault(data)
    for name in ("photos/ab/x.jpg", "incoming/half.part", "exports/large.zip"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(b"x")
    back_up = ["sh", str(DEPLOY / "backup.sh"), str(target)]
    first = subprocess.run(
        back_up, env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()
    Path(first).rename(target / "2000-01-01T000000Z")
    made = Path(
        subprocess.run(back_up, env=environment, capture_output=True, text=True, check=True).stdout.strip()
    )
    assert [path.name for path in target.iterdir()] == [made.name]
    found = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    assert found == {"facevault.sqlite3", "files/photos/ab/x.jpg", "files/secret_key"}
    # The copy is an installation: all migrations are in it.
    restored = tmp_path / "restored"
    shutil.copytree(made / "files", restored)
    shutil.copy(made / "facevault.sqlite3", restored)
    subprocess.run(
        [*manage, "migrate", "--check"],
        cwd=ROOT,
        env={**environment, "FACEVAULT_DATA": str(restored)},
        check=True,
    )
