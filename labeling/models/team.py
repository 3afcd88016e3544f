"""A team at one queue: who has which card open, who works on which event, second opinions, and each one's keys."""

from django.conf import settings
from django.db import models

from labeling.models.decisions import Decision
from recognition.models import Event, Face, Person


class Lease(models.Model):
    """Who has a card open, so that the others get another one. It steers and never locks: whoever opens the card may decide."""

    card = models.CharField(max_length=60, unique=True, help_text="such as cluster-12, person-3, face-845")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["user"], name="lease_user")]

    def __str__(self) -> str:
        return f"{self.card} of user {self.user_id}"


class Assignment(models.Model):
    """An event that somebody is to label: their queue begins with it."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="assignments")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="assignments")
    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "user"], name="assignment_once")]

    def __str__(self) -> str:
        return f"event {self.event_id} for user {self.user_id}"


class EventReview(models.Model):
    """How many of an event's names, in percent, a second person is asked about without seeing the first answer."""

    event = models.OneToOneField(Event, on_delete=models.CASCADE, related_name="review")
    percent = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(percent__lte=100), name="event_review_percent")
        ]

    def __str__(self) -> str:
        return f"{self.percent} % of event {self.event_id}"


class SecondOpinion(models.Model):
    """What a second person said of a named face, blind. It changes no name; where they differ, people look at it."""

    class Answer(models.TextChoices):
        PERSON = "person", "a person"
        UNSURE = "unsure", "cannot tell"
        STRANGER = "stranger", "nobody we name"

    face = models.ForeignKey(Face, on_delete=models.CASCADE, related_name="second_opinions")
    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, related_name="second_opinions")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    answer = models.CharField(max_length=8, choices=Answer)
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    agrees = models.BooleanField()
    settled_at = models.DateTimeField(
        null=True, blank=True, help_text="when somebody looked at the difference"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["face", "decision"], name="second_opinion_once"),
            models.CheckConstraint(
                condition=(models.Q(answer="person") & models.Q(person__isnull=False))
                | (~models.Q(answer="person") & models.Q(person__isnull=True)),
                name="second_opinion_person",
            ),
        ]

    def __str__(self) -> str:
        return f"second opinion on face {self.face_id}"


class Preferences(models.Model):
    """How somebody works at the desk: their own keys, kept with the account."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preferences"
    )
    single_keys = models.BooleanField(default=True)
    keys = models.JSONField(default=dict, blank=True, help_text="action: key, where it is not the usual one")

    class Meta:
        verbose_name_plural = "preferences"

    def __str__(self) -> str:
        return f"preferences of user {self.user_id}"
