"""The type-ahead over names, and the pages of earlier decisions."""

from django.contrib.auth.models import User
from django.test import Client

from labeling.decisions import label_face, record_verdict
from recognition.models import Face, Person
from tests.conftest import signed_in
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
