"""The cards of the desk as a labeler sees them: which faces a card is about, which of them it shows at first, and what it says."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import QuerySet

from labeling.desk.group_card import read_group_card
from labeling.desk.person_card import read_person_card
from labeling.models import Cluster
from labeling.queue import next_items
from labeling.replay.labeler import ShownCard
from recognition.models import Face, Person


def read_desk_card(user: User) -> ShownCard | None:
    """The card that the desk gives next."""
    items = next_items(user=user)
    if not items:
        return None
    item = items[0]
    if item.kind == "cluster":
        return show_cluster(Cluster.objects.get(pk=item.pk), user)
    if item.kind == "person":
        return _show_list(Person.objects.get(pk=item.pk), user)
    return show_face(Face.objects.select_related("photo").get(pk=item.pk))


def show_cluster(cluster: Cluster, user: User) -> ShownCard:
    card = read_group_card(cluster, user=user)
    return ShownCard(
        faces=list(_open_members(cluster)),
        shown=[shown.face for shown in card.faces],
        cluster=cluster,
        mixed=card.doubtful,
    )


def show_face(face: Face) -> ShownCard:
    return ShownCard(faces=[face], shown=[face])


def _show_list(person: Person, user: User) -> ShownCard:
    """What cannot be chosen on the card cannot be decided there."""
    listed = [one.face for one in read_person_card(person, user=user).faces if not one.blocked]
    return ShownCard(faces=listed, shown=listed, person=person)


def _open_members(cluster: Cluster) -> QuerySet[Face]:
    members = Face.objects.filter(member__cluster=cluster, unlabeled__reviewed=False)
    return members.select_related("photo").order_by("pk")
