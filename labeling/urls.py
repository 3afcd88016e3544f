"""Addresses of the overview, the labeling desk and what was decided."""

from django.urls import path

from labeling import overview
from labeling.views import (
    cards,
    desk,
    differing,
    history,
    merge,
    names,
    opinions,
    people_import,
    people_lists,
    person_faces,
    person_split,
    preferences,
    team,
    verdicts,
)

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("label/", desk.label, name="label"),
    path("label/ahead/", desk.ahead, name="label-ahead"),
    path("label/people/", names.name_search, name="name-search"),
    path("label/group/<int:cluster_pk>/", cards.group, name="label-group"),
    path("label/group/<int:cluster_pk>/decide/", cards.decide_group, name="decide-group"),
    path("label/person/<int:person_pk>/", cards.suggestions, name="label-person"),
    path("label/person/<int:person_pk>/decide/", cards.decide_suggestions, name="decide-suggestions"),
    path("label/<uuid:face_id>/", desk.card, name="label-face"),
    path("label/<uuid:face_id>/decide/", desk.decide, name="decide"),
    path("people/<int:person_pk>/faces/", person_faces.person_faces, name="decide-person-faces"),
    path("people/<int:person_pk>/merge/", merge.merge, name="merge-person"),
    path("people/<int:person_pk>/split/", person_split.split, name="split-person"),
    path("people/<int:person_pk>/undo/<uuid:key>/", merge.undo_on_person, name="undo-on-person"),
    path("people/import/", people_import.new, name="import-people"),
    path("people/import/<uuid:import_id>/", people_import.done, name="people-import"),
    path("people/import/<uuid:import_id>/report.csv", people_import.report, name="people-import-report"),
    path("people/twice/", people_lists.twice, name="twice-on-photo"),
    path("people/may-be-one/", people_lists.may_be_one, name="may-be-one"),
    path("decisions/", history.decisions, name="decisions"),
    path("decisions/<uuid:key>/", history.decision, name="decision"),
    path("decisions/<uuid:key>/undo/", history.undo, name="undo"),
    path("decisions/<uuid:key>/redo/", history.redo, name="redo"),
    path("decisions/<uuid:key>/put-back/", history.take_back, name="take-back"),
    path("events/<int:event_pk>/labelers/", team.event_labelers, name="event-labelers"),
    path(
        "events/<int:event_pk>/labelers/<int:assignment_pk>/remove/", team.unassign, name="unassign-labeler"
    ),
    path("events/<int:event_pk>/review/", team.event_review, name="event-review"),
    path("label/leave/", team.leave_desk, name="leave-desk"),
    path("label/second/", opinions.second_opinion, name="second-opinion"),
    path("label/second/<uuid:face_id>/", opinions.give_opinion, name="give-opinion"),
    path("label/differing/", differing.differing, name="differing-opinions"),
    path("label/differing/<int:opinion_pk>/", differing.settle, name="settle-opinion"),
    path("label/verdicts/", verdicts.verdicts, name="verdicts"),
    path("label/verdicts/back/", verdicts.put_back, name="put-back"),
    path("keys/", preferences.keys, name="keys"),
    path("keys/switch/", preferences.switch, name="switch-keys"),
]
