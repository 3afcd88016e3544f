"""NameCheck: a name that the machine gave, drawn at random, and what a person said of it."""

from django.conf import settings
from django.db import models

from recognition.models import Face, Person


class NameCheck(models.Model):
    """The share of right answers is the precision of the machine's names: the draw must not depend on the answer."""

    class Answer(models.TextChoices):
        NONE = "", "open"
        RIGHT = "right", "right"
        WRONG = "wrong", "wrong"
        UNSURE = "unsure", "cannot tell"

    face = models.ForeignKey(Face, on_delete=models.CASCADE, related_name="name_checks")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    # What the machine said, as it may be gone by the time somebody looks.
    similarity = models.FloatField()
    margin = models.FloatField(null=True, blank=True)
    embedder_id = models.CharField(max_length=60)
    named_at = models.DateTimeField(help_text="when the machine gave the name")
    drawn_at = models.DateTimeField(auto_now_add=True)
    answer = models.CharField(max_length=6, choices=Answer, default=Answer.NONE, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["face", "person", "named_at"], name="name_check_once"),
            models.CheckConstraint(
                condition=models.Q(answer="", answered_at__isnull=True)
                | (~models.Q(answer="") & models.Q(answered_at__isnull=False)),
                name="name_check_answer_has_time",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(answer=""), name="name_check_open"),
            models.Index(fields=["answered_at"], name="name_check_answered"),
            models.Index(fields=["named_at"], name="name_check_named"),
        ]

    def __str__(self) -> str:
        return f"{self.answer or 'open'}: face {self.face_id}"
