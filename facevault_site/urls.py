"""All addresses of the site."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from facevault_site.help import help_page

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("access.urls")),
    path("", include("recognition.urls")),
    path("", include("labeling.urls")),
    path("help/", help_page, name="help"),
    path("api/v1/", include("api.urls")),
    path("admin/", admin.site.urls),
]
handler400 = "facevault_site.errors.bad_request"
handler403 = "facevault_site.errors.permission_denied"
handler404 = "facevault_site.errors.page_not_found"
handler500 = "facevault_site.errors.server_error"
