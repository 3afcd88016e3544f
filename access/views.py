"""Sign in, sign out, change the password: Django's own views behind our rules and templates."""

from django.contrib import messages
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import LoginView, LogoutView, PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse_lazy
from django.views.decorators.http import require_http_methods, require_POST

from access.rules import allow_everyone, allow_signed_in


class _PasswordChange(PasswordChangeView):
    template_name = "access/password_change.html"
    success_url = reverse_lazy("overview")

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        messages.success(self.request, "Your password is changed.")
        return super().form_valid(form)


@allow_everyone
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: HttpRequest) -> HttpResponseBase:
    return LoginView.as_view(template_name="access/login.html", redirect_authenticated_user=True)(request)


@allow_signed_in
@require_POST
def logout(request: HttpRequest) -> HttpResponseBase:
    return LogoutView.as_view()(request)


@allow_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def password_change(request: HttpRequest) -> HttpResponseBase:
    return _PasswordChange.as_view()(request)
