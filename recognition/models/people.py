"""Person: a named identity. Two people may share a name; an external id is theirs alone."""

from typing import Any

from django.db import models

from recognition.querysets import PersonQuerySet
from recognition.text import fold


class Person(models.Model):
    name = models.CharField(max_length=120)
    aliases = models.JSONField(default=list, blank=True, help_text="a list of other names")
    external_id = models.CharField(
        max_length=60, null=True, blank=True, unique=True, help_text="such as a student number"
    )
    search_text = models.CharField(
        max_length=1000, editable=False, help_text="folded name, aliases, external id"
    )
    # The face that stands for them in lists; without one the largest verified face does.
    cover_face = models.ForeignKey(
        "recognition.Face", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # A merge keeps the row, so that undoing it gives the very same person back. Nobody sees a merged person.
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged", editable=False
    )
    # Came with a decision that was undone, and nothing uses them: a redo brings them back, a chore removes them after a day.
    hidden_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PersonQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "people"
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="person_name_not_empty"),
            models.CheckConstraint(
                condition=models.Q(external_id__isnull=True) | ~models.Q(external_id=""),
                name="person_external_id_not_empty",
            ),
            models.CheckConstraint(
                condition=models.Q(merged_into__isnull=True) | ~models.Q(merged_into=models.F("pk")),
                name="person_not_merged_into_self",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.external_id = self.external_id or None
        self.search_text = search_text(self.name, self.aliases, self.external_id)
        fields = kwargs.get("update_fields")
        if fields is not None:
            kwargs["update_fields"] = {*fields, "search_text"}
        super().save(*args, **kwargs)


def search_text(name: str, aliases: list[str], external_id: str | None) -> str:
    """What a typed query is looked up in: every word starts after a space, so that " ann" finds it by its beginning."""
    return (" " + " ".join(fold(part) for part in [name, *aliases, external_id or ""] if part))[:1000]
