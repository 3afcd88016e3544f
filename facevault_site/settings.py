"""Django settings. Everything an installation may change comes from the environment; README.md lists the variables."""

from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONE, SELF

from facevault_site.env import env_bool, env_choice, env_float, env_int, env_list, env_path, env_str
from facevault_site.secret import read_or_make_secret_key

BASE_DIR = Path(__file__).resolve().parent.parent

# --- the installation
FACEVAULT_DATA = env_path("FACEVAULT_DATA", BASE_DIR / "var")
# Faces and the database are in it: nobody else on the machine may look.
FACEVAULT_DATA.mkdir(mode=0o700, parents=True, exist_ok=True)
FACEVAULT_WEIGHTS = env_str("FACEVAULT_WEIGHTS") or None
FACEVAULT_WEIGHTS_SHA256 = env_str("FACEVAULT_WEIGHTS_SHA256") or None
FACEVAULT_WEIGHTS_URL = env_str(
    "FACEVAULT_WEIGHTS_URL",
    "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/20180402-114759-vggface2.pt",
)
FACEVAULT_DINOV3 = env_str("FACEVAULT_DINOV3", "facebook/dinov3-vitb16-pretrain-lvd1689m")
# The share of strangers' faces that may get a name, one in a million to one in ten.
FACEVAULT_FPIR = env_float("FACEVAULT_FPIR", 0.001, minimum=1e-6, maximum=0.1)
FACEVAULT_IVF_FROM = env_int("FACEVAULT_IVF_FROM", 300_000, minimum=1)
FACEVAULT_IVF_NLIST = env_int("FACEVAULT_IVF_NLIST", 0)
FACEVAULT_IVF_NPROBE = env_int("FACEVAULT_IVF_NPROBE", 0)
FACEVAULT_MAX_FILE_MB = env_int("FACEVAULT_MAX_FILE_MB", 50, minimum=1)
FACEVAULT_MAX_ARCHIVE_MB = env_int("FACEVAULT_MAX_ARCHIVE_MB", 2_000, minimum=1)
FACEVAULT_MAX_VIDEO_MB = env_int("FACEVAULT_MAX_VIDEO_MB", 4_000, minimum=1)
FACEVAULT_MAX_VIDEO_MINUTES = env_int("FACEVAULT_MAX_VIDEO_MINUTES", 240, minimum=1)
FACEVAULT_VIDEO_INTERVAL_MS = env_int("FACEVAULT_VIDEO_INTERVAL_MS", 200, minimum=20)
FACEVAULT_MAX_PIXELS = env_int("FACEVAULT_MAX_PIXELS", 50_000_000, minimum=10_000)
FACEVAULT_HEIC = env_bool("FACEVAULT_HEIC", default=False)
FACEVAULT_LOOK_SEARCH = env_bool("FACEVAULT_LOOK_SEARCH", default=False)
_pose_model = env_str("FACEVAULT_POSE_MODEL")
FACEVAULT_POSE_MODEL = Path(_pose_model).expanduser().resolve() if _pose_model else None
FACEVAULT_POSE_WEIGHT = env_float("FACEVAULT_POSE_WEIGHT", 0.4, minimum=0, maximum=1)
FACEVAULT_COLOR_WEIGHT = env_float("FACEVAULT_COLOR_WEIGHT", 0.6, minimum=0, maximum=1)
FACEVAULT_LEASE_SECONDS = env_int("FACEVAULT_LEASE_SECONDS", 60, minimum=2)
FACEVAULT_MIN_FREE_MB = env_int("FACEVAULT_MIN_FREE_MB", 2_048)
FACEVAULT_EXPORT_DIRECT = env_int("FACEVAULT_EXPORT_DIRECT", 500)
FACEVAULT_EXPORT_HOURS = env_int("FACEVAULT_EXPORT_HOURS", 24, minimum=1)

DEBUG = env_bool("FACEVAULT_DEBUG", default=False)
SECRET_KEY = env_str("FACEVAULT_SECRET_KEY") or read_or_make_secret_key(FACEVAULT_DATA)
ALLOWED_HOSTS = env_list("FACEVAULT_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
HTTPS = env_bool("FACEVAULT_HTTPS", default=False)

# --- apps
INSTALLED_APPS = [
    "access",
    "recognition",
    "labeling",
    "api",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "template_partials",
    "rest_framework",
    "drf_spectacular",
    "csp",
    "django_tasks",
    "django_tasks_db",
]
MIDDLEWARE = [
    "facevault_site.logs.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "access.middleware.TokenMiddleware",
    # Before the CSRF check, which reads the whole body: nobody may make us receive files before they are let in.
    "access.middleware.DenyByDefaultMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "facevault_site.urls"
WSGI_APPLICATION = "facevault_site.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "labeling.context.frame",
            ],
        },
    }
]

# --- data
SQLITE_OPTIONS: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",  # a deferred read that turns into a write fails at once when another writer was first
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA journal_size_limit=67108864;"
    ),
}


def database_settings(url: str) -> dict[str, Any]:
    """Django's DATABASES entry; SQLite in the data folder for an empty URL. No ATOMIC_REQUESTS: slow work stays outside."""
    if not url:
        # Not by a URL: a folder's name may hold what a URL gives a meaning, such as # or ?.
        config: dict[str, Any] = {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(FACEVAULT_DATA / "facevault.sqlite3"),
        }
    else:
        config = {**dj_database_url.parse(url, conn_health_checks=True)}
    if config["ENGINE"] == "django.db.backends.sqlite3":
        config["OPTIONS"] = {**config.get("OPTIONS", {}), **SQLITE_OPTIONS}
    else:
        config["CONN_MAX_AGE"] = 60
    return config


DATABASES = {"default": database_settings(env_str("DATABASE_URL"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default"]}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# --- people
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# A working day with its breaks: a session is not renewed by use, since every crop would then write to the database.
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = env_list("FACEVAULT_ORIGINS", [])
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_SSL_REDIRECT = env_bool("FACEVAULT_SSL_REDIRECT", default=False)

# --- what a browser may do with our pages
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}

# --- the API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["api.authentication.TokenOrSession"],
    # Who may do what is stated by each view and enforced before it, by access.middleware.
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["api.parsers.Json"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "api.negotiation.OneAnswer",
    "DEFAULT_PAGINATION_CLASS": "api.pagination.Pages",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "api.schema.OperationSchema",
    "EXCEPTION_HANDLER": "api.errors.answer_exception",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "FaceVault",
    "VERSION": "1",
    "DESCRIPTION": "Photos in, people named, photos out. The guide is docs/api.md.",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "SORT_OPERATIONS": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "WorkState": "api.serializers.common.WORK_STATES",
        "FaceState": "api.serializers.faces.STATES",
    },
}

# --- files
STATIC_URL = "static/"
STATIC_ROOT = FACEVAULT_DATA / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# On the data's own disk: a system's /tmp is often small, and what is left there would be outside of every clean-up.
FILE_UPLOAD_TEMP_DIR = FACEVAULT_DATA / "incoming"
FILE_UPLOAD_TEMP_DIR.mkdir(mode=0o700, exist_ok=True)
DATA_UPLOAD_MAX_NUMBER_FILES = 100
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- language and time: stored in UTC, shown in the office's zone
LANGUAGE_CODE = "en-us"
TIME_ZONE = env_str("FACEVAULT_TIME_ZONE", "UTC")
USE_TZ = True
USE_I18N = False

# --- what happened: ids alone, see facevault_site/logs.py
LOG_LEVEL = env_str("FACEVAULT_LOG_LEVEL", "INFO").upper()
# What libraries say at DEBUG holds names: SQL with its values, a template's variables, the camera owner's EXIF tags.
_LIBRARIES = "INFO" if LOG_LEVEL in {"DEBUG", "NOTSET"} else LOG_LEVEL
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"()": "facevault_site.logs.PlainFormatter"},
        "json": {"()": "facevault_site.logs.JsonFormatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": env_choice("FACEVAULT_LOG_FORMAT", "plain", "json"),
        }
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        # Without handlers of their own: Django's would mail whole requests.
        "django": {"handlers": [], "level": _LIBRARIES},
        # The line of each request says it already.
        "django.request": {"level": "ERROR"},
        "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
        "PIL": {"level": _LIBRARIES},
        "psycopg": {"level": _LIBRARIES},
        "faiss.loader": {"level": "WARNING"},
    },
}
