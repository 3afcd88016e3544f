"""Fields of labeling's forms: several faces or people in one request, as real types."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms

from recognition.models import Person

# More than a card shows.
_MOST_FACES = 1000
_MOST_PEOPLE = 20


class PeopleField(forms.CharField):
    """The primary keys of people, with commas."""

    def to_python(self, value: Any) -> Any:
        try:
            pks = [int(part) for part in str(super().to_python(value)).split(",") if part][:_MOST_PEOPLE]
            people = Person.objects.current().in_bulk(pks)
        except (ValueError, OverflowError):
            raise forms.ValidationError("Choose the people again.", code="invalid") from None
        if len(people) < len(set(pks)):
            raise forms.ValidationError("Somebody of them is gone.", code="invalid")
        return [people[pk] for pk in pks]


class FacesField(forms.MultipleChoiceField):
    """Public ids of faces, one a box or several with commas."""

    def to_python(self, value: Any) -> Any:
        parts = [part for text in super().to_python(value) for part in text.split(",") if part]
        try:
            return list(dict.fromkeys(UUID(part) for part in parts[:_MOST_FACES]))
        except ValueError:
            raise forms.ValidationError("Choose the faces again.", code="invalid") from None

    def validate(self, value: Any) -> None:
        if self.required and not value:
            raise forms.ValidationError("Choose at least one face first.", code="required")


class SeenFacesField(FacesField):
    """Each with the version that the page showed, as `face_id:version`; at most as many as the page shows."""

    def __init__(self, *, most: int = _MOST_FACES, required: bool = True) -> None:
        super().__init__(required=required)
        self.most = most

    def to_python(self, value: Any) -> Any:
        found = {}
        for text in forms.MultipleChoiceField.to_python(self, value)[: self.most]:
            face_id, _, version = text.partition(":")
            try:
                found[UUID(face_id)] = int(version)
            except ValueError:
                raise forms.ValidationError("Choose the faces again.", code="invalid") from None
        return found
