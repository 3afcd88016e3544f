"""FaceImport: faces that another program found, and how that program called them, so that they can go back as they came."""

from __future__ import annotations

from django.db import models

from recognition.models.events import Event
from recognition.models.faces import Face
from recognition.models.people import Person


class FaceImport(models.Model):
    class Kind(models.TextChoices):
        EMBEDDING_FILES = "embedding_files", "embedding files"
        FACEDB = "facedb", "FaceDatabaseFAISS store"

    kind = models.CharField(max_length=20, choices=Kind)
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="face_imports")
    fingerprint = models.CharField(
        max_length=64, help_text="sha256 over the sums of the files that were read"
    )
    embedder_id = models.CharField(
        max_length=60, help_text="of the vectors that came along; empty without any"
    )
    faces_total = models.PositiveBigIntegerField(default=0)
    faces_done = models.PositiveBigIntegerField(default=0)
    details = models.JSONField(
        default=dict, blank=True, help_text="what the other program keeps beside faces"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["event", "fingerprint"], name="face_import_once_per_event")
        ]

    def __str__(self) -> str:
        return f"import {self.pk}"


class ImportedFace(models.Model):
    """One face under the other program's name for it. `row` is its place in the files, from 0."""

    face_import = models.ForeignKey(FaceImport, on_delete=models.CASCADE, related_name="imported_faces")
    face = models.OneToOneField(Face, on_delete=models.CASCADE, related_name="imported")
    row = models.PositiveBigIntegerField()
    external_id = models.CharField(max_length=200)
    details = models.JSONField(default=dict, blank=True, help_text="its columns as they were written")

    class Meta:
        ordering = ["face_import", "row"]
        constraints = [
            models.UniqueConstraint(fields=["face_import", "row"], name="imported_face_row_once"),
            models.UniqueConstraint(fields=["face_import", "external_id"], name="imported_face_id_once"),
        ]

    def __str__(self) -> str:
        return f"row {self.row} of import {self.face_import_id}"


class ImportedPerson(models.Model):
    """A person under the other program's number."""

    face_import = models.ForeignKey(FaceImport, on_delete=models.CASCADE, related_name="imported_people")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="imported")
    external_id = models.CharField(max_length=200)
    details = models.JSONField(default=dict, blank=True, help_text="its columns as they were written")

    class Meta:
        ordering = ["face_import", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["face_import", "external_id"], name="imported_person_once")
        ]

    def __str__(self) -> str:
        return f"person {self.person_id} of import {self.face_import_id}"
