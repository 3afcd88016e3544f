"""Reads that more than one caller needs, as methods of the models' querysets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Count, Max, Min, Q

from access.roles import sees_everything, sees_own_uploads
from recognition.text import fold

if TYPE_CHECKING:
    from recognition.models import Embedding, Event, Face, Person, Photo, Sighting, UnlabeledFace  # noqa: F401

User = AbstractBaseUser | AnonymousUser


class EventQuerySet(models.QuerySet["Event"]):
    def visible_to(self, user: User) -> Self:
        return self if sees_everything(user) or sees_own_uploads(user) else self.none()


class PhotoQuerySet(models.QuerySet["Photo"]):
    def visible_to(self, user: User) -> Self:
        """Labelers and managers see every photo, an uploader those that they brought."""
        if sees_everything(user):
            return self
        return self.filter(uploaded_by=user.pk) if sees_own_uploads(user) else self.none()


class FaceQuerySet(models.QuerySet["Face"]):
    def visible_to(self, user: User) -> Self:
        if sees_everything(user):
            return self
        return self.filter(photo__uploaded_by=user.pk) if sees_own_uploads(user) else self.none()


class EmbeddingManager(models.Manager["Embedding"]):
    """Lists never load vectors; `with_vectors()` says so where they are wanted."""

    def get_queryset(self) -> models.QuerySet[Embedding]:
        return super().get_queryset().defer("vector")

    def with_vectors(self) -> models.QuerySet[Embedding]:
        return super().get_queryset()

    def gallery(self, embedder_id: str) -> models.QuerySet[Embedding]:
        """The embeddings that may answer a search: of faces that a human verified as references."""
        return self.with_vectors().filter(embedder_id=embedder_id, face__sighting__is_reference=True)


class PersonQuerySet(models.QuerySet["Person"]):
    def visible_to(self, user: User) -> Self:
        return self if sees_everything(user) else self.none()

    def with_visits(self) -> Self:
        """Each person with visit_count (photos they are in), first_seen, last_seen and reference_count."""
        return self.annotate(
            visit_count=Count("sightings__face__photo", distinct=True),
            reference_count=Count("sightings", filter=Q(sightings__is_reference=True)),
            first_seen=Min("sightings__seen_at"),
            last_seen=Max("sightings__seen_at"),
        )

    def matching(self, query: str) -> Self:
        """People of whom every typed word begins a word of the name, an alias or the external id."""
        found = self
        for word in fold(query).split():
            found = found.filter(search_text__contains=" " + word)
        return found

    def named(self, name: str) -> Self:
        """People of exactly this name, case and accents folded."""
        same = fold(name)
        ids = [pk for pk, other in self.matching(name).values_list("pk", "name") if fold(other) == same]
        return self.filter(pk__in=ids)


class SightingQuerySet(models.QuerySet["Sighting"]):
    def visible_to(self, user: User) -> Self:
        return self if sees_everything(user) else self.none()


class UnlabeledFaceQuerySet(models.QuerySet["UnlabeledFace"]):
    def visible_to(self, user: User) -> Self:
        return self if sees_everything(user) else self.none()

    def open(self) -> Self:
        return self.filter(reviewed=False)
