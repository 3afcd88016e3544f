"""What the desk's requests say, as real types."""

from __future__ import annotations

from typing import Any

from django import forms

from access.roles import LABELER, MANAGER, User
from labeling.decisions.verdicts import CLOSING
from labeling.fields import FacesField, PeopleField, SeenFacesField
from labeling.models import Decision
from labeling.queue import QUEUES
from recognition.models import Event, Person

# Fields of ChoiceForm that say whom a decision is about.
WHOM = frozenset({"person", "twice", "reject", "none"})


class PlaceForm(forms.Form):
    """Which queue, of one event or of all."""

    event = forms.ModelChoiceField(Event.objects.none(), required=False)
    queue = forms.ChoiceField(choices=[(queue, queue) for queue in QUEUES if queue], required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choose_from(self.fields["event"], Event.objects.for_role(user, LABELER, MANAGER))


class ViewForm(forms.Form):
    """How a group's card is looked at, and which page of all its faces."""

    view = forms.ChoiceField(choices=[("all", "all"), ("split", "split")], required=False)
    page = forms.IntegerField(min_value=1, max_value=10_000, required=False)


class ChoiceForm(forms.Form):
    """One decision: a verdict, or a person, or a typed name. `new` asks for a new person of that name.

    `twice` is a person too, although another face of the photo has the name already; `reject` is who it is not, and
    `none` are several of them.
    """

    IF_FREE = "1"
    ANOTHER = "another"

    key = forms.UUIDField()
    verdict = forms.ChoiceField(
        choices=[(kind, kind) for kind in (*Decision.POSTPONING, *CLOSING)], required=False
    )
    # Whom the user may name a face after depends on the face, so naming.py asks.
    person = forms.ModelChoiceField(Person.objects.current(), required=False)
    twice = forms.ModelChoiceField(Person.objects.current(), required=False)
    reject = forms.ModelChoiceField(Person.objects.current(), required=False)
    none = PeopleField(required=False)
    # Longer than any name: what is wrong with it is said where names are checked.
    name = forms.CharField(required=False, max_length=2000, strip=False)
    new = forms.ChoiceField(choices=[(IF_FREE, IF_FREE), (ANOTHER, ANOTHER)], required=False)
    # With one of these it is about nobody.
    ABOUT_NOBODY: tuple[str, ...] = ("verdict",)

    def clean(self) -> dict[str, Any]:
        """No button sends both. Refused whoever is given: else which ids there are could be had from the answer."""
        data = super().clean() or self.cleaned_data
        about_nobody = any(data.get(name) for name in self.ABOUT_NOBODY)
        if about_nobody and any(self.data.get(name) for name in WHOM):
            raise forms.ValidationError("This is about a person and about nobody at once.", code="invalid")
        return data


class DecideForm(ChoiceForm):
    """About one face, at the version that the card showed. `rest`: about every face of its photo that is still open."""

    verdict = forms.ChoiceField(
        choices=[(kind, kind) for kind in (*Decision.POSTPONING, *CLOSING, Decision.Kind.REOPEN)],
        required=False,
    )
    version = forms.IntegerField(min_value=0)
    rest = forms.BooleanField(required=False)
    ABOUT_NOBODY = ("verdict", "rest")


class GroupForm(ChoiceForm):
    """About a group, or about the faces of it that were chosen.

    `version` is the group's, and `upto` the last of its members that the card knew: who joined since is not decided
    about. `apart` are faces to take out of the group, `strays` too, of whom none is like another; `eject` takes out the
    chosen ones.
    """

    version = forms.IntegerField(min_value=0)
    upto = forms.IntegerField(min_value=0)
    face = FacesField(required=False)
    apart = FacesField(required=False)
    strays = FacesField(required=False)
    eject = forms.BooleanField(required=False)
    ABOUT_NOBODY = ("verdict", "apart", "strays", "eject")


class ListForm(forms.Form):
    """About a person's list: `face` are the chosen faces, `listed` all that the card showed."""

    ACTIONS = ("confirm", "reject", *Decision.POSTPONING, *CLOSING)

    key = forms.UUIDField()
    action = forms.ChoiceField(choices=[(action, action) for action in ACTIONS])
    face = SeenFacesField(required=False)
    listed = SeenFacesField(required=False)


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
