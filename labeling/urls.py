"""Addresses of the overview, the labeling desk and what was decided."""

from django.urls import path

from labeling import overview
from labeling.views import desk, history, person_faces

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("label/", desk.label, name="label"),
    path("label/people/", history.name_search, name="name-search"),
    path("label/<uuid:face_id>/", desk.card, name="label-face"),
    path("label/<uuid:face_id>/decide/", desk.decide, name="decide"),
    path("people/<int:person_pk>/faces/", person_faces.person_faces, name="decide-person-faces"),
    path("decisions/", history.decisions, name="decisions"),
    path("decisions/<uuid:key>/undo/", history.undo, name="undo"),
]
