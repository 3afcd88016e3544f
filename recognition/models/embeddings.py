"""Embedding: the unit vector of a face by one embedder; and which embedder is the active one."""

from django.db import models

from recognition.models.faces import Face
from recognition.querysets import EmbeddingManager


class Embedding(models.Model):
    face = models.ForeignKey(Face, on_delete=models.CASCADE, related_name="embeddings")
    embedder_id = models.CharField(max_length=60)
    vector = models.BinaryField(help_text="raw little-endian float32, unit length")

    objects = EmbeddingManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["face", "embedder_id"], name="embedding_once_per_embedder"),
            models.CheckConstraint(condition=~models.Q(embedder_id=""), name="embedding_names_embedder"),
        ]

    def __str__(self) -> str:
        return f"{self.embedder_id} of face {self.face_id}"


class ActiveEmbedder(models.Model):
    """One row: vectors of any other embedder are refused. Chosen at first start, changed by a command alone."""

    embedder_id = models.CharField(max_length=60)
    reason = models.CharField(max_length=400)
    chosen_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="one_active_embedder")]

    def __str__(self) -> str:
        return self.embedder_id
