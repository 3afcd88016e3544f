"""Take back a wrong name with everything that rests on it: one decision, undone and redone like any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from access.roles import LABELER, MANAGER
from labeling.decisions.caused import reopen_entries
from labeling.decisions.errors import NothingToDecide
from labeling.decisions.names import require_current
from labeling.decisions.resting import find_settled, named_by
from labeling.decisions.snapshots import Snapshot, differs, restore_snapshots, take_snapshots
from labeling.decisions.undo import register_kind
from labeling.decisions.writing import Written, clusters_of, decide, recount_clusters
from labeling.models import DecidedFace, Decision
from recognition.gallery_journal import touch_gallery
from recognition.models import Face, Person, Sighting
from recognition.parts import in_parts

_AT_ONCE = 500


def take_back(
    *,
    face: Face,
    person: Person,
    actor: User,
    also: Sequence[Face] = (),
    versions: Mapping[int, int] | None = None,
    key: UUID | None = None,
) -> Decision:
    """Say that the face is not the person, and put back into the queue what the machine named by it.

    `also` are faces that people named on its ground: they lose the name too, and what the machine named by them, but
    nobody says that they are not the person. The machine may name again what other references vouch for, so the version
    of a face that it alone has named stays. Raises DecisionConflict, PersonGone, and NothingToDecide also where all that
    rests on the face is at events where the actor does not label: it would tell them that there is something.
    """
    rows: list[DecidedFace] = []

    def write() -> Written:
        require_current(person)
        wanted = [face, *also]
        named = Sighting.objects.filter(face__in=[one.pk for one in wanted], person=person)
        unnamed = set(named.values_list("face_id", flat=True))
        named.delete()
        reopen_entries([one for one in wanted if one.pk in unnamed])
        left_out = {one.pk for one in also} - unnamed
        tainted = {one.pk for one in wanted} - left_out
        rows.extend(_take_names(person, tainted))
        if not unnamed and not _labels_any(actor, rows):
            raise NothingToDecide
        return Written(person=person, rejected=[person], refused={face.pk}, left_out=left_out)

    with transaction.atomic():
        decision = decide(
            Decision.Kind.TAKE_BACK,
            faces=[face, *also],
            actor=actor,
            versions=versions,
            key=key,
            write=write,
        )
        _keep(decision, rows)
    return decision


def register_taking_back() -> None:
    """Once, when the apps are ready: whichever process undoes a take-back knows how."""
    register_kind(Decision.Kind.TAKE_BACK, undo=_undo, redo=_redo)


def _take_names(person: Person, tainted: set[int]) -> list[DecidedFace]:
    """Take off the machine's names that stand on these faces being the person. Within the gallery's lock."""
    rows = []
    named = named_by(person_pk=person.pk, face_pks=tainted)
    settled = find_settled([*sorted(tainted), *named], person_pk=person.pk)
    for pks in in_parts([*named, *settled], _AT_ONCE):
        touch_gallery(pks)
        before = take_snapshots(pks)
        Sighting.objects.filter(face__in=pks).delete()
        reopen_entries(list(Face.objects.filter(pk__in=pks)))
        after = take_snapshots(pks)
        recount_clusters(clusters_of(pks))
        rows += [DecidedFace(face_id=pk, before=before[pk], after=after[pk], caused=True) for pk in pks]
    return rows


def _labels_any(actor: User, rows: Sequence[DecidedFace]) -> bool:
    labeled = Face.objects.for_role(actor, LABELER, MANAGER).order_by()
    return any(
        labeled.filter(pk__in=pks).exists() for pks in in_parts([row.face_id for row in rows], _AT_ONCE)
    )


def _keep(decision: Decision, rows: Sequence[DecidedFace]) -> None:
    for row in rows:
        row.decision = decision
    DecidedFace.objects.bulk_create(rows, batch_size=_AT_ONCE)


def _undo(decision: Decision) -> None:
    """Give the machine's names back, but for faces that somebody decided about since."""
    rows = {row.face_id: row for row in DecidedFace.objects.filter(decision=decision, caused=True)}
    for pks in in_parts(list(rows), _AT_ONCE):
        now = take_snapshots(pks)
        back: dict[int, Snapshot] = {
            pk: rows[pk].before for pk in pks if not differs(rows[pk].after or {}, now[pk], grouped=False)
        }
        touch_gallery(list(back))
        restore_snapshots(back, grouped=False)
        recount_clusters(clusters_of(list(back)))


def _redo(decision: Decision) -> None:
    """Find anew what stands on its faces: the machine may have named more by them since the undo."""
    if decision.person is None:
        return
    rows = DecidedFace.objects.filter(decision=decision, caused=False)
    tainted = set(rows.values_list("face_id", flat=True))
    DecidedFace.objects.filter(decision=decision, caused=True).delete()
    _keep(decision, _take_names(decision.person, tainted))
