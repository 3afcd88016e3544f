"""Whether this process can serve: for load balancers and monitoring, without a session and without secrets."""

import logging

from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from access.rules import allow_everyone
from recognition.models import GalleryState
from recognition.readiness import check_readiness

logger = logging.getLogger(__name__)


@allow_everyone
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 with the gallery's version, or 503 when the database does not answer."""
    try:
        version = GalleryState.objects.values_list("version", flat=True).first()
    except DatabaseError:
        logger.exception("healthz: the database does not answer")
        return JsonResponse({"status": "unavailable", "database": "error"}, status=503)
    return JsonResponse({"status": "ok", "database": "ok", "index_version": version or 0})


@allow_everyone
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when everything it stands on is in order, else 503; each check with "ok" or what is wrong."""
    checks = check_readiness()
    ready = all(check.passed for check in checks)
    body = {
        "status": "ready" if ready else "not ready",
        "checks": {check.name: check.said for check in checks},
    }
    return JsonResponse(body, status=200 if ready else 503)
