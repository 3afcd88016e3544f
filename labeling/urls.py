"""Addresses of the overview, the labeling desk and what was decided."""

from django.urls import path

from labeling import history, overview, person_views, views

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("label/", views.label, name="label"),
    path("label/people/", history.name_search, name="name-search"),
    path("label/<uuid:face_id>/", views.card, name="label-face"),
    path("label/<uuid:face_id>/decide/", views.decide, name="decide"),
    path("people/<int:person_pk>/faces/", person_views.person_faces, name="decide-person-faces"),
    path("decisions/", history.decisions, name="decisions"),
    path("decisions/<uuid:key>/undo/", history.undo, name="undo"),
]
