"""EventGrant: a role in one event. ApiToken: what a script signs in with. Global roles are Django's groups."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from access.roles import ROLES


class EventGrant(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="event_grants")
    event = models.ForeignKey("recognition.Event", on_delete=models.CASCADE, related_name="grants")
    role = models.CharField(max_length=10, choices=[(role, role) for role in ROLES])
    granted_at = models.DateTimeField(auto_now_add=True)
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["event", "user", "role"]
        constraints = [models.UniqueConstraint(fields=["user", "event", "role"], name="grant_once")]

    def __str__(self) -> str:
        return f"user {self.user_id} is {self.role} of event {self.event_id}"


class ApiToken(models.Model):
    """The secret itself is shown once and never stored: `prefix` finds the row, `digest` proves the rest."""

    prefix = models.CharField(max_length=12, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False, help_text="HMAC-SHA256 of the whole token")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=60, help_text="what it is for")
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_from = models.GenericIPAddressField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [models.CheckConstraint(condition=~models.Q(name=""), name="token_name_not_empty")]

    def __str__(self) -> str:
        return self.prefix

    @property
    def expired(self) -> bool:
        return self.expires_at <= timezone.now()

    @property
    def alive(self) -> bool:
        return self.revoked_at is None and not self.expired
