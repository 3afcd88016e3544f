"""The tables in the admin: names and events can be put right, biometrics only looked at, and nothing is deleted in bulk.

Faces, sightings and the gallery change at the desk and by commands alone: they keep the gallery's journal and the
undo. A vector is never shown.
"""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from recognition.models import (
    ActiveEmbedder,
    Embedding,
    Event,
    Face,
    GalleryChange,
    GalleryState,
    Person,
    Photo,
    Sighting,
    UnlabeledFace,
)
from recognition.people.forms import AliasesField
from recognition.text import clean_name


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """To look at, not to touch. One row of each kind can be opened; none can be added, changed or deleted."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


@admin.register(Event)
class EventAdmin(admin.ModelAdmin[Event]):
    list_display = ["name", "held_on", "place", "created_at", "created_by"]
    search_fields = ["name", "place"]
    readonly_fields = ["created_at", "created_by"]
    actions = None


class PersonForm(forms.ModelForm[Person]):
    aliases = AliasesField(required=False, help_text="other names, one per line")

    class Meta:
        model = Person
        fields = ["name", "aliases", "external_id"]

    def clean_name(self) -> str:
        name = clean_name(self.cleaned_data["name"])
        if not name:
            raise forms.ValidationError("Give the person a name.", code="required")
        return name


@admin.register(Person)
class PersonAdmin(admin.ModelAdmin[Person]):
    form = PersonForm
    list_display = ["name", "external_id", "created_at"]
    search_fields = ["search_text"]
    readonly_fields = ["search_text", "created_at"]
    actions = None

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Person], search_term: str
    ) -> tuple[models.QuerySet[Person], bool]:
        found = Person.objects.matching(search_term)
        return queryset.filter(pk__in=found.values("pk")) if search_term else queryset, False

    def has_delete_permission(self, request: HttpRequest, obj: Person | None = None) -> bool:
        # Erasing a person is more than one row.
        return False


@admin.register(Photo)
class PhotoAdmin(ReadOnlyAdmin):
    list_display = ["name", "event", "state", "attempts", "failure_code", "uploaded_at", "uploaded_by"]
    list_filter = ["state", "failure_code"]
    list_select_related = ["event", "uploaded_by"]
    search_fields = ["name", "sha256"]


@admin.register(Face)
class FaceAdmin(ReadOnlyAdmin):
    list_display = ["face_id", "photo", "size", "sharpness", "detector_score", "version"]
    list_select_related = ["photo"]
    search_fields = ["face_id"]
    # Where the parts of a face are is biometric as well.
    exclude = ["landmarks"]


@admin.register(Embedding)
class EmbeddingAdmin(ReadOnlyAdmin):
    list_display = ["face", "embedder_id"]
    list_filter = ["embedder_id"]
    list_select_related = ["face"]
    search_fields = ["face__face_id"]
    exclude = ["vector"]


@admin.register(Sighting)
class SightingAdmin(ReadOnlyAdmin):
    list_display = [
        "face",
        "person",
        "decided_by",
        "decided_by_user",
        "similarity",
        "is_reference",
        "seen_at",
    ]
    list_filter = ["decided_by", "is_reference"]
    list_select_related = ["face", "person", "decided_by_user"]
    search_fields = ["person__search_text", "face__face_id"]


@admin.register(UnlabeledFace)
class UnlabeledFaceAdmin(ReadOnlyAdmin):
    list_display = ["face", "reviewed", "verdict", "priority", "queued_at"]
    list_filter = ["reviewed", "verdict"]
    list_select_related = ["face"]
    search_fields = ["face__face_id"]


@admin.register(ActiveEmbedder)
class ActiveEmbedderAdmin(ReadOnlyAdmin):
    list_display = ["embedder_id", "reason", "chosen_at"]


@admin.register(GalleryState)
class GalleryStateAdmin(ReadOnlyAdmin):
    list_display = ["version", "floor", "epoch"]


@admin.register(GalleryChange)
class GalleryChangeAdmin(ReadOnlyAdmin):
    list_display = ["version", "face"]
