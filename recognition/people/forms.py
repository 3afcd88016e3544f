"""Forms about people: typed names and lists into real types."""

from __future__ import annotations

from typing import Any

from django import forms

from recognition.models import Person
from recognition.people.listing import ORDERS
from recognition.text import clean_name, fold

NAME_LENGTH = 120
ALIASES = 20


class AliasesField(forms.CharField):
    """One name per line, as the list that the model stores."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(str(alias) for alias in value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)

    def clean(self, value: Any) -> list[str]:
        aliases = [alias for line in str(super().clean(value)).splitlines() if (alias := clean_name(line))]
        if any(len(alias) > NAME_LENGTH for alias in aliases):
            raise forms.ValidationError(f"A name has at most {NAME_LENGTH} characters.", code="too_long")
        if len(aliases) > ALIASES:
            raise forms.ValidationError(f"At most {ALIASES} other names.", code="too_many")
        return list(dict.fromkeys(aliases))


class PersonForm(forms.Form):
    """A person's names and number. `shared` says that somebody else may have the same name."""

    name = forms.CharField(
        max_length=NAME_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "words"}),
    )
    external_id = forms.CharField(
        label="External id",
        required=False,
        max_length=Person._meta.get_field("external_id").max_length,
        help_text="Such as a student number. It belongs to one person alone.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    aliases = AliasesField(
        label="Other names",
        required=False,
        help_text="One per line. The search finds the person by each of them.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    shared = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def clean_name(self) -> str:
        name = clean_name(self.cleaned_data["name"])
        if not name:
            raise forms.ValidationError("Give the person a name.", code="required")
        return name

    def clean_external_id(self) -> str | None:
        return clean_name(self.cleaned_data["external_id"]) or None

    def clean(self) -> dict[str, Any]:
        """The name itself is not also another name."""
        data = super().clean() or self.cleaned_data
        own = fold(data.get("name", ""))
        data["aliases"] = [alias for alias in data.get("aliases", []) if fold(alias) != own]
        return data


class _ChoiceOr(forms.CharField):
    """One of the choices; anything else is the first of them, never an error: it stands in an address."""

    def __init__(self, *choices: str) -> None:
        super().__init__(required=False)
        self.choices = choices

    def clean(self, value: Any) -> str:
        return value if value in self.choices else self.choices[0]


class PeopleListForm(forms.Form):
    """What the list of people is asked for."""

    q = forms.CharField(required=False, max_length=200, strip=True)
    sort = _ChoiceOr(*ORDERS)
    faces = _ChoiceOr("", "none")


class PersonPageForm(forms.Form):
    """Which of a person's faces are shown."""

    show = _ChoiceOr("", "references", "verified", "machine", "farthest")
