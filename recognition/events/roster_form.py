"""The form that brings a roster in: a file into external ids."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from recognition.events.roster_csv import RosterList, RosterRefused, read_roster_list
from recognition.people.csv_rows import MAX_BYTES

# Of a list that is wrong throughout the first lines say what to do.
_LINES_TOLD = 20


class _RosterField(forms.FileField):
    """The CSV file, read and checked line by line."""

    def clean(self, data: Any, initial: Any = None) -> RosterList:
        file: UploadedFile[Any] = super().clean(data, initial)
        try:
            # One byte more than is taken: what is too large is told so, and not read.
            return read_roster_list(file.read(MAX_BYTES + 1))
        except RosterRefused as refused:
            lines = [f"Row {row.number}: {row.message}" for row in refused.bad[:_LINES_TOLD]]
            more = len(refused.bad) - len(lines)
            told = [str(refused), *lines, *([f"And {more:,} more."] if more > 0 else [])]
            raise forms.ValidationError(told, code="refused") from refused


class RosterForm(forms.Form):
    roster = _RosterField(
        label="The list, as CSV",
        allow_empty_file=True,
        error_messages={"required": "Choose the list first."},
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv"}),
    )
