"""The table of who may do what: every address x method x account x own or foreign object, and no word that leaks.

`TABLE` says it independently of the code. An address that is not in it fails the test.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from http.cookies import SimpleCookie

import pytest
from django.contrib.auth.models import User
from django.core.signals import request_finished
from django.db import close_old_connections, transaction
from django.http import HttpResponseBase
from django.test import Client
from django.utils import timezone

from access.models import EventGrant
from access.roles import LABELER, MANAGER, UPLOADER, VIEWER
from access.rules import ApiRule, rule_of
from access.scopes import SCOPES
from access.tokens import NewToken, create_token
from tests.access.addresses import ALL, Address
from tests.access.table import ANYONE, EVERYONE, TABLE, Entry
from tests.access.world import Side, make_side
from tests.conftest import make_user
from tests.factories import activate_embedder

pytestmark = pytest.mark.django_db
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
# For all events, for one event ("local"), and those who have no role at all.
ACCOUNTS = [
    "anonymous",
    "roleless",
    "administrator",
    *(f"{where} {role}" for where in ("global", "local") for role in (VIEWER, UPLOADER, LABELER, MANAGER)),
]


@dataclass(frozen=True)
class Answer:
    status: int
    location: str
    body: str


def test_every_address_is_in_the_table_and_states_its_rule() -> None:
    assert {address.name for address in ALL} == set(TABLE)
    assert len({address.name for address in ALL}) == len(ALL)
    assert not [address.name for address in ALL if rule_of(address.view) is None]


def test_the_table_has_a_thousand_cells() -> None:
    assert sum(len(METHODS) * len(ACCOUNTS) * (2 if address.parameters else 1) for address in ALL) > 1000


@pytest.mark.parametrize("account", ACCOUNTS)
def test_every_cell(account: str) -> None:
    faults: list[str] = []
    user, mine, foreign = _make_world(account)
    client = Client(raise_request_exception=False)
    if user is not None:
        client.force_login(user)
    signed_in = client.cookies.output(header="", sep=";")
    bearer = {"Authorization": f"Bearer {_token_of(user).secret}"} if user else {}
    for address in ALL:
        entry = TABLE[address.name]
        for method in METHODS:
            for side in (mine, foreign) if address.parameters else (mine,):
                side.write_files()
                # As it was before: signing out is one of the cells. Scripts come with a token alone.
                client.cookies = SimpleCookie("" if entry.api else signed_in)
                answer = _ask(client, method, address.path(side), bearer if entry.api else {})
                cell = f"{account}: {method} {address.route} ({'own' if side is mine else 'foreign'}) -> {answer.status}"
                reaches = side is mine or _reaches_foreign(account, address, entry)
                if not _fits(answer, entry, method, account, reaches=reaches):
                    faults.append(cell)
                if leaked := _leaked(answer, account, mine, foreign):
                    faults.append(f"{cell} tells {leaked}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("scope", SCOPES)
def test_a_token_does_what_its_scope_says_and_nothing_else(scope: str) -> None:
    """Of an administrator, who may do everything: what is refused is refused to the token."""
    user, mine, _ = _make_world("administrator")
    assert user is not None
    headers = {"Authorization": f"Bearer {_token_of(user, [scope]).secret}"}
    client = Client(raise_request_exception=False)
    faults = []
    for address in ALL:
        rule = rule_of(address.view)
        for method, needed in rule.scopes.items() if isinstance(rule, ApiRule) else ():
            answer = _ask(client, method, address.path(mine), headers)
            refused = answer.status == 403 and "scope_missing" in answer.body
            if refused is (needed == scope):
                faults.append(f"{method} {address.route} needs {needed}: {answer.status}")
    assert not faults, "\n".join(faults)


def _make_world(account: str) -> tuple[User | None, Side, Side]:
    owner, stranger = make_user("owner"), make_user("stranger")
    where, _, role = account.partition(" ")
    user = None
    if where == "administrator":
        user = User.objects.create_superuser("ada", password="correct horse battery")
    elif where != "anonymous":
        user = make_user("rita", *([role] if where == "global" else []))
    activate_embedder()
    mine = make_side("Mine", owner=user or owner, uploader=user or owner)
    foreign = make_side("Foreign", owner=stranger, uploader=stranger)
    if where == "local" and user is not None:
        EventGrant.objects.create(user=user, event=mine.event, role=role)
    return user, mine, foreign


def _token_of(user: User, scopes: Iterable[str] = SCOPES) -> NewToken:
    return create_token(
        user=user, name="table", scopes=list(scopes), expires_at=timezone.now() + timedelta(days=1)
    )


def _ask(client: Client, method: str, path: str, headers: dict[str, str]) -> Answer:
    """The answer to one request, of which nothing stays in the database."""
    block = transaction.atomic()
    # Searches refuse to run within a business transaction, and this is none.
    block._from_testcase = True  # type: ignore[attr-defined]
    with block:
        answer: HttpResponseBase = client.generic(
            method, path, content_type="application/x-www-form-urlencoded", headers=headers
        )
        body: bytes = answer.getvalue() if hasattr(answer, "getvalue") else b""
        # Closing a streamed answer tells Django that the request is over, which would end the connection with the test's data.
        request_finished.disconnect(close_old_connections)
        answer.close()
        request_finished.connect(close_old_connections)
        transaction.set_rollback(True)
    return Answer(answer.status_code, answer.headers.get("Location", ""), body.decode("utf-8", "replace"))


def _reaches_foreign(account: str, address: Address, entry: Entry) -> bool:
    """Whether a role for all events opens an object that the account has nothing else to do with."""
    if account == "administrator":
        return not entry.personal or address.name == "revoke-token"
    if not account.startswith("global") or entry.personal:
        return False
    if account == "global uploader":
        # Every event takes their photos; of what is in it they see what they brought.
        return {"photo_pk", "video_id", "face_id", "person_pk", "key"}.isdisjoint(address.parameters)
    return not entry.authored or account == "global manager"


def _fits(answer: Answer, entry: Entry, method: str, account: str, *, reaches: bool) -> bool:
    """Whether the status is one that the table allows in this cell."""
    status = answer.status
    roles = entry.of(method)
    if roles == EVERYONE:
        return status < 500 and status not in {401, 403}
    if account == "anonymous" and roles is None and entry.of("GET") != EVERYONE:
        return status in {302, 401, 404, 405}
    if account == "anonymous" and roles is not None:
        return status in ({401, 404} if entry.api else {302}) and (entry.api or "/login/" in answer.location)
    if roles is None:
        return status in {403, 404, 405}
    role = account.partition(" ")[2]
    held = (
        {VIEWER, UPLOADER, LABELER, MANAGER}
        if role == MANAGER or account == "administrator"
        else {role} - {""}
    )
    if account.startswith("local") and method in entry.everywhere:
        held = set()
    if entry.administers and account != "administrator":
        held = set()
    if roles != ANYONE and not held & roles:
        return status in {403, 404}
    if not reaches:
        return status in {403, 404}
    # Let in: the empty form may be refused as such, but not for who sent it.
    return status < 500 and status not in {401, 403, 404, 405}


def _leaked(answer: Answer, account: str, mine: Side, foreign: Side) -> list[str]:
    hidden = [] if account == "administrator" else foreign.personal_words
    if not account.startswith(("global", "administrator")):
        hidden = [*hidden, *foreign.words]
    if account in {"anonymous", "roleless"}:
        hidden = [*hidden, *mine.words]
    if account == "global uploader":
        hidden = [
            *hidden,
            foreign.person.name,
            foreign.photo.name,
            str(foreign.named.face_id),
            mine.person.name,
        ]
    return [word for word in hidden if word in answer.body]
