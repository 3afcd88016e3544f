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


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Roles by method.

    `everywhere`: methods for which a role in one event is not enough. `personal`: the object is its owner's alone.
    `authored`: others' may be touched by a manager.
    """

    get: frozenset[str] | None = None
    post: frozenset[str] | None = None
    patch: frozenset[str] | None = None
    put: frozenset[str] | None = None
    delete: frozenset[str] | None = None
    everywhere: frozenset[str] = frozenset()
    personal: bool = False
    authored: bool = False
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
    "token-revoke": Entry(post=ALL, personal=True),
    "events": Entry(get=ALL, post=UPLOADS, everywhere=frozenset({"POST"})),
    "event": Entry(get=ALL),
    "event-progress": Entry(get=ALL),
    "event-access": Entry(get=MANAGES, post=MANAGES),
    "event-access-take": Entry(post=MANAGES),
    "upload": Entry(get=UPLOADS, post=UPLOADS),
    "retry-event": Entry(post=UPLOADS),
    "photo": Entry(get=ALL),
    "photo-preview": Entry(get=ALL),
    "photo-thumb": Entry(get=ALL),
    "retry-photo": Entry(post=UPLOADS),
    "crop": Entry(get=ALL),
    "people": Entry(get=SEES),
    "person": Entry(get=SEES),
    "person-new": Entry(get=LABELS, post=LABELS, everywhere=frozenset({"GET", "POST"})),
    "person-edit": Entry(get=LABELS, post=LABELS),
    "person-delete": Entry(get=LABELS, post=LABELS, everywhere=frozenset({"GET", "POST"})),
    "person-faces": Entry(post=LABELS),
    "help": Entry(get=ANYONE),
    "label": Entry(get=LABELS),
    "name-search": Entry(get=LABELS),
    "label-face": Entry(get=LABELS),
    "decide": Entry(post=LABELS),
    "decisions": Entry(get=LABELS),
    "undo": Entry(post=LABELS, authored=True),
}
