"""What a process loads: web processes must never hold a net (1 GB and seconds each)."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NETS = {
    "torch",
    "torchvision",
    "facenet_pytorch",
    "dlib",
    "_dlib_pybind11",
    "openvino",
    "transformers",
    "mediapipe",
}

# Half a second and 100 MB: for what a worker or a command measures, and for the few faces that stand between two people.
MEASURING = {"scipy", "matplotlib"}

_SITE = """
import sys
import facevault_site.wsgi
from django.urls import get_resolver

def walk(patterns):
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            walk(pattern.url_patterns)
        else:
            pattern.callback

walk(get_resolver().url_patterns)
"""
_EVERYTHING = """
from importlib import import_module
from pkgutil import walk_packages
from django.core.management import call_command

for package in ("access", "recognition", "labeling", "api"):
    for module in walk_packages(import_module(package).__path__, package + "."):
        if ".management.commands." not in module.name:
            import_module(module.name)
call_command("check")
"""


def test_a_web_process_holds_no_net(tmp_path: Path) -> None:
    loaded = load(_SITE + _EVERYTHING, tmp_path)
    assert {"django", "faiss", "recognition.views.people", "labeling.views.desk"} <= loaded
    assert not loaded & NETS


def test_a_web_process_measures_and_draws_nothing(tmp_path: Path) -> None:
    loaded = load(_SITE, tmp_path)
    assert {"labeling.views.quality", "api.views.quality", "recognition.evaluation.reports"} <= loaded
    assert not loaded & (NETS | MEASURING)


def load(program: str, data: Path) -> set[str]:
    """The modules that a process has loaded which ran this."""
    environment = {
        **os.environ,
        "FACEVAULT_DATA": str(data),
        "DJANGO_SETTINGS_MODULE": "facevault_site.settings",
    }
    environment.pop("DATABASE_URL", None)
    done = subprocess.run(
        [sys.executable, "-c", program + "\nprint(*sys.modules)"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())
