"""The Tokens page: one's own tokens, a new one that is shown once, and revoking. A token itself cannot come here."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from access.forms import TokenForm
from access.models import ApiToken
from access.roles import ROLES
from access.rules import allow
from access.tokens import NewToken, TokenRefused, create_token, revoke_token, tokens_of
from facevault_site.htmx import SignedInRequest


@allow(*ROLES)
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: SignedInRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request, TokenForm())
    form = TokenForm(request.POST)
    if form.is_valid():
        data = form.cleaned_data
        try:
            made = create_token(
                user=request.user, name=data["name"], scopes=data["scopes"], expires_at=data["days"]
            )
        except TokenRefused as refused:
            form.add_error(None, str(refused))
        else:
            # Not redirected: what is shown once must not be kept anywhere, in a session neither.
            return _page(request, TokenForm(), made=made, status=201)
    return _page(request, form, status=422)


@allow(*ROLES)
@require_POST
def revoke(request: SignedInRequest, prefix: str) -> HttpResponse:
    """One's own; an administrator anybody's."""
    token = get_object_or_404(tokens_of(request.user), prefix=prefix)
    revoke_token(token)
    messages.success(request, f"The token “{token.name}” is revoked. From now on it opens nothing.")
    return redirect("tokens")


@sensitive_variables("made")
def _page(
    request: SignedInRequest, form: TokenForm, *, made: NewToken | None = None, status: int = 200
) -> HttpResponse:
    rows: list[ApiToken] = list(tokens_of(request.user).select_related("user"))
    return render(request, "access/tokens.html", {"form": form, "tokens": rows, "made": made}, status=status)
