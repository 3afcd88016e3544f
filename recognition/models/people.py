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
