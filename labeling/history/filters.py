"""Which decisions to list: at an event, about a person, by whom, of which kind, in force or undone."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet

from access.roles import LABELER, MANAGER
from labeling.decisions import decisions_seen_by
from labeling.models import DecidedFace, Decision
from labeling.words import KINDS, user_words
from recognition.models import Event, Person
from recognition.text import fold

MINE = "mine"
IN_FORCE, UNDONE = "in-force", "undone"
_LONGEST = 120


class _TypedField(forms.CharField):
    """What was typed, never an error: no database takes a NUL, and no name is that long."""

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).replace("\0", "").strip()[:_LONGEST]


class HistoryForm(forms.Form):
    """What cannot be read filters nothing."""

    event = forms.ModelChoiceField(Event.objects.none(), required=False)
    name = _TypedField(required=False)
    person = forms.ModelChoiceField(Person.objects.none(), required=False)
    who = forms.ChoiceField(required=False)
    kind = forms.ChoiceField(choices=list(KINDS.items()), required=False)
    state = forms.ChoiceField(choices=[(IN_FORCE, "In force"), (UNDONE, "Undone")], required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        _choose_from(self.fields["event"], Event.objects.for_role(user, LABELER, MANAGER))
        _choose_from(self.fields["person"], Person.objects.visible_to(user))
        who = self.fields["who"]
        assert isinstance(who, forms.ChoiceField)
        self.people_asked = [(MINE, "Mine"), *((str(one.pk), user_words(one)) for one in _colleagues(user))]
        # One's own number means the same as "mine": a colleague may have sent the address.
        who.choices = [*self.people_asked, (str(user.pk), "Mine")]

    @property
    def chosen(self) -> dict[str, Any]:
        """What could be read of it, without empty fields."""
        self.is_valid()
        found = {name: value for name, value in self.cleaned_data.items() if value}
        return {**found, "who": MINE} if found.get("who") == str(self.user.pk) else found

    @property
    def query(self) -> dict[str, str]:
        """The same as the parameters of an address."""
        return {
            name: str(value.pk if isinstance(value, Event | Person) else value)
            for name, value in self.chosen.items()
        }


def find_decisions(*, user: User, chosen: dict[str, Any]) -> QuerySet[Decision]:
    """Those that the user sees and that pass every filter of `HistoryForm.chosen`, newest first."""
    found = decisions_seen_by(user)
    if "event" in chosen:
        there = DecidedFace.objects.filter(
            decision=OuterRef("pk"), caused=False, face__photo__event=chosen["event"]
        )
        found = found.filter(Exists(there.order_by()))
    if "person" in chosen:
        found = found.filter(person=chosen["person"])
    if "name" in chosen:
        found = found.filter(person__in=_find_named(chosen["name"], found, user))
    if "who" in chosen:
        found = found.filter(actor=user.pk if chosen["who"] == MINE else int(chosen["who"]))
    if "kind" in chosen:
        found = found.filter(kind=chosen["kind"])
    if "state" in chosen:
        found = found.filter(undone_at__isnull=chosen["state"] == IN_FORCE)
    return found


def _find_named(typed: str, decisions: QuerySet[Decision], user: User) -> list[int]:
    """Whom these decisions are about and the words fit. Of people whom the user sees nowhere else the list shows the
    name, so that alone is compared: else their other names and numbers could be had by guessing."""
    people = Person.objects.matching(typed).filter(pk__in=decisions.order_by().values("person"))
    seen = set(
        Person.objects.visible_to(user).filter(pk__in=people.values("pk")).values_list("pk", flat=True)
    )
    words = fold(typed).split()
    return [
        pk
        for pk, name in people.values_list("pk", "name")
        if pk in seen or all(f" {word}" in f" {fold(name)}" for word in words)
    ]


def _colleagues(user: User) -> list[User]:
    """Everybody else who made a decision that the user sees."""
    actors = decisions_seen_by(user).order_by().values("actor").distinct()
    return list(User.objects.filter(pk__in=actors).exclude(pk=user.pk).order_by("username"))


def _choose_from(field: forms.Field, rows: Any) -> None:
    assert isinstance(field, forms.ModelChoiceField)
    field.queryset = rows
