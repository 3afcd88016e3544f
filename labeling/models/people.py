"""What is known about people rather than faces: who may be one, who is not, who is twice on a photo and rightly so, and a
portrait that a person is enrolled by."""

import uuid

from django.conf import settings
from django.db import models

from recognition.models import Event, Person, Photo


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


class AlikePeople(models.Model):
    """Two people who may be one, by their references: made anew by the worker. `first` has the lower number."""

    first = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    similarity = models.FloatField(help_text="of a reference of one to a reference of the other, on average")

    class Meta:
        ordering = ["-similarity", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="alike_people_once"),
            models.CheckConstraint(
                condition=models.Q(first__lt=models.F("second")), name="alike_people_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"people {self.first_id} and {self.second_id}"


class AlikeState(models.Model):
    """One row: at which version of the gallery people were compared with each other last."""

    epoch = models.UUIDField(null=True)
    version = models.PositiveBigIntegerField(default=0)
    embedder_id = models.CharField(max_length=60, blank=True)
    compared_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="one_alike_state")]

    def __str__(self) -> str:
        return f"compared at version {self.version}"


class TwiceRight(models.Model):
    """Somebody looked: the person is on this photo more than once, in a mirror or on a picture."""

    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["photo", "person"], name="twice_right_once")]

    def __str__(self) -> str:
        return f"person {self.person_id} on photo {self.photo_id}"


class PeopleImport(models.Model):
    """A list of people that somebody brought in, and what became of each row; it goes after a while. Numbers and reasons, no names."""

    import_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False, help_text="the public id")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    event = models.ForeignKey(
        Event,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="of the portraits",
    )
    rows = models.JSONField(
        default=list,
        help_text="row, outcome, person and message of each, and the names of files that were refused",
    )
    unread = models.JSONField(default=list, blank=True, help_text="columns that mean nothing here")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"import {self.pk}"


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
    # The list that named it last, and the row there.
    imported = models.ForeignKey(
        PeopleImport, null=True, blank=True, on_delete=models.SET_NULL, related_name="enrolments"
    )
    row = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["photo"], condition=models.Q(state="waiting"), name="enrolment_waiting")
        ]
        constraints = [models.UniqueConstraint(fields=["photo", "person"], name="enrolment_once")]

    def __str__(self) -> str:
        return f"photo {self.photo_id} for person {self.person_id}"
