"""A throw-away installation for a benchmark: its own data folder, database and embedder."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


@contextmanager
def new_vault() -> Iterator[Path]:
    """Set Django up on an empty vault with the bundled embedder; everything is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="facevault-bench-") as name:
        folder = Path(name)
        os.environ["FACEVAULT_DATA"] = str(folder)
        os.environ["FACEVAULT_LOG_LEVEL"] = "WARNING"
        os.environ["DJANGO_SETTINGS_MODULE"] = "facevault_site.settings"
        for variable in ("FACEVAULT_WEIGHTS", "DATABASE_URL"):
            os.environ.pop(variable, None)
        sys.path.insert(0, str(ROOT))

        import django

        django.setup()
        from django.core.management import call_command

        from recognition.active_embedder import ensure_active_embedder
        from recognition.embedders import choose_embedder

        call_command("migrate", interactive=False, verbosity=0)
        ensure_active_embedder(choose_embedder)
        yield folder


def need_shared(path: str) -> Path:
    """A file of the sample data beside the repository; the benchmark ends with a clear line where it is missing."""
    found = SHARED / path
    if not found.exists():
        sys.exit(f"This benchmark needs the sample photos: {path} was not found beside the repository.")
    return found
