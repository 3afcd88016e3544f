"""Numbers tell, too: whatever happens at an event that is not one's own, every page says the same as before."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from access.models import EventGrant
from access.roles import LABELER, MANAGER, UPLOADER, VIEWER
from access.scopes import SCOPES
from access.tokens import create_token
from labeling.decisions import record_verdicts
from labeling.models import DecidedFace, Decision, Look, NameCheck
from labeling.team.leases import take_lease
from recognition.gallery_index import get_gallery_index
from recognition.looks.descriptor import LOOK
from recognition.models import (
    DisputedFace,
    NamedRegion,
    Person,
    PhotoLook,
    Reembedding,
    RegionReading,
    RosterEntry,
    Sighting,
    Track,
    Video,
)
from recognition.vectors import decode_vector
from tests.access.addresses import ALL
from tests.access.attacking import read_body
from tests.access.table import TABLE
from tests.access.world import Side, make_side
from tests.conftest import make_user
from tests.factories import (
    EMBEDDER_ID,
    activate_embedder,
    label_face,
    make_embedding,
    make_face,
    make_person,
    make_photo,
    make_reference,
    make_unlabeled,
    unit_vectors,
)
from tests.recognition.looks.sample import make_look

pytestmark = pytest.mark.django_db
# The gallery's version is for monitoring, and counts decisions of nobody in particular.
_PUBLIC = {"healthz", "readyz", "login"}
# What differs between two answers in any case.
_CHANGING = re.compile(
    r'name="csrfmiddlewaretoken" value="[^"]*"|name="key" value="[^"]*"|x-csrftoken[^}]*'
    r"|just now|\d+ (s|min|h) ago|built in [\d.]+ s|[\d.]+ ms|\"last_used_at\":\"[^\"]*\""
)


def look_at_everything(user: User, bearer: dict[str, str], side: Side) -> dict[str, str]:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    found = {}
    for address in ALL:
        if TABLE[address.name].get is None or address.name in _PUBLIC:
            continue
        side.write_files()
        who = Client(headers=bearer) if TABLE[address.name].api else client
        answer = who.get(address.path(side))
        body = read_body(answer)
        text = _CHANGING.sub("", body.decode("utf-8", "replace"))
        # A ZIP holds the time at which it was made.
        found[address.name] = f"{answer.status_code} {len(body) if body[:2] == b'PK' else text}"
    # The addresses above ask about a face that has no name.
    for asked, path in ((client, "/faces"), (Client(headers=bearer), "/api/v1/faces")):
        answer = asked.get(f"{path}/{side.named.face_id}/caused/")
        found[path] = f"{answer.status_code} {_CHANGING.sub('', answer.text)}"
    return found


def work_on_list(person: Person, side: Side, actor: User) -> None:
    """Somebody whom both events know has a list at that one, which is open on a desk there, and was asked about."""
    EventGrant.objects.create(user=actor, event=side.event, role="labeler")
    faces = [make_unlabeled(photo=make_photo(side.event)).face for _ in range(2)]
    for face in faces:
        Look.objects.create(face=face, person=person, similarity=0.8, margin=0.3, verdict="suggest")
    record_verdicts(faces=faces, kind="ask", actor=actor, person=person)
    take_lease(user=actor, card=f"person-{person.pk}")


def name_there(side: Side, mine: Side, actor: User) -> None:
    """Names of the machine that stand on a face of one's own event, checked, disputed and corrected at that one."""
    now, faces = timezone.now(), [make_face(make_photo(side.event)) for _ in range(4)]
    for face, answer in zip(faces, ("", "right", "wrong", ""), strict=True):
        Sighting.objects.create(
            face=face,
            person=mine.person,
            decided_by="machine",
            similarity=0.9,
            references=[mine.named.pk],
            seen_at=now,
        )
        NameCheck.objects.create(
            face=face,
            person=mine.person,
            similarity=0.9,
            embedder_id=EMBEDDER_ID,
            named_at=now,
            answer=answer,
            answered_at=now if answer else None,
        )
    decision = Decision.objects.create(kind="label", actor=actor, face=faces[0], person=mine.person)
    machine = {"sighting": {"person_id": mine.person.pk, "decided_by": "machine", "references": []}}
    DecidedFace.objects.create(decision=decision, face=faces[0], before=machine)
    change = Reembedding.objects.create(source="a", target=EMBEDDER_ID, state=Reembedding.State.SWITCHED)
    DisputedFace.objects.create(
        reembedding=change, face=faces[1], named=mine.person, proposed=mine.person, proposed_similarity=0.7
    )
    RosterEntry.objects.create(event=side.event, external_id=mine.person.external_id or "")


def film_there(side: Side, mine: Side) -> None:
    """The same recording, the same look and the same told names at that one, and somebody called so who was seen only there."""
    own = Video.objects.get(event=mine.event)
    film = Video.objects.create(
        event=side.event,
        video_id=uuid.uuid4(),
        sha256=own.sha256,
        name=own.name,
        byte_size=10,
        width=64,
        height=48,
        duration_ms=4000,
        interval_ms=200,
        state="queued",
    )
    namesake = make_person(mine.region.name)
    for look in PhotoLook.objects.filter(photo=mine.photo):
        photo = make_photo(side.event)
        label_face(face := make_face(photo), namesake)
        Track.objects.create(video=film, face=face, first_ms=0, last_ms=1000, frames=6)
        vector = decode_vector(bytes(look.vector), LOOK)
        make_look(photo, vector)
        make_look(photo, vector, face=face)
        NamedRegion.objects.create(
            photo=photo,
            face=face,
            name=mine.region.name,
            left=1,
            top=1,
            width=9,
            height=9,
        )
    RegionReading.objects.create(event=side.event, state="queued")


def be_busy(side: Side, actor: User, mine: Side) -> None:
    """More of everything at that event: photos that wait, failed and are done, faces, names, decisions, roles."""
    vectors = unit_vectors(6, seed=3)
    for number in range(3):
        person = make_person(f"Foreign Person {number}")
        face = make_reference(person, vectors[number], photo=make_photo(side.event))
        Decision.objects.create(kind="label", actor=actor, face=face, person=person, created_person=True)
        opened = make_unlabeled(vectors[3 + number], photo=make_photo(side.event))
        Decision.objects.create(kind="skip", actor=actor, face=opened.face)
    for state in ("queued", "failed", "done"):
        make_photo(side.event, state=state)
    EventGrant.objects.create(user=make_user("foreign-guest"), event=side.event, role="viewer")
    work_on_list(mine.person, side, make_user("foreign-labeler"))
    name_there(side, mine, actor)
    film_there(side, mine)
    get_gallery_index().refresh()


@pytest.mark.parametrize(
    "account", ["roleless", *(f"local {role}" for role in (VIEWER, UPLOADER, LABELER, MANAGER))]
)
def test_what_happens_at_another_event_changes_no_page(account: str) -> None:
    stranger, user = make_user("stranger"), make_user("rita")
    activate_embedder()
    mine = make_side("Mine", owner=user, uploader=user)
    foreign = make_side("Foreign", owner=stranger, uploader=stranger)
    make_embedding(mine.named, unit_vectors(1, seed=9)[0])
    # Whoever is also elsewhere is not edited from here, which a page may say: so they are from the start.
    label_face(make_face(make_photo(foreign.event)), mine.person)
    for _ in range(2):
        face = make_unlabeled(photo=make_photo(mine.event)).face
        Look.objects.create(face=face, person=mine.person, similarity=0.8, margin=0.3, verdict="suggest")
    if account != "roleless":
        EventGrant.objects.create(user=user, event=mine.event, role=account.partition(" ")[2])
    get_gallery_index().refresh()
    soon = timezone.now() + timedelta(days=1)
    secret = create_token(user=user, name="s", scopes=list(SCOPES), expires_at=soon).secret
    bearer = {"Authorization": f"Bearer {secret}"}
    look_at_everything(user, bearer, mine)
    before = look_at_everything(user, bearer, mine)
    assert len(before) > 50
    be_busy(foreign, stranger, mine)
    after = look_at_everything(user, bearer, mine)
    changed = [name for name in before if before[name] != after[name]]
    assert not changed, _first_difference(before[changed[0]], after[changed[0]], changed)


def _first_difference(before: str, after: str, names: list[str]) -> str:
    at = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
    return f"{names}: ...{before[max(0, at - 200) : at + 100]}... became ...{after[max(0, at - 40) : at + 100]}..."
