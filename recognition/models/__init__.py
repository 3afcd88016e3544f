"""Every table of photos, faces, people and what is asked about them, and the gallery's journal."""

from recognition.models.calibrations import Calibration
from recognition.models.embeddings import ActiveEmbedder, Embedding
from recognition.models.events import Event
from recognition.models.exports import Export
from recognition.models.face_imports import FaceImport, ImportedFace, ImportedPerson
from recognition.models.faces import Face
from recognition.models.gallery import GalleryChange, GalleryState
from recognition.models.looks import LookProbe, PhotoLook
from recognition.models.manual_boxes import ManualBox
from recognition.models.named_regions import NamedRegion, RegionReading
from recognition.models.people import Person
from recognition.models.photos import Photo
from recognition.models.probes import Probe, ProbeFace
from recognition.models.quality_reports import QualityPlot, QualityReport
from recognition.models.reembeddings import DisputedFace, Reembedding
from recognition.models.rosters import RosterEntry
from recognition.models.sightings import Sighting
from recognition.models.unlabeled import UnlabeledFace
from recognition.models.videos import Track, Video, VideoFrame

__all__ = [
    "ActiveEmbedder",
    "Calibration",
    "DisputedFace",
    "Embedding",
    "Event",
    "Export",
    "Face",
    "FaceImport",
    "GalleryChange",
    "GalleryState",
    "ImportedFace",
    "ImportedPerson",
    "LookProbe",
    "ManualBox",
    "NamedRegion",
    "Person",
    "Photo",
    "PhotoLook",
    "Probe",
    "ProbeFace",
    "QualityPlot",
    "QualityReport",
    "Reembedding",
    "RegionReading",
    "RosterEntry",
    "Sighting",
    "Track",
    "UnlabeledFace",
    "Video",
    "VideoFrame",
]
