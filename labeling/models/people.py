"""What was said about people rather than faces: two who are not one, and a portrait that a person is enrolled by."""

from django.conf import settings
from django.db import models

from recognition.models import Person, Photo


class DifferentPeople(models.Model):
    """Two people who look alike and are not one: they are not offered for a merge again. `first` has the lower number."""

    first = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="different_people_once"),
            models.CheckConstraint(
                condition=models.Q(first__lt=models.F("second")), name="different_people_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"people {self.first_id} and {self.second_id}"


class Enrolment(models.Model):
    """A portrait whose one face is to be named after the person once it was processed."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        DONE = "done", "enrolled"
        REFUSED = "refused", "refused"

    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="enrolments")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="enrolments")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["photo"], condition=models.Q(state="waiting"), name="enrolment_waiting")
        ]
        constraints = [models.UniqueConstraint(fields=["photo", "person"], name="enrolment_once")]

    def __str__(self) -> str:
        return f"photo {self.photo_id} for person {self.person_id}"
