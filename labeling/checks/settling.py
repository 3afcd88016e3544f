"""What a decision says of a name that is being checked: whoever confirms or corrects the face has answered."""

from __future__ import annotations

from collections import defaultdict

from django.utils import timezone

from labeling.models import Decision, NameCheck, Rejection
from recognition.models import Face, Person, Sighting, UnlabeledFace

Answer = NameCheck.Answer
_VERDICTS = {
    UnlabeledFace.Verdict.STRANGER: Answer.WRONG,
    UnlabeledFace.Verdict.NOT_A_FACE: Answer.WRONG,
    UnlabeledFace.Verdict.POOR: Answer.UNSURE,
}


def settle_checks(decision: Decision) -> None:
    """Answer the checks of the decision's faces by what people say of those faces now; reopen those of whom an undo left
    nothing said. Inside the transaction of the decision, its undo or its redo."""
    if decision.kind in Decision.POSTPONING:
        return
    checks = list(
        NameCheck.objects.filter(face__decided__decision=decision, face__decided__caused=False).distinct()
    )
    if not checks:
        return
    said = _read_said({check.face_id for check in checks})
    merged = dict(Person.objects.filter(merged_into__isnull=False).values_list("pk", "merged_into"))
    moved = []
    for check in checks:
        answer = said[check.face_id].about(_resolve(check.person_id, merged))
        if answer == Answer.NONE and check.answer == Answer.UNSURE and decision.kind != Decision.Kind.POOR:
            # Somebody was asked and could not tell; no decision said so.
            continue
        if answer != check.answer:
            check.answer = answer
            check.answered_at = timezone.now() if answer != Answer.NONE else None
            check.answered_by = decision.actor if answer != Answer.NONE else None
            moved.append(check)
    NameCheck.objects.bulk_update(moved, ["answer", "answered_at", "answered_by"], batch_size=200)


class _Said:
    """What people say of one face."""

    def __init__(self) -> None:
        self.person: int | None = None
        self.rejected: set[int] = set()
        self.verdict = ""

    def about(self, person: int) -> Answer:
        if self.person is not None:
            return Answer.RIGHT if self.person == person else Answer.WRONG
        if person in self.rejected:
            return Answer.WRONG
        return _VERDICTS.get(UnlabeledFace.Verdict(self.verdict), Answer.NONE)


def _read_said(face_pks: set[int]) -> dict[int, _Said]:
    said: defaultdict[int, _Said] = defaultdict(_Said)
    faces = Face.objects.filter(pk__in=face_pks).order_by()
    humans = Sighting.objects.filter(face__in=faces, decided_by=Sighting.DecidedBy.HUMAN).order_by()
    for face_pk, person_pk in humans.values_list("face_id", "person_id"):
        said[face_pk].person = person_pk
    for face_pk, person_pk in Rejection.objects.filter(face__in=faces).values_list("face_id", "person_id"):
        said[face_pk].rejected.add(person_pk)
    closed = UnlabeledFace.objects.filter(face__in=faces, reviewed=True).order_by()
    for face_pk, verdict in closed.values_list("face_id", "verdict"):
        said[face_pk].verdict = verdict
    return said


def _resolve(person_pk: int, merged: dict[int, int | None]) -> int:
    while (keeper := merged.get(person_pk)) is not None:
        person_pk = keeper
    return person_pk
