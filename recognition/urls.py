"""Addresses of events, photos, people and their pictures."""

from django.urls import path

from recognition.views import events, health, media, overview, people, photos, uploads

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("events/", events.events, name="events"),
    path("events/<int:event_pk>/", events.event, name="event"),
    path("events/<int:event_pk>/progress/", events.progress, name="event-progress"),
    path("events/<int:event_pk>/upload/", uploads.upload, name="upload"),
    path("events/<int:event_pk>/retry/", events.retry, name="retry-event"),
    path("photos/<int:photo_pk>/", photos.photo, name="photo"),
    path("photos/<int:photo_pk>/retry/", photos.retry, name="retry-photo"),
    path("photos/<int:photo_pk>/preview.jpg", media.photo_preview, name="photo-preview"),
    path("photos/<int:photo_pk>/thumb.jpg", media.photo_thumb, name="photo-thumb"),
    path("faces/<uuid:face_id>/crop.jpg", media.crop, name="crop"),
    path("people/", people.people, name="people"),
    path("people/<int:person_pk>/", people.person, name="person"),
    path("healthz/", health.healthz, name="healthz"),
]
