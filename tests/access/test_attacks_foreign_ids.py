"""Ids of an event that is not one's own, in every field and filter that takes an id: nothing is told, nothing is touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import resolve
from django.utils import timezone

from access.models import EventGrant
from access.roles import LABELER, MANAGER, UPLOADER, VIEWER
from access.scopes import SCOPES
from access.tokens import create_token
from labeling.models import EventReview, SecondOpinion
from recognition.models import Sighting
from tests.access.attacking import Rows, read_body, rolled_back, watch_rows, words_about
from tests.access.world import Side, make_side
from tests.conftest import make_user
from tests.factories import activate_embedder

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
ACCOUNTS = [
    "roleless",
    *(f"local {role}" for role in (VIEWER, UPLOADER, LABELER, MANAGER)),
    "global uploader",
]


@dataclass(frozen=True)
class Attack:
    """A request; {m...} is of the attacker's own event, {f...} of the foreign one."""

    path: str
    data: dict[str, str] = field(default_factory=dict)
    method: str = "GET"
    json: dict[str, Any] | None = None


def post(path: str, **data: str) -> Attack:
    return Attack(path, data, "POST")


def api(method: str, path: str, **body: Any) -> Attack:
    return Attack(f"/api/v1/{path}", method=method, json=body)


PAGES = [
    Attack("/events/?q=foreign"),
    Attack("/events/?q=foreign&archived=1"),
    *(
        Attack(f"/events/{{m.event.pk}}/?{query}")
        for query in (
            "person={f.person.pk}",
            "by=person&person={f.person.pk}",
            "show=unnamed&page=999",
            "show=failed",
            "by=person",
        )
    ),
    Attack("/events/{m.event.pk}/progress/?seen=999999999"),
    Attack("/photos/{m.photo.pk}/?person={f.person.pk}"),
    Attack("/photos/{m.photo.pk}/?show=failed"),
    *(
        Attack(f"/people/?{query}")
        for query in ("q=foreign", "q=4711", "sort=seen", "sort=faces", "faces=none")
    ),
    Attack("/people/?q=foreign&sort=faces&page=2"),
    Attack("/people/{m.person.pk}/?show=machine&page=7"),
    Attack("/people/new/?name=foreign"),
    Attack("/people/{m.person.pk}/?show=farthest"),
    Attack("/people/{m.person.pk}/merge/?q=foreign"),
    Attack("/people/{m.person.pk}/merge/?with={f.person.pk}"),
    Attack("/people/{f.person.pk}/merge/?with={m.person.pk}"),
    Attack("/people/{m.person.pk}/split/"),
    Attack("/people/twice/?page=2"),
    Attack("/people/may-be-one/?page=2"),
    Attack("/label/?event={f.event.pk}"),
    Attack("/label/?event={f.event.pk}&skipped=1"),
    Attack("/label/{m.opened.face_id}/?event={f.event.pk}"),
    Attack("/label/people/?name=foreign"),
    Attack("/label/people/?name="),
    Attack("/decisions/?page=2"),
    Attack("/decisions/?who=mine"),
    *(
        Attack(f"/decisions/?{query}")
        for query in ("event={f.event.pk}", "person={f.person.pk}", "name=foreign", "name=4711", "kind=label")
    ),
    Attack("/decisions/{f.decision.key}/"),
    Attack("/label/?after=cluster-{f.cluster.pk}"),
    Attack("/label/?after=person-{f.person.pk}&queue=suggestions"),
    *(
        Attack(f"/label/?queue={queue}")
        for queue in ("groups", "suggestions", "asked", "skipped", "conflicts")
    ),
    Attack("/label/group/{f.cluster.pk}/"),
    Attack("/label/group/{f.cluster.pk}/?view=all"),
    Attack("/label/group/{m.cluster.pk}/?event={f.event.pk}&view=split"),
    Attack("/label/person/{f.person.pk}/"),
    Attack("/label/person/{m.person.pk}/?event={f.event.pk}"),
    Attack("/label/second/?event={f.event.pk}"),
    Attack("/label/second/{f.named.face_id}/"),
    Attack("/label/differing/?event={f.event.pk}"),
    Attack("/faces/{f.named.face_id}/caused/"),
    Attack("/faces/{f.named.face_id}/caused/?person={m.person.pk}"),
    Attack("/faces/{m.named.face_id}/caused/?person={f.person.pk}"),
    Attack("/quality/checks/{f.check.pk}/"),
    Attack("/quality/"),
    Attack("/quality/embedder/"),
    Attack("/label/disputed/?page=2"),
    *(Attack(f"/events/{{f.event.pk}}/roster/?show={show}") for show in ("", "seen", "missing", "unknown")),
    Attack("/events/{m.event.pk}/roster/?show=unknown&page=2"),
    *(
        Attack(f"/label/verdicts/?event={{f.event.pk}}&verdict={verdict}")
        for verdict in ("stranger", "poor", "skipped", "asked")
    ),
    Attack("/events/{f.event.pk}/labelers/"),
    Attack("/people/import/{f.imported.import_id}/"),
    Attack("/people/import/{f.imported.import_id}/report.csv"),
    Attack("/photos/{f.photo.pk}/faces/add/"),
    Attack("/photos/{f.photo.pk}/faces/{f.box.pk}/"),
    Attack("/photos/{m.photo.pk}/faces/{f.box.pk}/"),
    Attack("/failed/?event={f.event.pk}"),
    Attack("/failed/?code=unreadable"),
    *(
        Attack(f"/events/{{m.event.pk}}/export{end}?person={{f.person.pk}}&faces=all&names=1")
        for end in ("/", "/photos.zip", "/list.csv")
    ),
    *(
        Attack(f"/people/{{m.person.pk}}/export{end}?event={{f.event.pk}}&faces=all&names=1")
        for end in ("/", "/photos.zip", "/list.csv")
    ),
    *(
        Attack(f"/people/{{f.person.pk}}/export{end}?event={{m.event.pk}}")
        for end in ("/", "/photos.zip", "/list.csv")
    ),
]
_GROUP = {"version": "0", "upto": "999999999", "key": "{key}"}
FORMS = [
    post(
        "/faces/{m.named.face_id}/caused/",
        person="{f.person.pk}",
        version="0",
        key="{key}",
    ),
    post(
        "/faces/{m.named.face_id}/caused/",
        person="{m.person.pk}",
        version="0",
        key="{key}",
        face="{f.named.face_id}:0",
    ),
    post("/faces/{f.named.face_id}/caused/", person="{m.person.pk}", version="0", key="{key}"),
    post("/quality/checks/{f.check.pk}/answer/", answer="wrong", version="0", key="{key}"),
    post("/quality/checks/{f.check.pk}/undo/"),
    *(
        post("/quality/checks/{m.check.pk}/answer/", answer=answer, version="0", key="{f.decision.key}")
        for answer in ("right", "wrong", "unsure")
    ),
    post("/faces/{m.named.face_id}/caused/", person="{m.person.pk}", version="0", key="{f.decision.key}"),
    post("/quality/measure/"),
    post("/quality/embedder/change/", action="cancel"),
    post("/events/{f.event.pk}/roster/", roster="Foreign-4711"),
    post("/events/{f.event.pk}/roster/remove/"),
    *(
        post("/label/{m.opened.face_id}/decide/", version="0", key="{key}", **{name: "{f.person.pk}"})
        for name in ("person", "twice", "reject")
    ),
    post(
        "/label/{m.opened.face_id}/decide/",
        version="0",
        key="{f.decision.key}",
        person="{f.person.pk}",
        event="{f.event.pk}",
    ),
    post("/label/{m.opened.face_id}/decide/", version="0", key="{f.decision.key}", verdict="stranger"),
    post("/label/{f.opened.face_id}/decide/", version="0", key="{key}", person="{m.person.pk}"),
    post("/label/{f.opened.face_id}/decide/", version="0", key="{key}", verdict="not_a_face"),
    *(
        post("/people/{m.person.pk}/faces/", action=action, key="{key}", face="{f.named.face_id}:0")
        for action in ("confirm", "reject", "reference", "unreference")
    ),
    post("/people/{f.person.pk}/faces/", action="reject", key="{key}", face="{m.named.face_id}:0"),
    post("/people/{f.person.pk}/faces/", action="reject", key="{key}", face="{f.named.face_id}:0"),
    post("/people/{m.person.pk}/merge/", key="{key}", **{"with": "{f.person.pk}"}),
    post("/people/{f.person.pk}/merge/", key="{key}", together="1", **{"with": "{m.person.pk}"}),
    *(
        post("/people/{m.person.pk}/split/", action=action, key="{key}", face="{f.named.face_id}:0", name="X")
        for action in ("pick", "new", "queue")
    ),
    post("/people/{m.person.pk}/split/", person="{f.person.pk}", key="{key}", face="{m.named.face_id}:0"),
    post("/people/{f.person.pk}/split/", action="queue", key="{key}", face="{m.named.face_id}:0"),
    post("/people/{m.person.pk}/faces/", action="cover", key="{key}", face="{f.named.face_id}:0"),
    post("/people/{m.person.pk}/undo/{f.decision.key}/"),
    post("/people/{f.person.pk}/undo/{f.decision.key}/", back="may-be-one"),
    *(
        post("/label/group/{m.cluster.pk}/decide/", **{**_GROUP, **values})
        for values in (
            {"person": "{f.person.pk}"},
            {"none": "{f.person.pk}"},
            {"person": "{f.person.pk}", "face": "{m.opened.face_id}"},
            {"verdict": "stranger", "face": "{f.opened.face_id}"},
            {"apart": "{f.opened.face_id}"},
            {"strays": "{f.opened.face_id}"},
            {"eject": "1", "face": "{f.opened.face_id}"},
            {"verdict": "skip", "key": "{f.decision.key}", "event": "{f.event.pk}"},
        )
    ),
    post("/label/group/{f.cluster.pk}/decide/", **_GROUP, verdict="stranger"),
    post("/label/group/{f.cluster.pk}/decide/", **_GROUP, apart="{f.opened.face_id}"),
    *(
        post(
            f"/label/person/{{{whose}.person.pk}}/decide/",
            action=action,
            key="{key}",
            face="{f.opened.face_id}:0",
        )
        for whose in ("m", "f")
        for action in ("confirm", "reject", "stranger")
    ),
    post("/label/person/{f.person.pk}/decide/", action="confirm", key="{key}", face="{m.opened.face_id}:0"),
    post("/label/person/{m.person.pk}/decide/", action="skip", key="{key}", listed="{f.opened.face_id}:0"),
    post("/label/second/{f.named.face_id}/", answer="stranger"),
    post("/label/second/{m.named.face_id}/", person="{f.person.pk}", event="{f.event.pk}"),
    post("/label/differing/{f.opinion.pk}/", take="1", version="0"),
    post("/label/differing/{f.opinion.pk}/", take="0", version="0", event="{f.event.pk}"),
    post("/label/verdicts/back/", verdict="stranger", key="{key}", face="{f.opened.face_id}:0"),
    post("/label/verdicts/back/", verdict="skipped", key="{key}", face="{f.decision.key}:0"),
    post("/label/verdicts/back/", verdict="asked", key="{key}", face="{f.decision.key}:0"),
    post("/label/{f.opened.face_id}/ask/", version="0"),
    post("/label/leave/", card="cluster-{f.cluster.pk}"),
    *(post(f"/decisions/{{f.decision.key}}/{verb}/", back="decision") for verb in ("redo", "put-back")),
    post("/events/{f.event.pk}/labelers/", user="{m.decision.actor_id}"),
    post("/events/{m.event.pk}/labelers/", user="{f.assignment.user_id}"),
    post("/events/{f.event.pk}/labelers/{f.assignment.pk}/remove/"),
    post("/events/{m.event.pk}/labelers/{f.assignment.pk}/remove/"),
    post("/events/{f.event.pk}/review/", percent="100"),
    post("/photos/{f.photo.pk}/faces/add/", left="10", top="10", width="90", height="90"),
    *(
        post(f"/photos/{{{photo}.photo.pk}}/faces/{{f.box.pk}}/{verb}/")
        for photo in ("m", "f")
        for verb in ("retry", "remove")
    ),
    post("/people/twice/", photo="{f.photo.pk}", person="{f.person.pk}"),
    post("/people/twice/", photo="{m.photo.pk}", person="{f.person.pk}"),
    post("/people/may-be-one/", one="{m.person.pk}", another="{f.person.pk}"),
    post("/decisions/{f.decision.key}/undo/", back="decisions"),
    post("/decisions/{f.decision.key}/undo/", back="", event="{m.event.pk}"),
    post("/decisions/{m.decision.key}/undo/", back="", event="{f.event.pk}"),
    post("/failed/retry/", event="{f.event.pk}"),
    post("/failed/retry/", photo="{f.failed.pk}"),
    post("/failed/retry/", code="unreadable"),
    post("/photos/{m.photo.pk}/move/", event="{f.event.pk}"),
    post("/photos/{f.photo.pk}/move/", event="{m.event.pk}"),
    post("/photos/{f.photo.pk}/delete/"),
    post("/events/{m.event.pk}/access/{f.grant.pk}/take/"),
    post("/events/{f.event.pk}/access/", user="rita", role="manager"),
    post("/events/{f.event.pk}/edit/", name="Taken over"),
    post("/events/{m.event.pk}/export/?person={f.person.pk}", faces="all", names="on", kind="zip"),
    post("/people/{m.person.pk}/export/?event={f.event.pk}", faces="all", kind="csv"),
    post("/people/{f.person.pk}/edit/", name="Taken over"),
    post("/tokens/{f.token.prefix}/revoke/"),
    post("/exports/{f.export.export_id}/delete/"),
    post("/search/{f.probe.probe_id}/delete/"),
]
API = [
    *(
        api("GET", path)
        for path in (
            "events/?q=foreign&archived=all",
            "events/{m.event.pk}/photos/?person={f.person.pk}",
            *(f"photos/?{name}" for name in ("event={f.event.pk}", "person={f.person.pk}", "state=failed")),
            "photos/?unnamed=true",
            *(
                f"faces/?{name}"
                for name in (
                    "event={f.event.pk}",
                    "photo={f.photo.pk}",
                    "person={f.person.pk}",
                    "state=verified",
                )
            ),
            "faces/?state=open",
            *(f"people/?{name}" for name in ("event={f.event.pk}", "external_id=Foreign-4711", "q=foreign")),
            "people/?order=faces",
            "people/?order=seen",
            *(
                f"sightings/?{name}"
                for name in ("event={f.event.pk}", "photo={f.photo.pk}", "person={f.person.pk}")
            ),
            "queue/?event={f.event.pk}",
            "queue/next/?event={f.event.pk}",
            "queue/next/?skipped=true",
            "faces/{m.opened.face_id}/suggestions/?k=20",
            "decisions/?mine=false",
            "exports/",
            "search/",
            "stats/",
            *(
                f"events/{{m.event.pk}}/{name}?person={{f.person.pk}}&faces=all"
                for name in ("photos.zip", "list.csv")
            ),
            *(
                f"people/{{m.person.pk}}/{name}?event={{f.event.pk}}&faces=all"
                for name in ("photos.zip", "list.csv")
            ),
            *(
                f"people/{{f.person.pk}}/{name}?event={{m.event.pk}}&faces=all"
                for name in ("photos.zip", "list.csv")
            ),
        )
    ),
    api("POST", "faces/{m.opened.face_id}/label/", person="{f.person.pk}"),
    api("POST", "faces/{m.opened.face_id}/label/", person="{f.person.pk}", twice=True),
    api("POST", "faces/{m.opened.face_id}/label/", person="{f.person.pk}", name="Somebody Else"),
    api("POST", "faces/{m.opened.face_id}/reject/", person="{f.person.pk}"),
    api("POST", "faces/{f.opened.face_id}/label/", person="{m.person.pk}"),
    *(api("POST", f"faces/{{f.opened.face_id}}/{verb}/") for verb in ("skip", "stranger", "not-a-face")),
    *(api("POST", f"faces/{{f.opened.face_id}}/{verb}/") for verb in ("ask", "poor", "reopen")),
    api("POST", "decisions/", faces=["{f.opened.face_id}"], verdict="stranger"),
    api("POST", "decisions/", faces=["{m.opened.face_id}", "{f.opened.face_id}"], verdict="poor"),
    api("POST", "decisions/", faces=["{m.opened.face_id}"], person="{f.person.pk}"),
    api("POST", "decisions/", faces=["{m.opened.face_id}"], reject=["{f.person.pk}"]),
    *(api("POST", f"decisions/{{f.decision.key}}/{verb}/") for verb in ("undo", "redo")),
    api("GET", "faces/{f.named.face_id}/caused/"),
    api("GET", "faces/{m.named.face_id}/caused/?person={f.person.pk}"),
    api("POST", "faces/{f.named.face_id}/caused/", person="{f.person.pk}"),
    api("POST", "faces/{m.named.face_id}/caused/", person="{f.person.pk}"),
    api("POST", "faces/{m.named.face_id}/caused/", person="{m.person.pk}", faces=["{f.named.face_id}"]),
    *(api(method, "events/{f.event.pk}/roster/") for method in ("GET", "DELETE")),
    api("PUT", "events/{f.event.pk}/roster/", external_ids=["4711"]),
    *(api("GET", path) for path in ("quality/", "quality/checks/", "embedder/")),
    api("POST", "quality/"),
    api("GET", "decisions/{f.decision.key}/"),
    *(
        api("GET", f"decisions/?{name}")
        for name in ("event={f.event.pk}", "person={f.person.pk}", "actor=stranger")
    ),
    api("POST", "photos/{f.photo.pk}/faces/", left=10, top=10, width=90, height=90),
    *(api(method, "photos/{f.photo.pk}/faces/{f.box.pk}/") for method in ("GET", "DELETE")),
    *(api(method, "photos/{m.photo.pk}/faces/{f.box.pk}/") for method in ("GET", "DELETE")),
    api("PATCH", "photos/{m.photo.pk}/", event="{f.event.pk}"),
    api("PATCH", "photos/{f.photo.pk}/", event="{m.event.pk}"),
    api("DELETE", "photos/{f.photo.pk}/"),
    api("DELETE", "events/{f.event.pk}/"),
    api("PATCH", "events/{f.event.pk}/", name="Taken over", archived=True),
    api("PATCH", "people/{f.person.pk}/", name="Taken over"),
    api("POST", "people/{m.person.pk}/merge/", other="{f.person.pk}"),
    api("POST", "people/{f.person.pk}/merge/", other="{m.person.pk}", together=True),
    api("POST", "events/{f.event.pk}/retry/"),
    api("POST", "photos/{f.failed.pk}/retry/"),
    api("POST", "exports/", event="{f.event.pk}"),
    api("POST", "exports/", person="{f.person.pk}"),
    api("POST", "exports/", event="{m.event.pk}", person="{f.person.pk}", faces="all"),
    api("DELETE", "exports/{f.export.export_id}/"),
    api("DELETE", "search/{f.probe.probe_id}/"),
]


@dataclass(frozen=True)
class World:
    user: User
    mine: Side
    foreign: Side
    client: Client
    bearer: dict[str, str]
    foreign_rows: Callable[[], Rows]

    def fill(self, text: str) -> str:
        return text.format(m=self.mine, f=self.foreign, key=uuid4())

    def fill_json(self, value: Any) -> Any:
        """A number where the text is one: ids go as numbers in JSON."""
        if isinstance(value, list):
            return [self.fill_json(one) for one in value]
        if isinstance(value, str):
            filled = self.fill(value)
            return int(filled) if filled.isdigit() else filled
        return value


def make_world(account: str) -> World:
    where, _, role = account.partition(" ")
    user, stranger = make_user("rita", *([role] if where == "global" else [])), make_user("stranger")
    activate_embedder()
    mine = make_side("Mine", owner=user, uploader=user)
    foreign = make_side("Foreign", owner=stranger, uploader=stranger)
    if where == "local":
        EventGrant.objects.create(user=user, event=mine.event, role=role)
    client = Client(raise_request_exception=False)
    client.force_login(user)
    soon = timezone.now() + timedelta(days=1)
    token = create_token(user=user, name="attack", scopes=list(SCOPES), expires_at=soon)
    bearer = {"Authorization": f"Bearer {token.secret}"}
    return World(user, mine, foreign, client, bearer, watch_rows(foreign))


def run(world: World, attack: Attack, headers: dict[str, str]) -> tuple[list[tuple[int, str]], bool]:
    """The answers, that of a page it leads to included, with their headers; and whether the foreign event is as before."""
    before = world.foreign_rows()
    path = world.fill(attack.path)
    answers = []
    with rolled_back():
        if attack.json is not None:
            body = json.dumps({name: world.fill_json(value) for name, value in attack.json.items()})
            data: Any = "" if attack.method == "GET" else body
            answer = Client(raise_request_exception=False).generic(
                attack.method,
                path,
                data,
                content_type="application/json",
                headers={**world.bearer, **headers},
            )
        elif attack.method == "POST":
            form = {name: world.fill(value) for name, value in attack.data.items()}
            answer = world.client.post(path, form, headers=headers)
        else:
            answer = world.client.get(path, headers=headers)
        answers.append((answer.status_code, _text_of(answer)))
        if 300 <= answer.status_code < 400:
            led = world.client.get(answer.headers["Location"])
            answers.append((led.status_code, _text_of(led)))
        untouched = world.foreign_rows() == before
    return answers, untouched


def _text_of(answer: Any) -> str:
    return str(dict(answer.headers)) + read_body(answer).decode("utf-8", "replace")


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
@pytest.mark.parametrize("account", ACCOUNTS)
def test_a_foreign_id_tells_nothing_and_touches_nothing(account: str, headers: dict[str, str]) -> None:
    world = make_world(account)
    hidden = words_about(world.foreign)
    if account == "global uploader":
        # Every event takes their photos, so they see its name; of what is in it they see what they brought.
        shown = {world.foreign.event.name, world.foreign.event.place}
        hidden = [word for word in hidden if word not in shown]
    faults = []
    world.mine.write_files()
    for attack in [*PAGES, *FORMS, *([] if headers else API)]:
        answers, untouched = run(world, attack, headers)
        path = world.fill(attack.path)
        texts = [text.replace(path, "") for _, text in answers]
        told = [word for word in hidden if any(word in text for text in texts)]
        if told or not untouched or any(status >= 500 for status, _ in answers):
            what = f"tells {told}" if told else "broke" if untouched else "changed the foreign event"
            faults.append(
                f"{account}: {attack.method} {attack.path} {attack.data or attack.json or ''} {what}"
            )
    assert not faults, "\n".join(faults)


def test_every_attack_is_on_an_address_that_there_is() -> None:
    world = make_world("roleless")
    for attack in [*PAGES, *FORMS, *API]:
        resolve(world.fill(attack.path).split("?")[0])


class TestWhichIdsThereAre:
    """Whoever counts through ids cannot tell a person of another event from nobody."""

    @pytest.mark.parametrize("name", ["person", "twice", "reject", "none"])
    @pytest.mark.parametrize("version", ["0", "7"])
    @pytest.mark.parametrize("chosen", [True, False])
    def test_on_the_card_of_a_group(self, name: str, version: str, chosen: bool) -> None:
        world = make_world("local labeler")
        pages = []
        for pk in (world.foreign.person.pk, 987_654_321):
            with rolled_back():
                data = {"version": version, "upto": 999_999_999, "key": UUID(int=1), name: pk}
                if chosen:
                    data["face"] = world.mine.opened.face_id
                answer = world.client.post(f"/label/group/{world.mine.cluster.pk}/decide/", data)
                question = answer.context["question"]
                pages.append((answer.status_code, question and question.error, answer.context["chosen"]))
        assert pages[0] == pages[1]
        assert pages[0][0] == (422 if version == "0" else 409)

    @pytest.mark.parametrize("name", ["person", "twice", "reject", "none"])
    def test_beside_an_answer_that_is_about_nobody(self, name: str) -> None:
        world = make_world("local labeler")
        face, cluster = world.mine.opened.face_id, world.mine.cluster.pk
        group = {"upto": 999_999_999, "face": face}
        asked: list[tuple[str, dict[str, Any]]] = [
            *((f"/label/{face}/decide/", about) for about in ({"verdict": "stranger"}, {"rest": "1"})),
            (f"/label/group/{cluster}/decide/", {**group, "verdict": "poor"}),
            *((f"/label/group/{cluster}/decide/", {**group, about: face}) for about in ("apart", "strays")),
            (f"/label/group/{cluster}/decide/", {**group, "eject": "1"}),
        ]
        for path, data in asked:
            answers = []
            for pk in (world.foreign.person.pk, 987_654_321):
                with rolled_back():
                    form = {"version": 0, "key": UUID(int=1), **data, name: pk}
                    answer = world.client.post(path, form)
                    answers.append((answer.status_code, answer.headers.get("Location")))
            assert answers[0] == answers[1], (path, data)
            assert answers[0][0] == 422

    @pytest.mark.parametrize("name", ["person", "twice", "reject", "none"])
    def test_with_a_key_that_was_used_before(self, name: str) -> None:
        world = make_world("local labeler")
        answers = []
        for pk in (world.foreign.person.pk, 987_654_321):
            with rolled_back():
                path, form = f"/label/{world.mine.opened.face_id}/decide/", {"version": 0, "key": UUID(int=1)}
                world.client.post(path, {**form, "verdict": "stranger"})
                answer = world.client.post(path, {**form, name: pk})
                answers.append((answer.status_code, answer.headers.get("Location")))
        assert answers[0] == answers[1]

    def test_where_faces_of_a_person_are_somebody_else(self) -> None:
        world = make_world("local labeler")
        pages = []
        for pk in (world.foreign.person.pk, 987_654_321):
            with rolled_back():
                data = {"key": UUID(int=1), "face": f"{world.mine.named.face_id}:0", "person": pk}
                answer = world.client.post(f"/people/{world.mine.person.pk}/split/", data)
                assert answer.context is not None
                pages.append((answer.status_code, answer.context["asked"]))
        assert pages[0] == pages[1]

    def test_as_a_second_opinion(self) -> None:
        world = make_world("local labeler")
        EventReview.objects.create(event=world.mine.event, percent=100)
        SecondOpinion.objects.all().delete()
        Sighting.objects.filter(face=world.mine.named).update(decided_by_user=world.foreign.decision.actor)
        pages = []
        for pk in (world.foreign.person.pk, 987_654_321):
            with rolled_back():
                answer = world.client.post(f"/label/second/{world.mine.named.face_id}/", {"person": pk})
                assert answer.status_code == 422
                pages.append(answer.context["error"])
        assert pages[0] == pages[1]

    @pytest.mark.parametrize("name", ["person", "twice", "reject"])
    def test_at_the_desk(self, name: str) -> None:
        world = make_world("local labeler")
        pages = []
        for pk in (world.foreign.person.pk, 987_654_321):
            with rolled_back():
                data = {"version": 0, "key": UUID(int=1), name: pk}
                answer = world.client.post(f"/label/{world.mine.opened.face_id}/decide/", data)
                question = answer.context["question"]
                pages.append((answer.status_code, question.code, question.error))
        assert pages[0] == pages[1]

    @pytest.mark.parametrize(("verb", "extra"), [("label", {}), ("label", {"twice": True}), ("reject", {})])
    def test_over_the_api(self, verb: str, extra: dict[str, Any]) -> None:
        world = make_world("local labeler")
        answers = []
        for pk in (world.foreign.person.pk, 987_654_321):
            with rolled_back():
                path = f"/api/v1/faces/{world.mine.opened.face_id}/{verb}/"
                body = json.dumps({"person": pk, **extra})
                answer = Client().post(path, body, content_type="application/json", headers=world.bearer)
                answers.append((answer.status_code, answer.content))
        assert answers[0] == answers[1]

    def test_as_the_target_of_a_photo(self) -> None:
        world = make_world("local manager")
        pages = []
        for pk in (world.foreign.event.pk, 987_654_321):
            with rolled_back():
                answer = world.client.post(f"/photos/{world.mine.photo.pk}/move/", {"event": pk})
                pages.append((answer.status_code, answer.context["form"].errors))
        assert pages[0] == pages[1]
