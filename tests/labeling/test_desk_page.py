"""The desk's pages: full or fragment, refusals, questions about names, and everything without JavaScript."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labeling.decisions import label_face, record_verdict
from labeling.models import Decision
from recognition.models import Face, Person, Photo, Sighting, UnlabeledFace
from tests.conftest import make_local, signed_in
from tests.factories import (
    make_event,
    make_face,
    make_person,
    make_photo,
    make_reference,
    make_unlabeled,
    vector_near,
)
from tests.labeling.conftest import ALICE, BOB, SOMEBODY, posted


def decide(client: Client, face: Face, **values: object):  # type: ignore[no-untyped-def]
    return client.post(f"/label/{face.face_id}/decide/", posted(face, **values))


@pytest.mark.parametrize(
    "path", ["/label/", "/label/?queue=skipped", "/label/{face}/", "/label/{face}/?event=1"]
)
def test_a_page_for_browsers_and_a_fragment_for_htmx(
    path: str, face: Face, hx: Client, as_labeler: Client
) -> None:
    path = path.format(face=face.face_id)
    page, fragment = as_labeler.get(path, follow=True), hx.get(path)
    assert "<html" in page.text
    assert "<html" not in fragment.text
    assert fragment.text.lstrip().startswith('<section id="desk"')
    for response in (page, fragment):
        assert response.status_code == 200
        assert "HX-Request" in response["Vary"]
        assert "no-store" in response["Cache-Control"]
    # At most three pieces besides the target.
    assert fragment.text.count("hx-swap-oob") == 3


@pytest.mark.parametrize("header", ["HX-Boosted", "HX-History-Restore-Request"])
def test_a_boosted_or_restored_request_gets_the_page(header: str, face: Face, hx: Client) -> None:
    assert "<html" in hx.get(f"/label/{face.face_id}/", headers={header: "true"}).text


def test_the_queue_leads_to_the_address_of_its_first_face(face: Face, as_labeler: Client) -> None:
    response = as_labeler.get(f"/label/?event={face.photo.event_id}")
    assert response.status_code == 302
    assert response["Location"] == f"/label/{face.face_id}/?event={face.photo.event_id}"


@pytest.mark.parametrize("query", ["?event=99999", "?event=x&queue=maybe"])
def test_a_place_that_cannot_be_read_is_the_plain_queue(query: str, face: Face, as_labeler: Client) -> None:
    assert as_labeler.get(f"/label/{query.split('&')[0]}", follow=True).status_code == 200


def test_no_inline_style_or_script_and_no_eval(face: Face, as_labeler: Client) -> None:
    page = as_labeler.get(f"/label/{face.face_id}/").text
    assert not re.search(r"\sstyle=|\son\w+=|hx-on|hx-vals=.js:|<style", page)
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    assert '"allowEval": false' in page


def test_a_decision_answers_with_the_next_card_and_the_counts(face: Face, hx: Client) -> None:
    following = make_unlabeled(ALICE).face
    response = decide(hx, face, verdict="stranger")
    assert response.status_code == 200
    assert response["HX-Replace-Url"] == f"/label/{following.face_id}/"
    assert f"/label/{following.face_id}/decide/" in response.text
    assert "Stranger." in response.text
    assert 'id="open-count" hx-swap-oob="true">1<' in response.text
    assert f"/decisions/{Decision.objects.get().key}/undo/" in response.text


def test_the_last_decisions_say_how_many_faces_facevault_has_named_since(
    face: Face, labeler: User, as_labeler: Client
) -> None:
    alice = make_person("Alice")
    named_by_machine(alice, make_photo())
    label_face(face=face, person=alice, actor=labeler)
    named_by_machine(alice, make_photo())
    label_face(face=make_unlabeled(BOB).face, person=alice, actor=labeler)
    for _ in range(2):
        named_by_machine(alice, make_photo())
    desk = as_labeler.get("/label/", follow=True).context["desk"]
    assert [past.followed for past in desk.past] == [2, 1]


def test_what_facevault_named_at_events_of_others_is_not_told(face: Face) -> None:
    alice, local = make_person("Alice"), make_local("lisa", "labeler", face.photo.event)
    label_face(face=face, person=alice, actor=local)
    named_by_machine(alice, make_photo(make_event()))
    desk = signed_in(local).get("/label/", follow=True).context["desk"]
    assert [past.followed for past in desk.past] == [0]


def test_the_last_decision_leaves_a_friendly_page(face: Face, hx: Client) -> None:
    response = decide(hx, face, verdict="not_a_face")
    assert "Every face is decided" in response.text
    assert response["HX-Replace-Url"] == "/label/"


def test_skipped_faces_are_offered_again(face: Face, hx: Client, as_labeler: Client) -> None:
    response = decide(hx, face, verdict="skip")
    assert "1 skipped: look at it again" in response.text
    assert as_labeler.get("/label/?queue=skipped")["Location"] == f"/label/{face.face_id}/?queue=skipped"


def test_an_empty_vault_says_what_to_do(as_labeler: Client) -> None:
    page = as_labeler.get("/label/").text
    assert "No faces yet" in page
    assert 'href="/events/"' in page


def test_the_place_is_kept_through_a_decision(hx: Client) -> None:
    photo = make_photo()
    first, second = (make_unlabeled(SOMEBODY, photo=photo).face for _ in range(2))
    make_unlabeled(ALICE)
    response = decide(hx, first, verdict="stranger", event=photo.event_id)
    assert response["HX-Replace-Url"] == f"/label/{second.face_id}/?event={photo.event_id}"


def test_without_javascript_a_decision_redirects_to_the_next_face(face: Face, as_labeler: Client) -> None:
    following = make_unlabeled(ALICE).face
    response = decide(as_labeler, face, name="Alice", new="1")
    assert (response.status_code, response["Location"]) == (302, f"/label/{following.face_id}/")
    page = as_labeler.get(response["Location"]).text
    assert "Alice" in page
    undo = re.search(r"/decisions/[^/]+/undo/", page)
    assert undo
    assert as_labeler.post(undo.group()).status_code == 302
    assert not Sighting.objects.exists()


def test_a_suggestion_is_taken_by_its_button(face: Face, hx: Client) -> None:
    bob = make_person("Bob")
    decide(hx, face, person=bob.pk)
    assert Sighting.objects.get(face=face).person == bob


def test_a_typed_name_means_the_person_who_has_it(face: Face, hx: Client) -> None:
    bob = make_person("Bob Lindqvist")
    assert decide(hx, face, name="bob lindqvist").status_code == 200
    assert Sighting.objects.get(face=face).person == bob


def test_enter_on_a_name_that_nobody_has_creates_nobody(face: Face, hx: Client) -> None:
    response = decide(hx, face, name="Alicia <b>")
    assert response.status_code == 422
    assert "Nobody is called “Alicia &lt;b&gt;” yet" in response.text
    assert not Person.objects.exists()
    assert decide(hx, face, name="Alicia", new="1").status_code == 200
    assert Person.objects.get().name == "Alicia"


def test_a_new_person_of_a_name_that_exists_is_asked_about(face: Face, hx: Client) -> None:
    alice = make_person("Alice")
    response = decide(hx, face, name="alice", new="1")
    assert response.status_code == 422
    assert "There is Alice already" in response.text
    assert f'name="person" value="{alice.pk}"' in response.text
    assert "Another alice" in response.text
    assert not Sighting.objects.exists()
    decide(hx, face, name="alice", new="another")
    assert Person.objects.count() == 2


def test_a_name_that_several_have_is_asked_about(face: Face, as_labeler: Client) -> None:
    for number in (1, 2):
        Person.objects.create(name="Alice", external_id=f"s-{number}")
    response = decide(as_labeler, face, name="Alice")
    assert response.status_code == 422
    assert "<html" in response.text
    assert "2 people are called Alice" in response.text
    assert "s-2" in response.text


@pytest.mark.parametrize(
    "values",
    [
        {"person": 99999},
        {"person": "x"},
        {"verdict": "maybe"},
        {"verdict": "label"},
        {"name": ""},
        {"name": "x" * 200, "new": "1"},
        {"key": "x", "verdict": "stranger"},
        {"version": "", "verdict": "stranger"},
        {"version": -1, "verdict": "stranger"},
        {"version": 10**30, "verdict": "stranger"},
        {},
    ],
)
def test_nonsense_is_422_and_changes_nothing(face: Face, hx: Client, values: dict[str, object]) -> None:
    response = decide(hx, face, **values)
    assert response.status_code in {409, 422}
    assert not Decision.objects.exists()
    assert not UnlabeledFace.objects.get(face=face).reviewed


def test_nobody_else_decides(face: Face, outsider: User, uploader: User) -> None:
    url = f"/label/{face.face_id}/decide/"
    assert Client().post(url, posted(face, verdict="stranger"))["Location"].startswith("/login/")
    for user in (outsider, uploader):
        assert signed_in(user).post(url, posted(face, verdict="stranger")).status_code == 403
    assert not Decision.objects.exists()


def test_deciding_asks_for_a_post_and_a_token(face: Face, labeler: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(labeler)
    url = f"/label/{face.face_id}/decide/"
    assert client.post(url, posted(face, verdict="stranger")).status_code == 403
    assert client.get(url).status_code == 405
    assert not Decision.objects.exists()


def test_an_expired_session_is_sent_to_sign_in_not_painted_into_the_card(face: Face) -> None:
    response = Client(headers={"HX-Request": "true"}).get(f"/label/{face.face_id}/")
    assert response["HX-Redirect"] == "/login/"
    assert response.content == b""


def test_a_face_that_is_not_there_is_404(as_labeler: Client) -> None:
    assert as_labeler.get("/label/00000000-0000-0000-0000-000000000000/").status_code == 404


def test_enter_takes_the_first_unless_it_is_a_close_call(as_labeler: Client) -> None:
    make_reference(make_person("Alice"), ALICE)
    make_reference(make_person("Bob"), BOB)
    clear = make_unlabeled(vector_near(ALICE, 0.9)).face
    close = make_unlabeled(((ALICE + BOB) / (2 * (1 + ALICE @ BOB)) ** 0.5).astype("float32")).face
    assert 'data-hotkey="1 Enter a"' in as_labeler.get(f"/label/{clear.face_id}/").text
    page = as_labeler.get(f"/label/{close.face_id}/").text
    assert 'data-hotkey="1 Enter a"' not in page
    assert 'data-hotkey="Enter a" data-notice data-again="1"' in page
    assert "A close call" in page


def test_every_key_stands_on_its_button(face: Face, as_labeler: Client) -> None:
    make_reference(make_person("Alice"), ALICE)
    page = as_labeler.get(f"/label/{face.face_id}/").text
    for key in ("1", "n", "s", "S", "d", "i", "q", "x", "u", "f"):
        assert re.search(f'aria-keyshortcuts="{key}[ "]', page)
        assert f"<kbd>{key}</kbd>" in page


@pytest.fixture
def neighbor() -> Face:
    """A face that FaceVault named Alice, beside one in the queue that looks like her."""
    alice, photo = make_person("Alice"), make_photo()
    make_reference(alice, ALICE)
    make_unlabeled(vector_near(ALICE, 0.9), photo=photo)
    return named_by_machine(alice, photo)


def named_by_machine(person: Person, photo: Photo) -> Face:
    face = make_face(photo)
    Sighting.objects.create(
        face=face, person=person, decided_by="machine", similarity=0.8, seen_at=photo.taken_at
    )
    return face


def test_a_person_named_in_this_photo_leads_to_the_face_that_has_the_name(
    neighbor: Face, as_labeler: Client
) -> None:
    face = UnlabeledFace.objects.get().face
    event = face.photo.event_id
    page = as_labeler.get(f"/label/{face.face_id}/?event={event}").text
    assert "named in this photo already, by FaceVault" in page
    assert f'href="/label/{neighbor.face_id}/?event={event}"' in page
    assert f"/faces/{neighbor.face_id}/crop.jpg" in page
    assert 'name="person"' not in page
    assert "Alice is named in this photo already" in page


def test_a_neighbor_who_looks_different_is_no_reason_for_a_warning(as_labeler: Client) -> None:
    photo = make_photo()
    make_reference(make_person("Alice"), ALICE, photo=photo)
    face = make_unlabeled(SOMEBODY, photo=photo).face
    page = as_labeler.get(f"/label/{face.face_id}/").text
    assert "Nobody known looks like this" in page
    assert "One of the two faces" not in page


@pytest.mark.parametrize("by", ["name", "person"])
def test_a_name_that_is_in_the_photo_already_is_asked_about(by: str, neighbor: Face, hx: Client) -> None:
    face, alice = UnlabeledFace.objects.get().face, Person.objects.get()
    response = decide(hx, face, **({"name": "alice"} if by == "name" else {"person": alice.pk}))
    assert response.status_code == 422
    assert "Alice is named in this photo already, by FaceVault." in response.text
    assert f'href="/label/{neighbor.face_id}/"' in response.text
    assert not Sighting.objects.filter(face=face).exists()
    assert decide(hx, face, twice=alice.pk).status_code == 200
    assert Sighting.objects.get(face=face).person == alice


def test_naming_a_face_as_it_is_named_already_asks_nothing(face: Face, labeler: User, hx: Client) -> None:
    label_face(face=face, actor=labeler, name="Alice")
    assert decide(hx, Face.objects.get(pk=face.pk), name="Alice").status_code == 200


def test_nobody_else_names_a_person_twice(neighbor: Face, outsider: User, uploader: User) -> None:
    face = UnlabeledFace.objects.get().face
    for user in (outsider, uploader):
        assert decide(signed_in(user), face, twice=Person.objects.get().pk).status_code == 403
    assert not Sighting.objects.filter(face=face).exists()


def test_every_choice_of_a_question_has_its_key(face: Face, hx: Client, neighbor: Face) -> None:
    for _ in range(2):
        make_person("Zoe")
    for name, keys in (("Nobody", "n"), ("Zoe", "12n")):
        question = decide(hx, face, name=name).text.split('class="question"')[1].split("</form>")[0]
        assert 'data-hotkey="Enter" data-notice' in question
        for key in keys:
            assert f'data-hotkey="{key}"' in question
            assert f"<kbd>{key}</kbd>" in question
    beside = UnlabeledFace.objects.exclude(face=face).get().face
    page = decide(hx, beside, name="Alice").text
    for key in "12":
        assert page.count(f'data-hotkey="{key}"') == page.count(f"<kbd>{key}</kbd>") == 1


def test_a_question_takes_the_key_of_the_button_below(face: Face, hx: Client) -> None:
    assert decide(hx, face, name="Nobody").text.count('data-hotkey="n"') == 1


def test_a_decided_face_shows_its_name_and_can_be_corrected(
    face: Face, labeler: User, as_labeler: Client
) -> None:
    label_face(face=face, actor=labeler, name="Alice")
    page = as_labeler.get(f"/label/{face.face_id}/").text
    assert ">Alice</h2>" in page
    assert 'value="skip"' not in page
    assert decide(as_labeler, Face.objects.get(pk=face.pk), verdict="stranger").status_code == 302
    assert not Sighting.objects.exists()


def test_the_photo_is_drawn_with_its_box(face: Face, as_labeler: Client) -> None:
    page = as_labeler.get(f"/label/{face.face_id}/").text
    assert 'viewBox="0 0 1600 1200"' in page
    assert f'class="this" x="{face.left}"' in page


def test_a_name_at_the_lower_edge_of_the_photo_is_drawn_inside(as_labeler: Client) -> None:
    photo = make_photo()
    face = make_unlabeled(SOMEBODY, photo=photo).face
    beside = make_reference(make_person("Alice"), ALICE, photo=photo)
    Face.objects.filter(pk=beside.pk).update(left=700, top=photo.height - 125)
    text = re.search(
        r'<text[^>]* y="([\d.]+)"[^>]*>Alice</text>', as_labeler.get(f"/label/{face.face_id}/").text
    )
    assert text
    assert float(text.group(1)) < photo.height - 125


def test_a_face_that_is_none_keeps_its_box_on_its_own_card(
    face: Face, labeler: User, as_labeler: Client
) -> None:
    record_verdict(face=face, kind="not_a_face", actor=labeler)
    assert 'class="this"' in as_labeler.get(f"/label/{face.face_id}/").text


def test_all_events_with_open_faces_are_offered(as_labeler: Client) -> None:
    for _ in range(60):
        make_unlabeled()
    assert as_labeler.get("/label/", follow=True).text.count("<option value=") == 61
