"""Events, photos, faces, embeddings, people, sightings, the queue of unlabeled faces, and the gallery's journal."""

from recognition.models.embeddings import ActiveEmbedder, Embedding
from recognition.models.events import Event
from recognition.models.faces import Face
from recognition.models.gallery import GalleryChange, GalleryState
from recognition.models.people import Person
from recognition.models.photos import Photo
from recognition.models.sightings import Sighting
from recognition.models.unlabeled import UnlabeledFace

__all__ = [
    "ActiveEmbedder",
    "Embedding",
    "Event",
    "Face",
    "GalleryChange",
    "GalleryState",
    "Person",
    "Photo",
    "Sighting",
    "UnlabeledFace",
]
