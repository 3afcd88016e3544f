"""Whether the object of an address is still the account's: asked before an answer of before is given again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, cast
from uuid import UUID

from django.contrib.auth.models import User as Account
from django.db.models import QuerySet
from django.http import HttpRequest

from access.roles import LABELER, MANAGER, ROLES, User
from access.rules import ApiRule, rule_of
from labeling.decisions import decisions_seen_by
from recognition.models import Event, Export, Face, Person, Photo, Probe

# By the parameter that names it; the roles are those that the method takes.
_FOUND: Final[Mapping[str, Callable[[User, tuple[str, ...], Any], QuerySet[Any]]]] = {
    "event_pk": lambda user, roles, pk: Event.objects.for_role(user, *roles).filter(pk=pk),
    "photo_pk": lambda user, roles, pk: Photo.objects.for_role(user, *roles).filter(pk=pk),
    "face_id": lambda user, roles, face_id: Face.objects.for_role(user, *roles).filter(face_id=face_id),
    "person_pk": lambda user, roles, pk: Person.objects.visible_to(user).filter(pk=pk),
    "key": lambda user, roles, key: decisions_seen_by(cast(Account, user)).filter(key=key),
    "export_id": lambda user, roles, export_id: Export.objects.visible_to(user).filter(export_id=export_id),
    "probe_id": lambda user, roles, probe_id: Probe.objects.visible_to(user).filter(probe_id=probe_id),
}


def is_still_seen(request: HttpRequest) -> bool:
    """Whether the view would still find what its address names; an address without parameters names nothing."""
    match = request.resolver_match
    if match is None:
        return False
    rule = rule_of(match.func)
    stated = rule.of(request.method or "") if isinstance(rule, ApiRule) else None
    roles = tuple(stated.roles) if stated is not None and stated.roles else ROLES
    if match.url_name == "api-decisions" and not _labels_faces(request):
        return False
    return all(
        _FOUND[name](request.user, roles, value).exists()
        for name, value in match.kwargs.items()
        if name in _FOUND
    )


def _labels_faces(request: HttpRequest) -> bool:
    """Whether the account may still decide about every face that the body names: its answer is about them."""
    try:
        asked = {str(UUID(face_id)) for face_id in json.loads(request.body)["faces"]}
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    labeled = Face.objects.for_role(request.user, LABELER, MANAGER).filter(face_id__in=asked)
    return labeled.count() == len(asked)
