"""Addresses for signing in and out, and for tokens."""

from django.urls import path

from access import token_views, views

urlpatterns = [
    path("login/", views.login, name="login"),
    path("logout/", views.logout, name="logout"),
    path("password/", views.password_change, name="password-change"),
    path("tokens/", token_views.tokens, name="tokens"),
    path("tokens/<slug:prefix>/revoke/", token_views.revoke, name="revoke-token"),
]
