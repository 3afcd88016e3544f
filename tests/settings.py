"""Settings of the tests: a data folder of their own per process, a real SQLite file, a fast password hasher."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_given = os.environ.get("FACEVAULT_TEST_DATA")
_data = Path(_given) if _given else Path(tempfile.mkdtemp(prefix="facevault-test-"))
if not _given:
    atexit.register(shutil.rmtree, _data, ignore_errors=True)
os.environ["FACEVAULT_DATA"] = str(_data)
os.environ.setdefault(
    "FACEVAULT_SECRET_KEY", "a key for tests only, never used to sign anything that leaves them"
)
# A full disk of the machine that runs the tests is no fault of the site.
os.environ["FACEVAULT_MIN_FREE_MB"] = "0"
# Off for whoever installs it; a page that is not there cannot be tested. A pose model is set by the tests that need one.
os.environ["FACEVAULT_LOOK_SEARCH"] = "yes"
for name in ("FACEVAULT_POSE_MODEL", "FACEVAULT_WEIGHTS", "FACEVAULT_WEIGHTS_SHA256", "FACEVAULT_LOG_FORMAT"):
    os.environ.pop(name, None)

from facevault_site.settings import *  # noqa: E402, F403
from facevault_site.settings import DATABASES  # noqa: E402

# A file, not memory: several connections and processes must meet in it as they do in an installation.
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["TEST"] = {"NAME": str(_data / "test.sqlite3")}
(_data / "static").mkdir(parents=True, exist_ok=True)
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
