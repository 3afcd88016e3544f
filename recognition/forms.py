"""Forms of the pages: strings and files into real types, nothing else."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from recognition.models import Event
from recognition.querysets import EventQuerySet
from recognition.text import clean_name, fold


def _formats() -> str:
    return "JPEG, PNG, WebP or HEIC" if settings.FACEVAULT_HEIC else "JPEG, PNG or WebP"


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


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Every file of the field. Empty files pass: their refusal is told beside the others', not instead of them."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        files = list(data) if isinstance(data, list | tuple) else [data] if data else []
        if not files and self.required:
            raise forms.ValidationError("Choose at least one photo, ZIP file or video.", code="required")
        one = super().clean
        return [one(file, initial) for file in files]


class UploadForm(forms.Form):
    files = ManyFilesField(  # type: ignore[assignment]
        label="Photos, ZIP files or videos",
        allow_empty_file=True,
        widget=ManyFilesInput(
            attrs={"accept": ".jpg,.jpeg,.png,.webp,.zip,.mp4,.mov,.m4v,.mkv,.webm,.avi,.mts,.m2ts,.ts"}
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if settings.FACEVAULT_HEIC:
            # Not while it is off: an iPhone turns its photos into JPEG for a form that does not ask for HEIC.
            self.fields["files"].widget.attrs["accept"] += ",.heic,.heif"

    @property
    def formats(self) -> str:
        return _formats()


class EventSearchForm(forms.Form):
    q = forms.CharField(required=False, max_length=200, strip=True)


class ConfirmNameForm(forms.Form):
    """The user types the event's name: a click alone does not delete thousands of photos."""

    typed = forms.CharField(
        label="Name of the event",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._name = name

    def clean_typed(self) -> str:
        typed: str = self.cleaned_data["typed"]
        if fold(typed) != fold(self._name):
            raise forms.ValidationError(
                "This is not the name of the event. Nothing was deleted.", code="other"
            )
        return typed


class MovePhotoForm(forms.Form):
    event = forms.ModelChoiceField(
        queryset=Event.objects.none(), label="Move it to", empty_label="Choose an event"
    )

    def __init__(self, *args: Any, events: EventQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["event"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = events


# The database's largest number; a larger one is no key of anything.
_LARGEST_KEY = 2**63 - 1


class FailedFilterForm(forms.Form):
    event = forms.IntegerField(required=False, max_value=_LARGEST_KEY)
    photo = forms.IntegerField(required=False, max_value=_LARGEST_KEY)
    code = forms.CharField(required=False, max_length=40)


class ProbeForm(forms.Form):
    """The picture to search with. Media types, not file endings: for these a phone offers its camera."""

    picture = forms.FileField(
        allow_empty_file=True,
        error_messages={"required": "Choose a picture first."},
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if settings.FACEVAULT_HEIC:
            self.fields["picture"].widget.attrs["accept"] += ",image/heic,image/heif"

    @property
    def formats(self) -> str:
        return _formats()


class ExportForm(forms.Form):
    """What to download. The same fields come by the page's form and in a download's address."""

    faces = forms.ChoiceField(
        label="Which faces",
        choices=[("verified", "Only faces that people verified"), ("all", "Also those that FaceVault named")],
        initial="verified",
        required=False,
        widget=forms.RadioSelect,
    )
    names = forms.BooleanField(label="Write the names into the copies", required=False)
    kind = forms.ChoiceField(choices=[("zip", "ZIP"), ("csv", "CSV")], required=False)

    @property
    def with_machine(self) -> bool:
        return bool(self.cleaned_data["faces"] == "all")

    @property
    def with_names(self) -> bool:
        return bool(self.cleaned_data["names"])


class LookForm(forms.Form):
    """How to search by look: how much the pose counts, in percent, which photos may answer, and how many are shown."""

    look = forms.IntegerField(required=False, min_value=0, max_value=100)
    pose = forms.IntegerField(required=False, min_value=0, max_value=100)
    event = forms.IntegerField(required=False, min_value=1, max_value=_LARGEST_KEY)
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)
    shown = forms.IntegerField(required=False, min_value=1, max_value=240)
