"""Which faces an embedder has not embedded yet: the rows themselves say how far a change has come."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q, QuerySet

from recognition.models import Embedding, Face, Photo
from recognition.quality import NOT_MEASURED

# Faces that came without pixels: drawn on a stand-in, and nothing was measured of them.
SILHOUETTE = Q(photo__origin=Photo.Origin.STAND_IN, sharpness=NOT_MEASURED)


def missing_faces(embedder_id: str, *, failed: Collection[int] = ()) -> QuerySet[Face]:
    """Faces without an embedding by it, but for those of photos that could not be read, and of events that are being
    deleted; and but for silhouettes, which have nothing to embed."""
    there = Embedding.objects.filter(face=OuterRef("pk"), embedder_id=embedder_id).order_by()
    faces = Face.objects.filter(~Exists(there), photo__event__deleted_at=None).exclude(SILHOUETTE)
    return faces.exclude(photo__in=failed) if failed else faces


def photos_with_missing(embedder_id: str, *, after: int = 0, failed: Collection[int] = ()) -> QuerySet[Photo]:
    """The photos of those faces, the oldest first."""
    faces = missing_faces(embedder_id).filter(photo=OuterRef("pk")).order_by()
    photos = Photo.objects.filter(Exists(faces), pk__gt=after, event__deleted_at=None)
    return (photos.exclude(pk__in=failed) if failed else photos).order_by("pk")


def count_embedded(embedder_id: str) -> tuple[int, int]:
    """Faces that it has embedded, and all that it should."""
    there = Face.objects.filter(photo__event__deleted_at=None).exclude(SILHOUETTE)
    return there.filter(embeddings__embedder_id=embedder_id).count(), there.count()
