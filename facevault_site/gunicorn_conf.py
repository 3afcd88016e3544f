"""How gunicorn serves the site: the same for `make run` and for a systemd unit."""

from __future__ import annotations

import gc
import logging
from typing import Any

from gunicorn.glogging import Logger

from facevault_site.env import env_choice, env_int, env_str
from facevault_site.logs import JsonFormatter, PlainFormatter


class NamelessLogger(Logger):  # type: ignore[misc] # gunicorn has no types
    """gunicorn's own lines in the format of the rest; it would log the address of a request that broke, with its query."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        formatter = (
            JsonFormatter()
            if env_choice("FACEVAULT_LOG_FORMAT", "plain", "json") == "json"
            else PlainFormatter()
        )
        for handler in logging.getLogger("gunicorn.error").handlers:
            handler.setFormatter(formatter)


def post_worker_init(worker: Any) -> None:
    """What the site is made of stays until the end: each full collection would look at all of it, in the middle of an answer."""
    gc.collect()
    gc.freeze()


_host = env_str("FACEVAULT_BIND", "127.0.0.1")
bind = f"{f'[{_host}]' if ':' in _host else _host}:{env_int('FACEVAULT_PORT', 8000, minimum=1)}"
# No preload: a process that forks after OpenMP has started hangs.
raw_env = ["OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1"]
worker_class = "gthread"
workers = env_int("FACEVAULT_WEB_WORKERS", 2, minimum=1)
threads = 4
timeout = 120
graceful_timeout = 10
max_requests = 5000
max_requests_jitter = 500
control_socket_disable = True
loglevel = "warning"
accesslog = None
logger_class = NamelessLogger
