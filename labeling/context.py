"""What the frame around every page shows: counts, the active embedder, how fresh the index is."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from access.roles import LABELER, MANAGER, SEEING, User, any_roles_of, reach_of
from recognition.embedders import EmbedderUnknown
from recognition.embedders.dlib_resnet import EMBEDDER_ID as BUNDLED
from recognition.gallery_index import get_gallery_index
from recognition.models import ActiveEmbedder, Face, UnlabeledFace

_SECTIONS = {
    "overview": "overview",
    "events": "events",
    "event": "events",
    "photo": "events",
    "export-event": "events",
    "exports": "events",
    "export": "events",
    "export-person": "people",
    "label": "label",
    "label-face": "label",
    "decide": "label",
    "decisions": "label",
    "undo": "label",
    "people": "people",
    "person": "people",
    "search": "search",
    "probe": "search",
    "create-person": "people",
    "edit-person": "people",
    "delete-person": "people",
    "help": "help",
    "tokens": "tokens",
    "revoke-token": "tokens",
    "api-docs": "tokens",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    section: str
    sees_events: bool
    sees_people: bool
    labels: bool
    open_faces: int
    faces: int
    embedder_id: str
    reason: str
    index: str

    @property
    def is_bundled(self) -> bool:
        return self.embedder_id == BUNDLED


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor. Lazy: a fragment that draws no frame costs no query; the anonymous get nothing."""
    if not getattr(request, "user", None) or not request.user.is_authenticated:
        return {}
    return {"frame": SimpleLazyObject(lambda: _read_frame(request, request.user))}


def _read_frame(request: HttpRequest, user: User) -> Frame:
    match = request.resolver_match
    active = ActiveEmbedder.objects.first()
    return Frame(
        section=_SECTIONS.get(match.url_name or "", "") if match else "",
        sees_events=bool(any_roles_of(user)),
        sees_people=bool(reach_of(user, *SEEING)),
        labels=bool(reach_of(user, LABELER, MANAGER)),
        open_faces=UnlabeledFace.objects.for_role(user, LABELER, MANAGER).open().count(),
        faces=Face.objects.visible_to(user).count(),
        embedder_id=active.embedder_id if active else "",
        reason=active.reason if active else "",
        index=_index_words() if active else "no index yet",
    )


def _index_words() -> str:
    """Of this process's index. Behind is not wrong: the next search pulls first."""
    try:
        status = get_gallery_index().status()
    except EmbedderUnknown:
        return "no index: unknown embedder"
    if status.fresh:
        return "index fresh"
    return "index not loaded yet" if status.epoch is None else "index catches up at the next search"
