"""What a face's card and a group's card have in common: who it may be, whom one key takes, and who else is on the photo."""

from __future__ import annotations

from typing import Protocol

from labeling.suggestions import Suggestion
from recognition.models import Face
from recognition.photos.boxes import DrawnFace, DrawnPhoto

CANDIDATES = 5
# The picture is small here, so its names are larger than on the photo's own page.
TEXT_LINES = 32


class _Asked(Protocol):
    """What a card says itself."""

    @property
    def suggestions(self) -> list[Suggestion]: ...
    @property
    def drawn(self) -> DrawnPhoto | None: ...
    @property
    def hero(self) -> Face | None: ...
    @property
    def barred(self) -> str: ...
    @property
    def beside_words(self) -> str: ...


class Candidates:
    """Mixed into a card. `barred` says why one key may take nobody at all, `beside_words` how a name beside it stands against it."""

    __slots__ = ()

    @property
    def accepted(self: _Asked) -> Suggestion | None:
        """Whom Enter takes. Nobody on a close call: a wrong name costs more than an unknown one."""
        first = self.suggestions[0] if self.suggestions and not self.barred else None
        return first if first is not None and first.acceptable else None

    @property
    def advice(self: _Asked) -> str:
        """Why Enter takes nobody, and what to do instead; empty where it takes somebody."""
        if self.barred:
            return self.barred
        if not self.suggestions:
            return "Nobody to compare with yet. Type a name, or skip."
        first = self.suggestions[0]
        if first.acceptable:
            return ""
        if first.beside and first.word != "unlikely":
            return f"{first.person.name} {self.beside_words}"
        if first.word == "close call":
            return "A close call. Compare the faces, then press a number, or skip."
        return "Nobody known looks like this. Type a name, or skip."

    @property
    def none_of(self: _Asked) -> str:
        """What the button that rejects them all posts; one alone has a button of its own."""
        pks = [str(suggestion.person.pk) for suggestion in self.suggestions if suggestion.beside is None]
        return ",".join(pks) if len(pks) > 1 else ""

    @property
    def named_beside(self: _Asked) -> list[DrawnFace]:
        return [drawn for drawn in _others(self) if drawn.name]

    @property
    def unnamed_beside(self: _Asked) -> int:
        return sum(not drawn.name for drawn in _others(self))

    @property
    def this(self: _Asked) -> DrawnFace | None:
        """The face's own box, drawn even if somebody said that it is no face."""
        if self.drawn is None or self.hero is None:
            return None
        return next((drawn for drawn in self.drawn.faces if drawn.face.pk == self.hero.pk), None)


def _others(card: _Asked) -> list[DrawnFace]:
    boxes = card.drawn.boxes if card.drawn is not None else []
    return [drawn for drawn in boxes if card.hero is None or drawn.face.pk != card.hero.pk]
