"""What a process loads: web processes must never hold a net (1 GB and seconds each)."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NETS = {"torch", "torchvision", "facenet_pytorch", "dlib", "_dlib_pybind11", "openvino", "transformers"}

_PROGRAM = """
import sys
from importlib import import_module
from pkgutil import walk_packages

import facevault_site.wsgi
from django.core.management import call_command
from django.urls import get_resolver

def walk(patterns):
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            walk(pattern.url_patterns)
        else:
            pattern.callback

walk(get_resolver().url_patterns)
for package in ("access", "recognition", "labeling", "api"):
    for module in walk_packages(import_module(package).__path__, package + "."):
        if ".management.commands." not in module.name:
            import_module(module.name)
call_command("check")
print(" ".join(sys.modules))
"""


def test_a_web_process_holds_no_net(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "FACEVAULT_DATA": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "facevault_site.settings",
    }
    environment.pop("DATABASE_URL", None)
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert {"django", "faiss", "recognition.views.people", "labeling.views.desk"} <= loaded
    assert not loaded & NETS
