"""Forms of tokens and grants: strings into real types, nothing else."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.contrib.auth.models import User
from django.utils import timezone

from access.models import ApiToken
from access.roles import ROLES
from access.scopes import READ, SCOPE_TEXT

_DAYS = [("30", "30 days"), ("90", "90 days"), ("365", "one year")]
ROLE_TEXT = {
    "viewer": "Viewer: sees photos and names",
    "uploader": "Uploader: brings photos",
    "labeler": "Labeler: names faces",
    "manager": "Manager: everything, also exports and deleting",
}


class TokenForm(forms.Form):
    name = forms.CharField(
        label="What it is for",
        max_length=ApiToken._meta.get_field("name").max_length,
        widget=forms.TextInput(
            attrs={"placeholder": "Nightly upload from the press office", "autocomplete": "off"}
        ),
    )
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=[(scope, f"{scope}: {text}") for scope, text in SCOPE_TEXT.items()],
        widget=forms.CheckboxSelectMultiple,
        initial=[READ],
    )
    days = forms.TypedChoiceField(
        label="Valid for",
        choices=_DAYS,
        initial="90",
        coerce=lambda text: timezone.now() + timedelta(days=int(text)),
    )


class GrantForm(forms.Form):
    user = forms.CharField(
        label="Account name",
        max_length=150,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    role = forms.ChoiceField(choices=[(role, ROLE_TEXT[role]) for role in ROLES])

    def clean_user(self) -> User:
        found = User.objects.filter(username=self.cleaned_data["user"], is_active=True).first()
        if found is None:
            raise forms.ValidationError("There is no account of this name. The administrator makes accounts.")
        return found
