"""Where the file of a video is: in place, where a command found it, or our copy of an upload."""

from __future__ import annotations

from pathlib import Path

from recognition.models import Video
from recognition.storage import video_path


def file_of(video: Video) -> Path:
    return Path(video.source) if video.source else video_path(video.sha256)


def remove_unused_copy(sha256: str) -> None:
    """Delete the uploaded copy unless another event's video needs it. Belongs into a transaction with the gallery's lock."""
    if not Video.objects.filter(sha256=sha256, source="").exists():
        video_path(sha256).unlink(missing_ok=True)
