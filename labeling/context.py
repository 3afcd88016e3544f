"""What the frame around every page shows: counts, the active embedder, how fresh the index is."""

import json
from typing import TYPE_CHECKING, Any, cast

from django.http import HttpRequest
from django.utils.functional import cached_property

from access.roles import LABELER, MANAGER, SEEING, User, any_roles_of, reach_of
from labeling.models import Preferences
from labeling.team.keys import own_keys, read_preferences
from recognition.embedders import EmbedderUnknown
from recognition.embedders.dlib_resnet import EMBEDDER_ID as BUNDLED
from recognition.gallery_index import get_gallery_index
from recognition.models import ActiveEmbedder, Face, UnlabeledFace

if TYPE_CHECKING:
    from django.contrib.auth.models import User as Account

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
    "label-group": "label",
    "label-person": "label",
    "decide-group": "label",
    "decide-suggestions": "label",
    "decide": "label",
    "decisions": "label",
    "decision": "label",
    "undo": "label",
    "people": "people",
    "person": "people",
    "search": "search",
    "probe": "search",
    "look-search": "search",
    "look-probe": "search",
    "photo-looks-like": "search",
    "face-looks-like": "search",
    "create-person": "people",
    "import-people": "people",
    "people-import": "people",
    "edit-person": "people",
    "delete-person": "people",
    "merge-person": "people",
    "split-person": "people",
    "twice-on-photo": "people",
    "may-be-one": "people",
    "quality": "quality",
    "help": "help",
    "keys": "help",
    "switch-keys": "help",
    "tokens": "tokens",
    "revoke-token": "tokens",
    "api-docs": "tokens",
}


class Frame:
    """Reads what is drawn and nothing else: the desk's answers draw little of it."""

    def __init__(self, request: HttpRequest, user: User) -> None:
        self._match = request.resolver_match
        self._user = user

    @property
    def section(self) -> str:
        return _SECTIONS.get(self._match.url_name or "", "") if self._match else ""

    @property
    def sees_events(self) -> bool:
        return bool(any_roles_of(self._user))

    @property
    def sees_people(self) -> bool:
        return bool(reach_of(self._user, *SEEING))

    @property
    def labels(self) -> bool:
        return bool(reach_of(self._user, LABELER, MANAGER))

    @property
    def manages_everything(self) -> bool:
        return reach_of(self._user, MANAGER).everywhere

    @cached_property
    def open_faces(self) -> int:
        return UnlabeledFace.objects.for_role(self._user, LABELER, MANAGER).open().count()

    @cached_property
    def faces(self) -> int:
        return Face.objects.visible_to(self._user).count()

    @property
    def embedder_id(self) -> str:
        return self._active.embedder_id if self._active else ""

    @property
    def reason(self) -> str:
        return self._active.reason if self._active else ""

    @property
    def is_bundled(self) -> bool:
        return self.embedder_id == BUNDLED

    @cached_property
    def index(self) -> str:
        return _index_words() if self._active else "no index yet"

    @property
    def keys(self) -> dict[str, str]:
        """Own key by usual key."""
        return own_keys(self._preferences)

    @property
    def own_keys(self) -> str:
        """For the script; empty where the account has the usual ones."""
        return json.dumps(self.keys) if self.keys else ""

    @property
    def single_keys(self) -> bool:
        return self._preferences.single_keys

    @cached_property
    def _active(self) -> ActiveEmbedder | None:
        return ActiveEmbedder.objects.first()

    @cached_property
    def _preferences(self) -> Preferences:
        return read_preferences(cast("Account", self._user))


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor. A fragment that draws no frame costs no query; the anonymous get nothing."""
    if not getattr(request, "user", None) or not request.user.is_authenticated:
        return {}
    return {"frame": Frame(request, request.user)}


def _index_words() -> str:
    """Of this process's index. Behind is not wrong: the next search pulls first."""
    try:
        status = get_gallery_index().status()
    except EmbedderUnknown:
        return "no index: unknown embedder"
    if status.fresh:
        return "index fresh"
    return "index not loaded yet" if status.epoch is None else "index catches up at the next search"
