"""What a token may be used for, whatever its account may do besides."""

from typing import Final

READ: Final = "read"
UPLOAD: Final = "upload"
LABEL: Final = "label"
EXPORT: Final = "export"
ADMIN: Final = "admin"
SCOPES: Final = (READ, UPLOAD, LABEL, EXPORT, ADMIN)

SCOPE_TEXT: Final = {
    READ: "events, photos, faces, people, search",
    UPLOAD: "create events and upload photos",
    LABEL: "name faces and other decisions",
    EXPORT: "download photos and lists",
    ADMIN: "change, archive and delete events; rename and merge people",
}
