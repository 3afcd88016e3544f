"""From a press on the page of an event's names to a decision, and what is dismissed without one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth.models import User
from django.utils import timezone

from access.roles import LABELER, MANAGER
from labeling.decisions import find_repeated_about
from labeling.fields import SeenFacesField
from labeling.forms import ChoiceForm
from labeling.models import Decision
from labeling.naming import decide_target
from labeling.regions.listing import FACES_SHOWN, regions_seen_by
from labeling.targets import Target
from recognition.models import Event, Face, NamedRegion, Person


class ConfirmForm(forms.Form):
    """These faces, as the page showed them, are the person, or somebody new of the name."""

    key = forms.UUIDField()
    name = forms.CharField(max_length=120)
    face = SeenFacesField(most=FACES_SHOWN)
    person = forms.ModelChoiceField(Person.objects.none(), required=False)
    new = forms.ChoiceField(
        choices=[(ChoiceForm.IF_FREE, ChoiceForm.IF_FREE), (ChoiceForm.ANOTHER, ChoiceForm.ANOTHER)],
        required=False,
    )

    def __init__(self, data: Mapping[str, Any], *, user: User) -> None:
        super().__init__(data)
        field = self.fields["person"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Person.objects.visible_to(user)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if bool(data.get("person")) == bool(data.get("new")):
            raise forms.ValidationError("Choose who it is.", code="required")
        return data


class NotThere(Exception):
    """Some of the faces are gone, or nobody's data tells a name of them."""


def confirm_names(data: Mapping[str, Any], *, event: Event, actor: User) -> Decision:
    """One decision about all of the faces: that of the desk, undo included. Call it outside transactions.

    Raises NotThere, NameUnclear, DecisionConflict.
    """
    seen: Mapping[UUID, int] = data["face"]
    told = NamedRegion.objects.filter(photo__event=event, face__isnull=False).order_by().values("face")
    faces = list(
        Face.objects.for_role(actor, LABELER, MANAGER)
        .filter(photo__event=event, face_id__in=seen, pk__in=told)
        .select_related("photo")
        .order_by("photo", "left", "pk")
    )
    if len(faces) < len(seen):
        raise NotThere
    # The first of two clicks may have created the person.
    repeated = find_repeated_about(data["key"], [face.pk for face in faces], actor)
    if repeated is not None:
        return repeated
    target = Target(faces=faces, versions={face.pk: seen[face.face_id] for face in faces})
    choice = {
        "key": data["key"],
        "verdict": "",
        "person": data["person"],
        "name": "" if data["person"] else data["name"],
        "new": data["new"],
        "twice": None,
        "reject": None,
        "none": [],
    }
    return decide_target(choice, target=target, actor=actor)


def dismiss_region(*, region_pk: int, user: User) -> bool:
    """The name is not suggested for that face any more; whether it was until now."""
    rows = regions_seen_by(user).filter(pk=region_pk, dismissed_at=None)
    return bool(rows.update(dismissed_at=timezone.now()))


def put_back_region(*, region_pk: int, user: User) -> bool:
    rows = regions_seen_by(user).filter(pk=region_pk, dismissed_at__isnull=False)
    return bool(rows.update(dismissed_at=None))
