"""Reads that more than one caller needs, as methods of the models' querysets. Who may see what is decided here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Count, Exists, Max, Min, OuterRef, Q
from django.utils import timezone

from access.roles import LABELER, MANAGER, ROLES, SEEING, UPLOADER, reach_of
from recognition.text import fold

if TYPE_CHECKING:
    from recognition.models import (  # noqa: F401
        Embedding,
        Event,
        Export,
        Face,
        LookProbe,
        Person,
        Photo,
        Probe,
        Sighting,
        UnlabeledFace,
        Video,
    )

User = AbstractBaseUser | AnonymousUser


def _seen_through(user: User, photo: str) -> Q:
    """That the photo at the lookup `photo` is the user's to see: of an event they see, or brought by them as an uploader."""
    prefix = f"{photo}__" if photo else ""
    seeing, uploading = reach_of(user, *SEEING), reach_of(user, UPLOADER)
    condition = seeing.within(f"{prefix}event")
    if uploading and not seeing.everywhere:
        condition |= Q(**{f"{prefix}uploaded_by": user.pk}) & uploading.within(f"{prefix}event")
    return condition & _still_there(user, f"{prefix}event")


def _still_there(user: User, event: str) -> Q:
    """That the event at the lookup is not being deleted."""
    doomed = doomed_events(user)
    return ~Q(**{f"{event}__in": doomed}) if doomed else Q()


def doomed_events(user: User) -> frozenset[int]:
    """The few events that are being deleted, asked for once per request: a join in every count took longer than the count."""
    from recognition.models import Event

    doomed: frozenset[int] | None = getattr(user, "_facevault_doomed", None)
    if doomed is None:
        rows = Event.objects.filter(deleted_at__isnull=False).order_by().values_list("pk", flat=True)
        doomed = frozenset(rows)
        user._facevault_doomed = doomed  # type: ignore[union-attr]
    return doomed


class EventQuerySet(models.QuerySet["Event"]):
    def visible_to(self, user: User) -> Self:
        """Events in which the user has any role, without those that are being deleted."""
        return self.filter(reach_of(user, *ROLES).within("pk"), deleted_at=None)

    def for_role(self, user: User, *roles: str) -> Self:
        """Events in which the user has one of these roles."""
        return self.visible_to(user).filter(reach_of(user, *roles).within("pk"))

    def current(self) -> Self:
        return self.filter(archived_at=None)


class PhotoQuerySet(models.QuerySet["Photo"]):
    def visible_to(self, user: User) -> Self:
        """Every photo of the events that the user sees; of the others those that they brought as an uploader."""
        return self.filter(_seen_through(user, ""))

    def for_role(self, user: User, *roles: str) -> Self:
        return self.visible_to(user).filter(reach_of(user, *roles).within("event"))


class FaceQuerySet(models.QuerySet["Face"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(_seen_through(user, "photo"))

    def for_role(self, user: User, *roles: str) -> Self:
        """Faces of events in which the user has one of these roles; to decide about a face takes a labeler."""
        return self.visible_to(user).filter(reach_of(user, *roles).within("photo__event"))


class EmbeddingManager(models.Manager["Embedding"]):
    """Lists never load vectors; `with_vectors()` says so where they are wanted."""

    def get_queryset(self) -> models.QuerySet[Embedding]:
        return super().get_queryset().defer("vector")

    def with_vectors(self) -> models.QuerySet[Embedding]:
        return super().get_queryset()

    def made_here(self) -> models.QuerySet[Embedding]:
        """Without vectors that came from outside: no net of this installation can make them again."""
        return self.get_queryset().exclude(embedder_id__startswith="imported-")

    def gallery(self, embedder_id: str) -> models.QuerySet[Embedding]:
        """The embeddings that may answer a search: of faces that a human verified as references."""
        return self.with_vectors().filter(embedder_id=embedder_id, face__sighting__is_reference=True)


class PersonQuerySet(models.QuerySet["Person"]):
    def visible_to(self, user: User) -> Self:
        """People with a face at an event that the user sees; whoever sees all events also sees people without faces."""
        seeing = reach_of(user, *SEEING)
        if seeing.everywhere:
            return self.current()
        if not seeing:
            return self.none()
        from recognition.models import Sighting

        seen = Sighting.objects.visible_to(user).filter(person=OuterRef("pk")).order_by()
        return self.current().filter(Exists(seen))

    def current(self) -> Self:
        """Without those that were merged into somebody else, or came and went with a decision: their rows wait for an undo or redo."""
        return self.filter(merged_into=None, hidden_at=None)

    def editable_by(self, user: User) -> Self:
        """People whom the user may rename: seen at no other events than those where they label."""
        labeling = reach_of(user, LABELER, MANAGER)
        if labeling.everywhere:
            return self.current()
        from recognition.models import Sighting

        elsewhere = Sighting.objects.exclude(labeling.within("face__photo__event"))
        return self.visible_to(user).exclude(Exists(elsewhere.filter(person=OuterRef("pk")).order_by()))

    def with_visits(self, user: User) -> Self:
        """Each person with visit_count (photos they are in), reference_count, first_seen and last_seen.

        Only what the user sees is counted: how often somebody was elsewhere is not theirs to know.
        """
        seeing = reach_of(user, *SEEING)
        seen = seeing.within("sightings__face__photo__event")
        condition = None if seeing.everywhere else seen
        return self.annotate(
            visit_count=Count("sightings__face__photo", distinct=True, filter=condition),
            reference_count=Count("sightings", filter=Q(sightings__is_reference=True) & seen),
            first_seen=Min("sightings__seen_at", filter=condition),
            last_seen=Max("sightings__seen_at", filter=condition),
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
        ids = [
            pk for pk, other in self.current().matching(name).values_list("pk", "name") if fold(other) == same
        ]
        return self.filter(pk__in=ids)


class SightingQuerySet(models.QuerySet["Sighting"]):
    def visible_to(self, user: User) -> Self:
        """Who is on the photos of the events that the user sees; an uploader's own photos do not tell names."""
        return self.for_role(user, *SEEING)

    def for_role(self, user: User, *roles: str) -> Self:
        event = "face__photo__event"
        return self.filter(reach_of(user, *roles).within(event) & _still_there(user, event))


class UnlabeledFaceQuerySet(models.QuerySet["UnlabeledFace"]):
    def visible_to(self, user: User) -> Self:
        return self.for_role(user, *SEEING)

    def for_role(self, user: User, *roles: str) -> Self:
        """Entries of events in which the user has one of these roles; the queue is for labelers."""
        event = "face__photo__event"
        return self.filter(reach_of(user, *roles).within(event) & _still_there(user, event))

    def open(self) -> Self:
        return self.filter(reviewed=False)


class ExportQuerySet(models.QuerySet["Export"]):
    def visible_to(self, user: User) -> Self:
        """One's own, until they expire, of what one still manages; a link that was passed on opens nothing."""
        mine = self.filter(user=user.pk, expires_at__gt=timezone.now())
        managing = reach_of(user, MANAGER)
        if managing.everywhere:
            return mine
        from recognition.models import Person

        # Their names are on it, and somebody may have got another one since.
        people = Person.objects.visible_to(user).order_by().values("pk")
        return mine.filter(Q(event=None) | managing.within("event"), Q(person=None) | Q(person__in=people))


class ProbeQuerySet(models.QuerySet["Probe"]):
    def visible_to(self, user: User) -> Self:
        """One's own, until they expire."""
        return self.filter(user=user.pk, expires_at__gt=timezone.now())


class LookProbeQuerySet(models.QuerySet["LookProbe"]):
    def visible_to(self, user: User) -> Self:
        """One's own, until they expire."""
        return self.filter(user=user.pk, expires_at__gt=timezone.now())


class VideoQuerySet(models.QuerySet["Video"]):
    def visible_to(self, user: User) -> Self:
        """As with photos: those of the events that the user sees, and of the others what they brought as an uploader."""
        return self.filter(_seen_through(user, ""))
