"""Decisions in the admin: to read. They are made and undone at the desk, which keeps what undoing needs."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from labeling.models import Decision


@admin.register(Decision)
class DecisionAdmin(admin.ModelAdmin[Decision]):
    list_display = ["created_at", "kind", "face", "person", "actor", "undone_at", "undone_by"]
    list_filter = ["kind", "created_at"]
    list_select_related = ["face", "person", "actor", "undone_by"]
    search_fields = ["face__face_id", "actor__username"]
    date_hierarchy = "created_at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
