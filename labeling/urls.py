"""Addresses of the labeling desk."""

from django.urls import path

from labeling import history, views

urlpatterns = [
    path("label/", views.label, name="label"),
    path("label/people/", history.name_search, name="name-search"),
    path("label/<uuid:face_id>/", views.card, name="label-face"),
    path("label/<uuid:face_id>/decide/", views.decide, name="decide"),
    path("decisions/", history.decisions, name="decisions"),
    path("decisions/<uuid:key>/undo/", history.undo, name="undo"),
]
