"""The type-ahead over names, and the pages of earlier decisions."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labeling.decisions import label_face, label_faces, record_verdict, undo_decision
from labeling.models import Cluster, DecidedFace, Decision
from labeling.words import KINDS, long_words, short_words
from recognition.models import Face, Person, Sighting
from tests.conftest import make_local, signed_in
from tests.factories import make_face, make_person, make_unlabeled


def test_type_ahead_finds_names_by_the_beginning_of_each_word(hx: Client) -> None:
    make_person("Alice Berger")
    make_person("Bérénice Alison")
    make_person("Bob Malik")
    page = hx.get("/label/people/?name=ali").text
    assert "Alice Berger" in page
    assert "Bérénice Alison" in page
    assert "Malik" not in page
    assert "Bérénice" in hx.get("/label/people/?name=bere al").text
    assert Person.objects.count() == 3


def test_type_ahead_of_nothing_typed_shows_whom_one_named_last(
    face: Face, hx: Client, labeler: User, manager: User
) -> None:
    label_face(face=face, actor=labeler, name="Alice")
    label_face(face=make_face(), actor=manager, name="Bob")
    page = hx.get("/label/people/?name=").text
    assert "Alice" in page
    assert "Bob" not in page


def test_type_ahead_says_when_more_or_nobody_fit(hx: Client) -> None:
    for _ in range(10):
        make_person("Alice")
    page = hx.get("/label/people/?name=alice").text
    assert page.count('role="option"') == 8
    assert "Type on" in page
    assert "Nobody is called “&lt;i&gt;”" in hx.get("/label/people/?name=<i>").text


def test_what_no_database_takes_is_dropped_from_the_typed_name(hx: Client, as_labeler: Client) -> None:
    make_person("Alice")
    assert "Alice" in hx.get("/label/people/?name=al%00i").text
    assert as_labeler.get("/label/people/?name=al%00i")["Location"] == "/people/?q=ali"
    assert hx.get("/label/people/", {"name": "x" * 5000}).text.count("x" * 200) == 2
    for path in ("/label/?event=%00&skipped=%00", "/decisions/?who=%00&page=%00"):
        assert as_labeler.get(path, follow=True).status_code == 200


def test_the_list_says_for_which_letters_it_was_drawn(hx: Client) -> None:
    assert 'data-typed=" &lt;Ali "' in hx.get("/label/people/", {"name": " <Ali "}).text


def test_without_htmx_the_names_are_on_the_page_of_people(as_labeler: Client) -> None:
    response = as_labeler.get("/label/people/?name=ali be")
    assert (response.status_code, response["Location"]) == (302, "/people/?q=ali+be")


def test_names_are_for_labelers_alone(outsider: User, uploader: User) -> None:
    for user in (outsider, uploader):
        assert signed_in(user).get("/label/people/?name=a").status_code == 403


def test_the_decisions_of_everybody_are_listed_and_one_may_undo_ones_own(
    face: Face, as_labeler: Client, labeler: User, manager: User
) -> None:
    mine = label_face(face=face, actor=labeler, name="Alice")
    hers = record_verdict(face=make_unlabeled().face, kind="stranger", actor=manager)
    page = as_labeler.get("/decisions/").text
    assert "Alice" in page
    assert "Stranger" in page
    assert f"/decisions/{mine.key}/undo/" in page
    assert f"/decisions/{hers.key}/undo/" not in page
    assert "Stranger" not in as_labeler.get("/decisions/?who=mine").text.split("<tbody>")[1]
    assert f"/decisions/{hers.key}/undo/" in signed_in(manager).get("/decisions/").text


def test_a_decision_that_a_later_one_stands_on_offers_no_undo(
    face: Face, as_labeler: Client, labeler: User
) -> None:
    first = label_face(face=face, actor=labeler, name="Alice")
    second = label_face(face=face, actor=labeler, name="Bob")
    page = as_labeler.get("/decisions/").text
    assert f"/decisions/{first.key}/undo/" not in page
    assert f"/decisions/{second.key}/undo/" in page


def test_decisions_come_in_pages(as_labeler: Client, labeler: User, face: Face) -> None:
    assert "No decisions yet" in as_labeler.get("/decisions/").text
    for _ in range(41):
        record_verdict(face=face, kind="skip", actor=labeler)
    assert "Page 1 of 2" in as_labeler.get("/decisions/").text
    assert as_labeler.get("/decisions/?page=2").text.count("/undo/") == 1


def test_an_undo_on_the_list_says_so_on_the_same_page_of_it(
    as_labeler: Client, labeler: User, face: Face
) -> None:
    decisions = [record_verdict(face=face, kind="skip", actor=labeler) for _ in range(41)]
    assert 'name="who" value="mine"' in as_labeler.get("/decisions/?who=mine").text
    form = {"back": "decisions", "who": "mine", "page": "2"}
    response = as_labeler.post(f"/decisions/{decisions[0].key}/undo/", form, follow=True)
    assert response.redirect_chain == [("/decisions/?who=mine&page=2", 302)]
    assert "Undone: Skip" in response.text
    odd = {"back": "decisions", "who": "//elsewhere", "page": "x"}
    assert as_labeler.post(f"/decisions/{decisions[1].key}/undo/", odd)["Location"] == "/decisions/"


def shown(client: Client, query: str) -> str:
    """The table of the list, without the filters above it."""
    return client.get(f"/decisions/?{query}").text.split('class="table-room')[-1]


def test_the_list_is_filtered_by_event_person_user_kind_and_state(
    face: Face, as_labeler: Client, labeler: User, manager: User
) -> None:
    named = label_face(face=face, actor=labeler, name="Alice")
    other = make_unlabeled().face
    closed = record_verdict(face=other, kind="stranger", actor=manager)
    undo_decision(decision=closed, actor=manager)
    assert named.person is not None
    for query in (
        f"event={face.photo.event_id}",
        "name=ali",
        f"person={named.person.pk}",
        f"who={labeler.pk}",
        "who=mine",
        "kind=label",
        "state=in-force",
    ):
        page = shown(as_labeler, query)
        assert (str(named.key) in page, str(closed.key) in page) == (True, False), query
    for query in (f"event={other.photo.event_id}", f"who={manager.pk}", "kind=stranger", "state=undone"):
        page = shown(as_labeler, query)
        assert (str(named.key) in page, str(closed.key) in page) == (False, True), query
    assert "No such decision" in as_labeler.get("/decisions/?kind=label&state=undone").text


def test_a_filter_that_cannot_be_read_filters_nothing(face: Face, as_labeler: Client, labeler: User) -> None:
    decision = label_face(face=face, actor=labeler, name="Alice")
    for query in ("event=x", "event=999", "who=999", "kind=%00", "state=?", "person=0", "name=%00"):
        assert str(decision.key) in shown(as_labeler, query)


def test_an_undo_comes_back_to_the_same_filters(face: Face, as_labeler: Client, labeler: User) -> None:
    decision = label_face(face=face, actor=labeler, name="Alice")
    form = {"back": "decisions", "kind": "label", "who": "mine", "event": str(face.photo.event_id)}
    answer = as_labeler.post(f"/decisions/{decision.key}/undo/", form)
    assert answer["Location"] == f"/decisions/?event={face.photo.event_id}&who=mine&kind=label"


def test_many_faces_are_a_strip_of_six_and_a_count(as_labeler: Client, labeler: User) -> None:
    faces = [make_unlabeled().face for _ in range(9)]
    decision = label_faces(faces=faces, actor=labeler, name="Alice")
    page = shown(as_labeler, "")
    assert "9 faces" in page
    assert "+3" in page
    assert sum(str(face.face_id) in page for face in faces) == 6
    whole = as_labeler.get(f"/decisions/{decision.key}/").text
    assert all(str(face.face_id) in whole for face in faces)


def test_of_a_decision_over_several_events_one_sees_ones_own_faces(labeler: User) -> None:
    mine, foreign = make_unlabeled().face, [make_unlabeled().face for _ in range(3)]
    decision = label_faces(faces=[*foreign, mine], actor=labeler, name="Alice")
    local = make_local("lou", "labeler", mine.photo.event)
    client = signed_in(local)
    for page in (shown(client, ""), client.get(f"/decisions/{decision.key}/").text):
        assert str(mine.face_id) in page
        assert not any(str(face.face_id) in page for face in foreign)
        assert "4 faces" not in page
        assert "Undo" not in page.split("<h1>")[-1].replace("sr-only", "").split("Undo</span></th>")[-1]
    assert client.post(f"/decisions/{decision.key}/undo/").status_code == 403
    assert Sighting.objects.count() == 4


def test_what_was_decided_later_about_a_face_elsewhere_is_not_told(labeler: User) -> None:
    mine, foreign = make_unlabeled().face, make_unlabeled().face
    decision = label_faces(faces=[foreign, mine], actor=labeler, name="Alice")
    label_face(face=Face.objects.get(pk=foreign.pk), actor=labeler, name="Bob")
    client = signed_in(make_local("lou", "labeler", mine.photo.event))
    page = client.get(f"/decisions/{decision.key}/").text
    assert "Alice" in page
    assert "Bob" not in page


def test_a_decision_elsewhere_is_not_there(face: Face, labeler: User) -> None:
    decision = label_face(face=face, actor=labeler, name="Alice")
    client = signed_in(make_local("lou", "labeler", make_unlabeled().face.photo.event))
    assert str(decision.key) not in client.get("/decisions/").text
    for address in ("", "undo/", "redo/", "put-back/"):
        ask = client.post if address else client.get
        assert ask(f"/decisions/{decision.key}/{address}").status_code == 404


def test_the_page_of_a_decision_tells_what_stands_in_the_way(
    face: Face, as_labeler: Client, labeler: User
) -> None:
    first = label_face(face=face, actor=labeler, name="Alice")
    label_face(face=Face.objects.get(pk=face.pk), actor=labeler, name="Bob")
    page = as_labeler.get(f"/decisions/{first.key}/").text
    assert "lena named this face Bob" in page
    assert f"/decisions/{first.key}/undo/" not in page
    refused = as_labeler.post(f"/decisions/{first.key}/undo/", {"back": "decision"})
    assert refused.status_code == 409
    assert "Undo that first" in refused.text


def test_the_undo_of_a_group_goes_back_to_its_card(as_labeler: Client, labeler: User) -> None:
    faces = [make_unlabeled().face for _ in range(2)]
    cluster = Cluster.objects.create(event=faces[0].photo.event)
    decision = label_faces(faces=faces, actor=labeler, name="Alice", cluster=cluster)
    answer = as_labeler.post(f"/decisions/{decision.key}/undo/")
    assert answer["Location"] == f"/label/group/{cluster.pk}/"


@pytest.mark.parametrize("kind", Decision.Kind.values)
def test_every_kind_has_its_words(kind: str, as_labeler: Client, labeler: User, face: Face) -> None:
    for person in (None, make_person("Alice")):
        decision = Decision.objects.create(kind=kind, actor=labeler, face=face, person=person)
        DecidedFace.objects.create(decision=decision, face=face)
        assert short_words(decision)
        assert long_words(decision).startswith("lena ")
    assert kind in KINDS
    assert as_labeler.get("/decisions/").status_code == 200
