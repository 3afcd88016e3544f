"""All addresses of the site."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("access.urls")),
    path("", include("recognition.urls")),
    path("", include("labeling.urls")),
    path("admin/", admin.site.urls),
]
