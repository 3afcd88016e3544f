"""Videos as pages show them: how far each is, and who appears in it when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.core.paginator import Page, Paginator
from django.db.models import Count
from django.utils import timezone

from access.roles import User
from recognition.models import Event, Sighting, Track, Video
from recognition.photos.boxes import KIND_TEXT, Kind, kind_of, nameless_kind_of
from recognition.videos.words import clock

TRACKS_PER_PAGE = 60
VIDEOS_SHOWN = 50
# Lengths of the time line's drawing.
LINE_WIDTH = 1000
_LEAST_BAR = 6
# After so few frames nobody knows how long the rest takes.
_FRAMES_FOR_ESTIMATE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoCard:
    """One video and how far it is. `left` says how long it still takes, where that is known."""

    video: Video
    found: int
    left: str

    @property
    def is_waiting(self) -> bool:
        return self.video.state in {Video.State.QUEUED, Video.State.PROCESSING}

    @property
    def is_joining(self) -> bool:
        """Every frame was looked at; what is left is to write down who appeared."""
        return self.is_waiting and 0 < self.video.frames_total <= self.video.frames_done

    @property
    def length(self) -> str:
        return clock(self.video.duration_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnTrack:
    """One appearance as a line of the time line; lengths are those of the drawing."""

    track: Track
    kind: Kind
    name: str
    person_pk: int | None
    x: float
    width: float

    @property
    def kind_text(self) -> str:
        return KIND_TEXT[self.kind]

    @property
    def span(self) -> str:
        return describe_span(self.track)


def list_videos(user: User, event: Event) -> list[VideoCard]:
    """The videos of an event that the user sees, the latest first, in two queries."""
    videos = Video.objects.visible_to(user).filter(event=event)
    shown = list(videos.order_by("-pk")[:VIDEOS_SHOWN])
    tracks = Track.objects.filter(video__in=shown).order_by()
    found = dict(tracks.values_list("video").annotate(Count("pk")))
    return [make_card(video, found=found.get(video.pk, 0)) for video in shown]


def make_card(video: Video, *, found: int) -> VideoCard:
    return VideoCard(video=video, found=found, left=estimate_left(video, timezone.now()))


def page_tracks(video: Video, number: str | None) -> Page[Track]:
    """The appearances, the earliest first."""
    tracks = Track.objects.filter(video=video).order_by("first_ms", "pk")
    rows = tracks.select_related("face__photo", "face__sighting__person", "face__unlabeled").defer(
        "face__landmarks", "face__sighting__references", "face__sighting__thresholds"
    )
    return Paginator(rows, TRACKS_PER_PAGE).get_page(number)


def draw_track(track: Track, *, duration_ms: int, names: bool) -> DrawnTrack:
    """Without `names` it tells nobody who it is: only whether the face has a name."""
    face = track.face
    sighting: Sighting | None = getattr(face, "sighting", None) if names else None
    whole = max(duration_ms, track.last_ms, 1)
    x = min(track.first_ms / whole * LINE_WIDTH, LINE_WIDTH - _LEAST_BAR)
    width = max((track.last_ms - track.first_ms) / whole * LINE_WIDTH, _LEAST_BAR)
    return DrawnTrack(
        track=track,
        kind=kind_of(face) if names else nameless_kind_of(face),
        name=sighting.person.name if sighting is not None else "",
        person_pk=sighting.person_id if sighting is not None else None,
        x=round(x, 1),
        width=round(min(width, LINE_WIDTH - x), 1),
    )


def describe_span(track: Track) -> str:
    """ "0:01 to 0:04", or "at 0:01" where both are one."""
    first, last = clock(track.first_ms), clock(track.last_ms)
    return f"at {first}" if first == last else f"{first} to {last}"


def estimate_left(video: Video, now: datetime) -> str:
    """How long it still takes at the pace so far, its pauses included: "about 5 minutes left"; empty where nobody knows."""
    done, total = video.frames_done, video.frames_total
    if video.begun_at is None or done < _FRAMES_FOR_ESTIMATE or done >= total:
        return ""
    seconds = (now - video.begun_at).total_seconds() / done * (total - done)
    if seconds < 60:
        return "less than a minute left"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"about {minutes} minute{'' if minutes == 1 else 's'} left"
    return f"about {round(minutes / 60)} hours left"
