"""Who may use which address by which method: written down, so that a change of the code alone does not change it."""

from __future__ import annotations

from dataclasses import dataclass

from access.roles import LABELER, MANAGER, ROLES, SEEING, UPLOADER

EVERYONE = frozenset({"everyone"})
ANYONE = frozenset({"anyone signed in"})
ALL = frozenset(ROLES)
SEES = frozenset(SEEING)
LABELS = frozenset({LABELER, MANAGER})
UPLOADS = frozenset({UPLOADER, MANAGER})
MANAGES = frozenset({MANAGER})
PAGE = frozenset({"GET", "HEAD", "POST"})


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Roles by method.

    `everywhere`: methods for which a role in one event is not enough. `personal`: the object is its owner's alone.
    `authored`: others' may be touched by a manager. `administers`: an administrator alone may post.
    """

    get: frozenset[str] | None = None
    post: frozenset[str] | None = None
    patch: frozenset[str] | None = None
    put: frozenset[str] | None = None
    delete: frozenset[str] | None = None
    everywhere: frozenset[str] = frozenset()
    personal: bool = False
    authored: bool = False
    administers: bool = False
    api: bool = False

    def of(self, method: str) -> frozenset[str] | None:
        roles: frozenset[str] | None = getattr(self, "get" if method == "HEAD" else method.lower())
        return roles


TABLE: dict[str, Entry] = {
    "login": Entry(get=EVERYONE, post=EVERYONE),
    "healthz": Entry(get=EVERYONE),
    "readyz": Entry(get=EVERYONE),
    "logout": Entry(post=ANYONE),
    "password-change": Entry(get=ANYONE, post=ANYONE),
    "overview": Entry(get=ANYONE),
    "tokens": Entry(get=ALL, post=ALL),
    "revoke-token": Entry(post=ALL, personal=True),
    "events": Entry(get=ALL, post=UPLOADS, everywhere=frozenset({"POST"})),
    "event": Entry(get=ALL),
    "event-progress": Entry(get=ALL),
    "event-videos": Entry(get=ALL),
    "video": Entry(get=ALL),
    "retry-video": Entry(post=UPLOADS),
    "delete-video": Entry(get=MANAGES, post=MANAGES),
    "event-access": Entry(get=MANAGES, post=MANAGES),
    "event-roster": Entry(get=MANAGES, post=MANAGES),
    "remove-roster": Entry(post=MANAGES),
    "take-role": Entry(post=MANAGES),
    "upload": Entry(get=UPLOADS, post=UPLOADS),
    "retry-event": Entry(post=UPLOADS),
    "photo": Entry(get=ALL),
    "photo-preview": Entry(get=ALL),
    "photo-thumb": Entry(get=ALL),
    "retry-photo": Entry(post=UPLOADS),
    "crop": Entry(get=ALL),
    "people": Entry(get=SEES),
    "person": Entry(get=SEES),
    "help": Entry(get=ANYONE),
    "label": Entry(get=LABELS),
    "label-ahead": Entry(get=LABELS),
    "name-search": Entry(get=LABELS),
    "label-group": Entry(get=LABELS),
    "decide-group": Entry(post=LABELS),
    "label-person": Entry(get=LABELS),
    "decide-suggestions": Entry(post=LABELS),
    "label-face": Entry(get=LABELS),
    "decide": Entry(post=LABELS),
    "decisions": Entry(get=LABELS),
    "leave-desk": Entry(post=LABELS),
    "event-names": Entry(get=LABELS, post=LABELS),
    "names-progress": Entry(get=LABELS),
    "dismiss-name": Entry(post=LABELS),
    "event-labelers": Entry(get=MANAGES, post=MANAGES),
    "unassign-labeler": Entry(post=MANAGES),
    "event-review": Entry(post=MANAGES),
    "second-opinion": Entry(get=LABELS),
    "give-opinion": Entry(get=LABELS, post=LABELS),
    "differing-opinions": Entry(get=LABELS),
    "settle-opinion": Entry(post=LABELS),
    "verdicts": Entry(get=LABELS),
    "put-back": Entry(post=LABELS),
    "ask-about-face": Entry(post=LABELS),
    "face-caused": Entry(get=LABELS, post=LABELS),
    "name-checks": Entry(get=LABELS),
    "name-check": Entry(get=LABELS),
    "answer-check": Entry(post=LABELS),
    "undo-check": Entry(post=LABELS),
    "keys": Entry(get=ANYONE, post=ANYONE),
    "switch-keys": Entry(post=ANYONE),
    "decision": Entry(get=LABELS),
    "undo": Entry(post=LABELS, authored=True),
    "redo": Entry(post=LABELS, authored=True),
    "take-back": Entry(post=LABELS),
    "edit-event": Entry(get=MANAGES, post=MANAGES),
    "archive-event": Entry(post=MANAGES),
    "delete-event": Entry(get=MANAGES, post=MANAGES),
    # Its uploader too, as long as nobody named a face on it; on this one somebody did.
    "delete-photo": Entry(get=MANAGES, post=MANAGES),
    "move-photo": Entry(get=MANAGES, post=MANAGES),
    "add-face": Entry(get=LABELS, post=LABELS),
    "drawn-face": Entry(get=LABELS),
    "retry-drawn-face": Entry(post=LABELS),
    "remove-drawn-face": Entry(post=LABELS),
    "failed": Entry(get=UPLOADS),
    "retry-failed": Entry(post=UPLOADS),
    "create-person": Entry(get=LABELS, post=LABELS, everywhere=PAGE),
    "import-people": Entry(get=MANAGES, post=MANAGES, everywhere=PAGE),
    "people-import": Entry(get=MANAGES, everywhere=PAGE, personal=True),
    "people-import-report": Entry(get=MANAGES, everywhere=PAGE, personal=True),
    "edit-person": Entry(get=LABELS, post=LABELS),
    "delete-person": Entry(get=LABELS, post=LABELS, everywhere=PAGE),
    "decide-person-faces": Entry(post=LABELS),
    "merge-person": Entry(get=LABELS, post=LABELS),
    "split-person": Entry(get=LABELS, post=LABELS),
    "undo-on-person": Entry(post=LABELS, authored=True),
    "twice-on-photo": Entry(get=LABELS, post=LABELS),
    "may-be-one": Entry(get=LABELS, post=LABELS),
    "export-people": Entry(get=MANAGES, post=MANAGES),
    "export-people-csv": Entry(get=MANAGES),
    "export-people-zip": Entry(get=MANAGES),
    "export-event": Entry(get=MANAGES, post=MANAGES),
    "export-event-zip": Entry(get=MANAGES),
    "export-event-csv": Entry(get=MANAGES),
    "export-person": Entry(get=MANAGES, post=MANAGES),
    "export-person-zip": Entry(get=MANAGES),
    "export-person-csv": Entry(get=MANAGES),
    "exports": Entry(get=MANAGES),
    "export": Entry(get=MANAGES, personal=True),
    "export-file": Entry(get=MANAGES, personal=True),
    "delete-export": Entry(post=MANAGES, personal=True),
    "search": Entry(get=SEES, post=SEES),
    "probe": Entry(get=SEES, personal=True),
    "delete-probe": Entry(post=SEES, personal=True),
    "probe-preview": Entry(get=SEES, personal=True),
    "probe-crop": Entry(get=SEES, personal=True),
    "look-search": Entry(get=SEES, post=SEES),
    "look-probe": Entry(get=SEES, personal=True),
    "delete-look-probe": Entry(post=SEES, personal=True),
    "look-probe-preview": Entry(get=SEES, personal=True),
    "photo-looks-like": Entry(get=SEES),
    "face-looks-like": Entry(get=SEES),
    "quality": Entry(get=MANAGES, everywhere=PAGE),
    "measure-quality": Entry(post=MANAGES, everywhere=PAGE),
    "quality-progress": Entry(get=MANAGES, everywhere=PAGE),
    "what-if": Entry(get=MANAGES, everywhere=PAGE),
    "quality-plot": Entry(get=MANAGES, everywhere=PAGE),
    "reembedding": Entry(get=MANAGES, everywhere=PAGE),
    "change-embedder": Entry(post=MANAGES, everywhere=PAGE, administers=True),
    "disputed-faces": Entry(get=LABELS, post=LABELS),
    "api-quality": Entry(get=MANAGES, post=MANAGES, everywhere=PAGE, api=True),
    "api-embedder": Entry(get=MANAGES, everywhere=PAGE, api=True),
    "api-docs": Entry(get=ANYONE),
    "api-schema": Entry(get=ANYONE, api=True),
    "api-me": Entry(get=ANYONE, api=True),
    "api-events": Entry(get=ALL, post=UPLOADS, everywhere=frozenset({"POST"}), api=True),
    "api-event": Entry(get=ALL, patch=MANAGES, delete=MANAGES, api=True),
    "api-event-photos": Entry(get=ALL, post=UPLOADS, api=True),
    "api-event-retry": Entry(post=UPLOADS, api=True),
    "api-event-roster": Entry(get=MANAGES, put=MANAGES, delete=MANAGES, api=True),
    "api-event-zip": Entry(get=MANAGES, api=True),
    "api-event-list": Entry(get=MANAGES, api=True),
    "api-photos": Entry(get=ALL, api=True),
    "api-photo": Entry(get=ALL, patch=MANAGES, delete=MANAGES, api=True),
    "api-photo-retry": Entry(post=UPLOADS, api=True),
    "api-photo-preview": Entry(get=ALL, api=True),
    "api-photo-thumb": Entry(get=ALL, api=True),
    "api-photo-original": Entry(get=MANAGES, api=True),
    "api-drawn-faces": Entry(post=LABELS, api=True),
    "api-drawn-face": Entry(get=LABELS, delete=LABELS, api=True),
    "api-faces": Entry(get=ALL, api=True),
    "api-face": Entry(get=ALL, api=True),
    "api-face-crop": Entry(get=ALL, api=True),
    "api-face-suggestions": Entry(get=LABELS, api=True),
    "api-face-label": Entry(post=LABELS, api=True),
    "api-face-reject": Entry(post=LABELS, api=True),
    "api-face-skip": Entry(post=LABELS, api=True),
    "api-face-stranger": Entry(post=LABELS, api=True),
    "api-face-not-a-face": Entry(post=LABELS, api=True),
    "api-face-ask": Entry(post=LABELS, api=True),
    "api-face-poor": Entry(post=LABELS, api=True),
    "api-face-reopen": Entry(post=LABELS, api=True),
    "api-face-caused": Entry(get=LABELS, post=LABELS, api=True),
    "api-name-checks": Entry(get=LABELS, api=True),
    "api-event-names": Entry(get=LABELS, post=LABELS, api=True),
    "api-people-csv": Entry(get=MANAGES, api=True),
    "api-people-zip": Entry(get=MANAGES, api=True),
    "api-people": Entry(get=SEES, api=True),
    "api-person": Entry(get=SEES, patch=LABELS, api=True),
    "api-person-merge": Entry(post=LABELS, api=True),
    "api-person-zip": Entry(get=MANAGES, api=True),
    "api-person-list": Entry(get=MANAGES, api=True),
    "api-sightings": Entry(get=SEES, api=True),
    "api-queue": Entry(get=LABELS, api=True),
    "api-queue-next": Entry(get=LABELS, api=True),
    "api-decisions": Entry(get=LABELS, post=LABELS, api=True),
    "api-decision": Entry(get=LABELS, api=True),
    "api-decision-redo": Entry(post=LABELS, authored=True, api=True),
    "api-decision-undo": Entry(post=LABELS, authored=True, api=True),
    "api-searches": Entry(get=SEES, post=SEES, api=True),
    "api-search": Entry(get=SEES, delete=SEES, personal=True, api=True),
    "api-search-crop": Entry(get=SEES, personal=True, api=True),
    "api-look-searches": Entry(get=SEES, post=SEES, api=True),
    "api-look-search": Entry(get=SEES, delete=SEES, personal=True, api=True),
    "api-photo-looks-like": Entry(get=SEES, api=True),
    "api-exports": Entry(get=MANAGES, post=MANAGES, api=True),
    "api-export": Entry(get=MANAGES, delete=MANAGES, personal=True, api=True),
    "api-export-file": Entry(get=MANAGES, personal=True, api=True),
    "api-stats": Entry(get=ALL, api=True),
}
