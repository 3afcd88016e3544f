"""Work: rows that a worker takes up one by one. The row holds the work, so a killed worker loses none of it."""

from django.db import models

MAX_ATTEMPTS = 3


class Work(models.Model):
    class State(models.TextChoices):
        QUEUED = "queued", "waiting"
        PROCESSING = "processing", "being processed"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    # The work itself is durable here: a killed worker leaves its task running for ever, but not this row.
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease = models.UUIDField(
        null=True, blank=True, help_text="who processes it now; fences off a worker that lost it"
    )
    lease_until = models.DateTimeField(null=True, blank=True)
    failure_code = models.CharField(max_length=40, blank=True)
    failure_reason = models.CharField(max_length=400, blank=True)
    processed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
        indexes = [
            models.Index(
                fields=["lease_until"],
                condition=models.Q(state__in=["queued", "processing"]),
                name="%(class)s_open_lease",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(attempts__lte=MAX_ATTEMPTS), name="%(class)s_attempts_bounded"
            ),
            models.CheckConstraint(
                condition=models.Q(state="processing", lease__isnull=False, lease_until__isnull=False)
                | (~models.Q(state="processing") & models.Q(lease__isnull=True)),
                name="%(class)s_lease_while_processing",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="failed") | ~models.Q(failure_code=""),
                name="%(class)s_failure_has_code",
            ),
        ]
