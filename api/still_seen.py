"""Whether the object of an address is still the account's: asked before an answer of before is given again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpRequest

from access.roles import ROLES, User
from access.rules import ApiRule, rule_of
from labeling.models import Decision
from recognition.models import Event, Export, Face, Person, Photo, Probe

# By the parameter that names it; the roles are those that the method takes.
_FOUND: Final[Mapping[str, Callable[[User, tuple[str, ...], Any], QuerySet[Any]]]] = {
    "event_pk": lambda user, roles, pk: Event.objects.for_role(user, *roles).filter(pk=pk),
    "photo_pk": lambda user, roles, pk: Photo.objects.for_role(user, *roles).filter(pk=pk),
    "face_id": lambda user, roles, face_id: Face.objects.for_role(user, *roles).filter(face_id=face_id),
    "person_pk": lambda user, roles, pk: Person.objects.visible_to(user).filter(pk=pk),
    "key": lambda user, roles, key: Decision.objects.filter(
        key=key, face__in=Face.objects.for_role(user, *roles)
    ),
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
    return all(
        _FOUND[name](request.user, roles, value).exists()
        for name, value in match.kwargs.items()
        if name in _FOUND
    )
