"""What the desk's requests say, as real types."""

from __future__ import annotations

from typing import Any

from django import forms

from access.roles import LABELER, MANAGER, User
from labeling.decisions.verdicts import CLOSING
from labeling.models import Decision
from recognition.models import Event, Person


class PlaceForm(forms.Form):
    """Which queue: of one event or of all, and whether the skipped faces."""

    event = forms.ModelChoiceField(Event.objects.none(), required=False)
    skipped = forms.BooleanField(required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choose_from(self.fields["event"], Event.objects.for_role(user, LABELER, MANAGER))


class DecideForm(forms.Form):
    """One decision: a verdict, or a person, or a typed name. `new` asks for a new person of that name.

    `twice` is a person too, although another face of the photo has the name already; `reject` is who it is not.
    """

    IF_FREE = "1"
    ANOTHER = "another"

    version = forms.IntegerField(min_value=0)
    key = forms.UUIDField()
    verdict = forms.ChoiceField(
        choices=[(kind, kind) for kind in (Decision.Kind.SKIP, *CLOSING)], required=False
    )
    # Whom the user may name a face after depends on the face, so naming.py asks.
    person = forms.ModelChoiceField(Person.objects.current(), required=False)
    twice = forms.ModelChoiceField(Person.objects.current(), required=False)
    reject = forms.ModelChoiceField(Person.objects.current(), required=False)
    # Longer than any name: what is wrong with it is said where names are checked.
    name = forms.CharField(required=False, max_length=2000, strip=False)
    new = forms.ChoiceField(choices=[(IF_FREE, IF_FREE), (ANOTHER, ANOTHER)], required=False)


class _TypedField(forms.CharField):
    """What was typed so far, never an error: PostgreSQL takes no NUL, and no name is that long."""

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).replace("\0", "")[:200]


class NameSearchForm(forms.Form):
    # As it was typed: the page compares it with the field's value.
    name = _TypedField(required=False, strip=False)


def _choose_from(field: forms.Field, rows: Any) -> None:
    assert isinstance(field, forms.ModelChoiceField)
    field.queryset = rows
