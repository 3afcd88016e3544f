"""What a page says after a decision, with its undo at hand."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from labeling.decisions import UndoRefused
from labeling.models import Decision
from labeling.words import long_words


def say_done(request: HttpRequest, words: str, *, decision: Decision, person_pk: int) -> None:
    """The button belongs to the form `undo` of the page that shows the message."""
    messages.success(
        request,
        format_html(
            '{} <button type="submit" class="link" form="undo" formaction="{}" data-hotkey="u" '
            'aria-keyshortcuts="u">Undo</button> <kbd>u</kbd>',
            words,
            reverse("undo-on-person", args=[person_pk, decision.key]),
        ),
    )


def say_answered(request: HttpRequest, words: str, *, undo: str) -> None:
    """Of an answer that is no decision about faces: the page that shows the message takes it back."""
    messages.success(
        request,
        format_html(
            '{} <button type="submit" class="link" form="undo" name="undo" value="{}" data-hotkey="u" '
            'aria-keyshortcuts="u">Undo</button> <kbd>u</kbd>',
            words,
            undo,
        ),
    )


def say_undo_later(request: HttpRequest, words: str) -> None:
    """For several decisions, or on a page that knows no undo: the list of decisions has it."""
    link = reverse("decisions") + "?who=mine"
    messages.success(request, format_html('{} <a href="{}">Undo under Decisions</a>', words, link))


def refusal_words(refused: UndoRefused) -> str:
    """Why an undo or a redo cannot be, and by whose decision."""
    return f"{refused} {long_words(refused.later)}." if refused.later else str(refused)


def count_faces(number: int) -> str:
    return f"{number:,} face{'' if number == 1 else 's'}"
