"""People and sightings over the API."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.roles import LABELER, MANAGER, SEEING
from access.scopes import ADMIN, READ
from api.base import ApiView
from api.errors import ApiProblem
from api.idempotency import decision_key
from api.serializers.common import brief
from api.serializers.decisions import DecisionDetail, show_decision
from api.serializers.people import (
    MergeInput,
    PeopleQuery,
    PersonChange,
    PersonDetail,
    SightingDetail,
    SightingQuery,
)
from labeling.decisions import DecisionConflict, PersonGone
from labeling.people.merging import SamePerson, TogetherOnPhotos, merge_people
from recognition.models import Person, Sighting
from recognition.people.edits import ExternalIdTaken, NameTaken, update_person
from recognition.people.listing import list_people
from recognition.people.loading import load_people


class People(ApiView):
    access = {"GET": (READ, SEEING)}

    @extend_schema(
        operation_id="list_people",
        summary="List people, or find them by name",
        parameters=[PeopleQuery],
        responses=PersonDetail(many=True),
    )
    def get(self, request: Request) -> Response:
        query = self.read_query(PeopleQuery)
        pks = list_people(user=self.user, query=query.get("q", ""), order=query["order"])
        wanted = Person.objects.current()
        if "external_id" in query:
            wanted = wanted.filter(external_id=query["external_id"])
        if "event" in query:
            seen = Sighting.objects.visible_to(self.user).filter(face__photo__event=query["event"])
            wanted = wanted.filter(pk__in=seen.order_by().values("person"))
        if {"external_id", "event"} & set(query):
            chosen = set(wanted.values_list("pk", flat=True))
            pks = [pk for pk in pks if pk in chosen]
        return self.answer_page(pks, lambda page: show_people(list(page), self))


class OnePerson(ApiView):
    access = {"GET": (READ, SEEING), "PATCH": (ADMIN, (LABELER, MANAGER))}

    @extend_schema(operation_id="get_person", summary="One person", responses=PersonDetail)
    def get(self, request: Request, person_pk: int) -> Response:
        return Response(show_people([find_person(self, person_pk).pk], self)[0])

    @extend_schema(
        operation_id="change_person",
        summary="Rename a person, change their other names or external id",
        request=PersonChange,
        responses=PersonDetail,
    )
    def patch(self, request: Request, person_pk: int) -> Response:
        """What is left out stays as it is. For people who are at no other events than those where you label.

        409 `name_taken`: send it with `shared`, if they are two people. 409 `external_id_taken`: it belongs to one alone.
        """
        person = find_person(self, person_pk)
        if not Person.objects.editable_by(self.user).filter(pk=person.pk).exists():
            raise PermissionDenied
        data = self.read_body(PersonChange, partial=True)
        fields = {"name": person.name, "external_id": person.external_id, "aliases": person.aliases, **data}
        try:
            update_person(person=person, **fields)
        except NameTaken as taken:
            others = Person.objects.visible_to(self.user).filter(pk__in=[other.pk for other in taken.people])
            raise ApiProblem(
                409,
                "name_taken",
                "Somebody else has this name. Choose another one, or send shared=true if they are two people.",
                people=[brief(other) for other in others],
            ) from taken
        except ExternalIdTaken as taken:
            raise ApiProblem(
                409, "external_id_taken", "This external id belongs to somebody else. Check it."
            ) from taken
        return Response(show_people([person.pk], self)[0])


class MergePerson(ApiView):
    access = {"POST": (ADMIN, (LABELER, MANAGER))}

    @extend_schema(
        operation_id="merge_people",
        summary="Merge another person into this one",
        request=MergeInput,
        responses={200: DecisionDetail},
    )
    def post(self, request: Request, person_pk: int) -> Response:
        """Faces, other names and, where this person has none, the external id of `other` become this person's. Undo it by
        the decision's `key`. For people who are at no other events than those where you label.

        409 `together`: both are on `photos` photos; send `together` if they are one person all the same. 409 `conflict`: one
        of them was merged or decided about in this moment. Of an id that was merged earlier there is nothing: 404.
        """
        keep = find_person(self, person_pk)
        self._require_editable(keep)
        data = self.read_body(MergeInput)
        other = find_person(self, data["other"])
        self._require_editable(other)
        try:
            decision = merge_people(
                keep=keep,
                other=other,
                actor=self.user,
                key=decision_key(request._request),
                together=data["together"],
            )
        except SamePerson as error:
            raise ApiProblem(422, "same_person", "Send the id of somebody else as `other`.") from error
        except TogetherOnPhotos as error:
            raise ApiProblem(
                409,
                "together",
                "They are together on photos, as two people would be. Send together=true if they are one.",
                photos=error.count,
            ) from error
        except (PersonGone, DecisionConflict) as error:
            raise ApiProblem(
                409, "conflict", "One of the two changed in this moment; nothing was written. Look again."
            ) from error
        return Response(DecisionDetail(show_decision(decision, self.user)).data)

    def _require_editable(self, person: Person) -> None:
        if not Person.objects.editable_by(self.user).filter(pk=person.pk).exists():
            raise PermissionDenied


class Sightings(ApiView):
    access = {"GET": (READ, SEEING)}

    @extend_schema(
        operation_id="list_sightings",
        summary="List sightings, newest first",
        parameters=[SightingQuery],
        responses=SightingDetail(many=True),
    )
    def get(self, request: Request) -> Response:
        query = self.read_query(SightingQuery)
        lookups = {
            "event": "face__photo__event",
            "photo": "face__photo",
            "person": "person",
            "decided_by": "decided_by",
            "seen_from": "seen_at__gte",
            "seen_to": "seen_at__lt",
        }
        rows = Sighting.objects.visible_to(self.user).select_related("face__photo", "person").order_by("-pk")
        return self.answer_page(
            rows.filter(**{lookups[name]: value for name, value in query.items()}),
            lambda sightings: SightingDetail(sightings, many=True).data,
        )


def find_person(view: ApiView, person_pk: int) -> Person:
    return get_object_or_404(Person.objects.visible_to(view.user), pk=person_pk)


def show_people(pks: list[int], view: ApiView) -> Any:
    return PersonDetail(load_people(pks, user=view.user), many=True).data
