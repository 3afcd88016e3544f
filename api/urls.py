"""Addresses of the API, each by a view class whose rule it states."""

from django.urls import URLPattern, path

from api.routing import route
from api.views import decisions, docs, events, exports, faces, people, photos, queue, search, stats

urlpatterns: list[URLPattern] = [
    path("docs/", docs.docs, name="api-docs"),
    path("openapi.json", docs.schema, name="api-schema"),
    route("me/", stats.Me, name="me"),
    route("events/", events.Events, name="events"),
    route("events/<int:event_pk>/", events.OneEvent, name="event"),
    route("events/<int:event_pk>/photos/", photos.EventPhotos, name="event-photos"),
    route("events/<int:event_pk>/retry/", events.RetryEvent, name="event-retry"),
    route("events/<int:event_pk>/photos.zip", exports.EventZip, name="event-zip"),
    route("events/<int:event_pk>/list.csv", exports.EventList, name="event-list"),
    route("photos/", photos.Photos, name="photos"),
    route("photos/<int:photo_pk>/", photos.OnePhoto, name="photo"),
    route("photos/<int:photo_pk>/retry/", photos.RetryPhoto, name="photo-retry"),
    route("photos/<int:photo_pk>/preview.jpg", photos.PhotoPreview, name="photo-preview"),
    route("photos/<int:photo_pk>/thumb.jpg", photos.PhotoThumb, name="photo-thumb"),
    route("photos/<int:photo_pk>/original", photos.PhotoOriginal, name="photo-original"),
    route("faces/", faces.Faces, name="faces"),
    route("faces/<uuid:face_id>/", faces.OneFace, name="face"),
    route("faces/<uuid:face_id>/crop.jpg", faces.FaceCrop, name="face-crop"),
    route("faces/<uuid:face_id>/suggestions/", faces.Suggestions, name="face-suggestions"),
    route("faces/<uuid:face_id>/label/", decisions.LabelFace, name="face-label"),
    route("faces/<uuid:face_id>/reject/", decisions.RejectPerson, name="face-reject"),
    route("faces/<uuid:face_id>/skip/", decisions.SkipFace, name="face-skip"),
    route("faces/<uuid:face_id>/stranger/", decisions.CallStranger, name="face-stranger"),
    route("faces/<uuid:face_id>/not-a-face/", decisions.CallNotAFace, name="face-not-a-face"),
    route("people/", people.People, name="people"),
    route("people/<int:person_pk>/", people.OnePerson, name="person"),
    route("people/<int:person_pk>/photos.zip", exports.PersonZip, name="person-zip"),
    route("people/<int:person_pk>/list.csv", exports.PersonList, name="person-list"),
    route("sightings/", people.Sightings, name="sightings"),
    route("queue/", queue.Queue, name="queue"),
    route("queue/next/", queue.QueueNext, name="queue-next"),
    route("decisions/", decisions.Decisions, name="decisions"),
    route("decisions/<uuid:key>/undo/", decisions.UndoDecision, name="decision-undo"),
    route("search/", search.Searches, name="searches"),
    route("search/<uuid:probe_id>/", search.OneSearch, name="search"),
    route("search/<uuid:probe_id>/faces/<int:number>.jpg", search.SearchCrop, name="search-crop"),
    route("exports/", exports.Exports, name="exports"),
    route("exports/<uuid:export_id>/", exports.OneExport, name="export"),
    route("exports/<uuid:export_id>/file", exports.ExportFile, name="export-file"),
    route("stats/", stats.Stats, name="stats"),
]
