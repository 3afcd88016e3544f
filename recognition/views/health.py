"""Whether this process can serve: for load balancers and monitoring, without a session and without secrets."""

import logging

from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from access.rules import allow_everyone
from recognition.models import GalleryState

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
