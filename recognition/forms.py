"""Forms of the pages: strings and files into real types, nothing else."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from recognition.models import Event
from recognition.text import clean_name


class EventForm(forms.Form):
    name = forms.CharField(
        max_length=Event._meta.get_field("name").max_length,
        widget=forms.TextInput(attrs={"placeholder": "Graduation 2026", "autocomplete": "off"}),
    )
    held_on = forms.DateField(label="Date", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    place = forms.CharField(
        max_length=Event._meta.get_field("place").max_length,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "Great Hall", "autocomplete": "off"}),
    )

    def clean_name(self) -> str:
        name = clean_name(self.cleaned_data["name"])
        if not name:
            raise forms.ValidationError("Give the event a name.", code="required")
        return name

    def clean_place(self) -> str:
        return clean_name(self.cleaned_data["place"])


class _ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class _ManyFilesField(forms.FileField):
    """Every file of the field. Empty files pass: their refusal is told beside the others', not instead of them."""

    widget = _ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        files = list(data) if isinstance(data, list | tuple) else [data] if data else []
        if not files:
            raise forms.ValidationError("Choose at least one photo or ZIP file.", code="required")
        one = super().clean
        return [one(file, initial) for file in files]


class UploadForm(forms.Form):
    files = _ManyFilesField(  # type: ignore[assignment]
        label="Photos or ZIP files",
        allow_empty_file=True,
        widget=_ManyFilesInput(attrs={"accept": ".jpg,.jpeg,.png,.webp,.zip"}),
    )


class PeopleSearchForm(forms.Form):
    q = forms.CharField(required=False, max_length=200, strip=True)
