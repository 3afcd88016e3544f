"""Changing the embedder: how far it is, what the report says, and the buttons of an administrator."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from access.roles import MANAGER, User, reach_of
from access.rules import allow
from facevault_site.htmx import SignedInRequest, render_page_or_part
from recognition.active_embedder import NoActiveEmbedder
from recognition.embedders import EmbedderUnknown, WeightsMissing, WeightsRefused, embedders
from recognition.models import Reembedding
from recognition.reembedding import (
    ReembeddingRefused,
    cancel_reembedding,
    check_way_back,
    find_newest,
    find_target,
    start_reembedding,
    try_switch,
)
from recognition.reembedding.background import ask_for
from recognition.reembedding.report import describe_change

Wanted = Reembedding.Wanted


class ChangeForm(forms.Form):
    action = forms.ChoiceField(choices=[(name, name) for name in ("start", "switch", "back", "cancel")])
    to = forms.CharField(required=False, max_length=60)


@allow(MANAGER)
@require_safe
def embedder(request: SignedInRequest) -> HttpResponse:
    """The embedder in use and the change of it; the card asks for itself again while something goes on."""
    require_everywhere(request.user)
    facts = describe_change()
    change = facts["change"]
    context: dict[str, Any] = {
        "facts": facts,
        "change": change,
        "row": find_newest(),  # its times as times
        "going_on": change is not None and (change["working"] or change["wanted"]),
        "changes": request.user.is_superuser,
        "names": _names_to_choose(facts["embedder_id"]) if request.user.is_superuser else [],
        "section": "quality",
    }
    return render_page_or_part(request, "recognition/embedder.html", part="change", context=context)


@allow(MANAGER)
@require_POST
def change_embedder(request: SignedInRequest) -> HttpResponse:
    """What the buttons say; only an administrator changes what every event is compared by."""
    require_everywhere(request.user)
    if not request.user.is_superuser:
        raise PermissionDenied
    form = ChangeForm(request.POST)
    if not form.is_valid():
        messages.warning(request, "Press one of the buttons.")
        return redirect("reembedding")
    try:
        messages.success(request, _act(form.cleaned_data["action"], form.cleaned_data["to"]))
    except (ReembeddingRefused, NoActiveEmbedder) as refused:
        messages.warning(request, str(refused))
    except (EmbedderUnknown, WeightsMissing, WeightsRefused) as error:
        messages.warning(request, f"That embedder cannot be loaded: {error}")
    return redirect("reembedding")


def require_everywhere(user: User) -> None:
    """Its figures count the faces of every event."""
    if not reach_of(user, MANAGER).everywhere:
        raise PermissionDenied


def _act(action: str, name: str) -> str:
    if action == "start":
        row = start_reembedding(find_target(name).embedder_id)
        ask_for(row, Wanted.EMBED)
        return (
            "Begun. A worker embeds the faces behind everything else; nothing is switched before you say so."
        )
    if action == "cancel":
        cancel_reembedding()
        return "Given up. The embedder in use stays."
    row = find_newest() or _nothing()
    to_target = action == "switch"
    if not to_target:
        check_way_back(row)
    if try_switch(row, to_target=to_target):
        return f"Switched: {row.target if to_target else row.source} is the embedder from now on."
    ask_for(row, Wanted.SWITCH if to_target else Wanted.RETURN)
    return "Photos came since: a worker embeds their faces, and switches at once."


def _nothing() -> Reembedding:
    raise ReembeddingRefused("There is no change of the embedder.")


def _names_to_choose(active: str | None) -> list[str]:
    """Kinds of embedders beside the one in use; whether its files are here is seen when one is chosen."""
    return [name for name in embedders.names() if active is None or not active.startswith(name)]
