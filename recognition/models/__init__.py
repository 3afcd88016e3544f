"""Events, photos, faces, embeddings, people, sightings, the queue, exports, probes, calibrations, and the gallery's journal."""

from recognition.models.calibrations import Calibration
from recognition.models.embeddings import ActiveEmbedder, Embedding
from recognition.models.events import Event
from recognition.models.exports import Export
from recognition.models.faces import Face
from recognition.models.gallery import GalleryChange, GalleryState
from recognition.models.manual_boxes import ManualBox
from recognition.models.people import Person
from recognition.models.photos import Photo
from recognition.models.probes import Probe, ProbeFace
from recognition.models.quality_reports import QualityPlot, QualityReport
from recognition.models.reembeddings import DisputedFace, Reembedding
from recognition.models.rosters import RosterEntry
from recognition.models.sightings import Sighting
from recognition.models.unlabeled import UnlabeledFace

__all__ = [
    "ActiveEmbedder",
    "Calibration",
    "DisputedFace",
    "Embedding",
    "Event",
    "Export",
    "Face",
    "GalleryChange",
    "GalleryState",
    "ManualBox",
    "Person",
    "Photo",
    "Probe",
    "ProbeFace",
    "QualityPlot",
    "QualityReport",
    "Reembedding",
    "RosterEntry",
    "Sighting",
    "UnlabeledFace",
]
