"""The form that brings a list of people in: files and a name into real types."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from recognition.forms import ManyFilesField, ManyFilesInput
from recognition.models import Event
from recognition.people.csv_rows import MAX_BYTES, ListRefused, PeopleList, read_people_list
from recognition.text import clean_name

EVENT = "Portraits"


class _ListField(forms.FileField):
    """The CSV file, read and checked row by row."""

    def clean(self, data: Any, initial: Any = None) -> PeopleList:
        file: UploadedFile[Any] = super().clean(data, initial)
        try:
            # One byte more than is taken: what is too large is told so, and not read.
            return read_people_list(file.read(MAX_BYTES + 1))
        except ListRefused as refused:
            raise forms.ValidationError(str(refused), code="refused") from refused


class ImportForm(forms.Form):
    people = _ListField(
        label="The list, as CSV",
        allow_empty_file=True,
        error_messages={"required": "Choose the list first."},
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )
    portraits = ManyFilesField(
        label="Portraits, as a ZIP file or as pictures",
        required=False,
        allow_empty_file=True,
        widget=ManyFilesInput(attrs={"accept": ".zip,.jpg,.jpeg,.png,.webp"}),
    )
    event = forms.CharField(
        label="Event that the portraits go to",
        max_length=Event._meta.get_field("name").max_length,
        initial=EVENT,
        help_text="Created if there is none of this name.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean_event(self) -> str:
        name = clean_name(self.cleaned_data["event"])
        if not name:
            raise forms.ValidationError("Give the event a name.", code="required")
        return name
