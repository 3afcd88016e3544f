"""A group's card: what it shows, what one key names, and what a card that has become outdated does: nothing."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labeling.decisions import label_face, undo_decision
from labeling.models import Cluster, ClusterMember, Decision, Rejection
from recognition.models import ActiveEmbedder, Event, Face, Person, Sighting, UnlabeledFace
from tests.conftest import count_queries, make_local, signed_in
from tests.factories import make_event, make_person, make_photo, make_reference, make_unlabeled, vector_near
from tests.labeling.conftest import ALICE, BOB, CAROL


def join(cluster: Cluster, face: Face) -> ClusterMember:
    Cluster.objects.filter(pk=cluster.pk).update(open_count=cluster.members.count() + 1)
    return ClusterMember.objects.create(cluster=cluster, face=face, closeness=0.9)


def make_group(size: int, *, event: Event | None = None, stranger: bool = False) -> Cluster:
    """Faces like Alice, each on a photo of its own; the last one may be like nobody of them."""
    event = event or make_event()
    cluster = Cluster.objects.create(event=event)
    for number in range(size):
        vector = CAROL if stranger and number == size - 1 else vector_near(ALICE, 0.97, seed=number)
        join(cluster, make_unlabeled(vector, photo=make_photo(event)).face)
    cluster.refresh_from_db()
    return cluster


def faces_of(cluster: Cluster) -> list[Face]:
    return list(Face.objects.filter(member__cluster=cluster).order_by("pk"))


def posted(cluster: Cluster, **values: object) -> dict[str, object]:
    last = cluster.members.order_by("-pk").first()
    fresh = Cluster.objects.get(pk=cluster.pk)
    return {"key": uuid4(), "version": fresh.version, "upto": last.pk if last else 0, **values}


def decide(client: Client, cluster: Cluster, **values: object):  # type: ignore[no-untyped-def]
    return client.post(f"/label/group/{cluster.pk}/decide/", posted(cluster, **values))


def test_the_card_shows_the_best_eight_and_the_farthest_three_and_counts_the_rest(as_labeler: Client) -> None:
    cluster = make_group(23)
    response = as_labeler.get(f"/label/group/{cluster.pk}/")
    card = response.context["card"]
    assert (len(card.faces), sum(shown.far for shown in card.faces), card.hidden) == (11, 3, 12)
    assert "23 faces, one person?" in response.text
    assert "12 more" in response.text
    assert f"/label/group/{cluster.pk}/?view=all" in response.text


def test_one_key_shows_them_all(hx: Client) -> None:
    cluster = make_group(23)
    response = hx.get(f"/label/group/{cluster.pk}/?view=all")
    assert len(response.context["card"].faces) == 23
    assert response["HX-Replace-Url"] == f"/label/group/{cluster.pk}/?view=all"


def test_a_card_that_was_shown_is_marked_for_the_worker(as_labeler: Client) -> None:
    cluster = make_group(3)
    as_labeler.get(f"/label/group/{cluster.pk}/")
    assert Cluster.objects.get(pk=cluster.pk).seen_at is not None


def test_one_name_is_for_every_face(hx: Client) -> None:
    cluster = make_group(12)
    response = decide(hx, cluster, name="Alice", new="1")
    assert response.status_code == 200
    assert Sighting.objects.filter(person__name="Alice").count() == 12
    assert "Named Alice, 12 faces." in response.text
    assert response.context["desk"].past[0].count == 12
    assert Decision.objects.count() == 1


def test_enter_takes_the_first_of_a_group_that_agrees(as_labeler: Client) -> None:
    make_reference(make_person("Alice"), ALICE)
    page = as_labeler.get(f"/label/group/{make_group(5).pk}/").text
    assert 'data-hotkey="1 Enter a"' in page


def test_of_a_mixed_group_enter_takes_nobody_before_it_was_looked_at(as_labeler: Client) -> None:
    make_reference(make_person("Alice"), ALICE)
    path = f"/label/group/{make_group(12, stranger=True).pk}/"
    page = as_labeler.get(path).text
    assert "Mixed?" in page
    assert 'data-hotkey="1 Enter a"' not in page
    assert 'data-hotkey="Enter a" data-notice' in page
    assert 'data-hotkey="1 Enter a"' in as_labeler.get(path + "?view=all").text


def test_the_split_view_offers_the_face_that_is_like_nobody_else(hx: Client) -> None:
    cluster = make_group(12, stranger=True)
    stranger = faces_of(cluster)[-1]
    card = hx.get(f"/label/group/{cluster.pk}/?view=split").context["card"]
    assert [len(part.faces) for part in card.parts] == [11, 1]
    response = decide(hx, cluster, apart=card.parts[1].value, view="split")
    assert response.status_code == 200
    assert stranger not in faces_of(cluster)
    assert response["HX-Replace-Url"].startswith(f"/label/group/{cluster.pk}/")
    assert Decision.objects.get().kind == "split"


def test_strays_that_are_taken_out_stay_alone_and_come_back_by_the_undo(hx: Client, labeler: User) -> None:
    cluster = make_group(4)
    for vector in (BOB, CAROL):
        join(cluster, make_unlabeled(vector, photo=make_photo(cluster.event)).face)
    *_, bob, carol = faces_of(cluster)
    decide(hx, cluster, strays=[bob.face_id, carol.face_id], view="split")
    assert not ClusterMember.objects.filter(face__in=[bob, carol]).exists()
    undo_decision(decision=Decision.objects.get(), actor=labeler)
    assert {bob, carol} <= set(faces_of(cluster))


def test_a_face_without_a_vector_is_offered_to_be_taken_out(hx: Client) -> None:
    cluster = make_group(4)
    blank = make_unlabeled(photo=make_photo(cluster.event)).face
    join(cluster, blank)
    card = hx.get(f"/label/group/{cluster.pk}/?view=split").context["card"]
    assert [[face.pk for face in part.faces] for part in card.parts if part.alone] == [[blank.pk]]


def test_without_an_embedder_a_group_is_shown_and_no_split_is_proposed(hx: Client) -> None:
    cluster = make_group(3)
    ActiveEmbedder.objects.all().delete()
    assert len(hx.get(f"/label/group/{cluster.pk}/").context["card"].faces) == 3
    assert hx.get(f"/label/group/{cluster.pk}/?view=split").context["card"].parts == []


def test_chosen_faces_are_named_alone_and_the_group_stays_open(hx: Client) -> None:
    cluster = make_group(5)
    chosen = faces_of(cluster)[:2]
    response = decide(hx, cluster, name="Alice", new="1", face=[face.face_id for face in chosen])
    assert response["HX-Replace-Url"] == f"/label/group/{cluster.pk}/"
    assert set(Sighting.objects.values_list("face", flat=True)) == {face.pk for face in chosen}
    assert Cluster.objects.get(pk=cluster.pk).open_count == 3


def test_chosen_faces_are_taken_out(hx: Client) -> None:
    cluster = make_group(5)
    chosen = faces_of(cluster)[0]
    assert decide(hx, cluster, eject="1", face=[chosen.face_id]).status_code == 200
    assert not ClusterMember.objects.filter(face=chosen).exists()
    assert decide(hx, cluster, eject="1").status_code == 422


@pytest.mark.parametrize("verdict", ["stranger", "not_a_face", "poor"])
def test_a_verdict_is_for_every_face(hx: Client, verdict: str) -> None:
    cluster = make_group(4)
    assert decide(hx, cluster, verdict=verdict).status_code == 200
    assert set(UnlabeledFace.objects.values_list("verdict", flat=True)) == {verdict}


@pytest.mark.parametrize(("verdict", "queue"), [("skip", "skipped"), ("ask", "asked")])
def test_a_group_that_was_put_off_waits_in_its_queue(hx: Client, verdict: str, queue: str) -> None:
    cluster = make_group(4)
    decide(hx, cluster, verdict=verdict)
    assert hx.get("/label/").context["card"] is None
    assert hx.get(f"/label/?queue={queue}").context["card"].cluster == cluster


def test_a_rejected_person_is_not_suggested_for_the_group_again(hx: Client) -> None:
    alice, bob = make_person("Alice"), make_person("Bob")
    make_reference(alice, ALICE)
    make_reference(bob, BOB)
    cluster = make_group(4)
    response = decide(hx, cluster, reject=alice.pk)
    assert response["HX-Replace-Url"] == f"/label/group/{cluster.pk}/"
    assert Rejection.objects.filter(person=alice).count() == 4
    assert [one.person for one in response.context["card"].suggestions] == [bob]


def test_one_key_rejects_everybody_who_is_shown(hx: Client) -> None:
    people = [make_person("Alice"), make_person("Bob")]
    for person, vector in zip(people, (ALICE, BOB), strict=True):
        make_reference(person, vector)
    cluster = make_group(3)
    none = hx.get(f"/label/group/{cluster.pk}/").context["card"].none_of
    assert decide(hx, cluster, none=none).status_code == 200
    assert Rejection.objects.count() == 6
    assert Decision.objects.count() == 1


def test_a_face_whose_photo_shows_the_person_stays_open(hx: Client) -> None:
    alice = make_person("Alice")
    cluster = make_group(4)
    beside = faces_of(cluster)[0]
    make_reference(alice, ALICE, photo=beside.photo)
    response = decide(hx, cluster, person=alice.pk)
    assert "Named Alice, 3 faces; 1 stays open" in response.text
    assert not Sighting.objects.filter(face=beside).exists()


def test_who_is_named_in_one_of_the_photos_is_greyed_with_the_reason(as_labeler: Client) -> None:
    alice = make_person("Alice")
    cluster = make_group(4)
    make_reference(alice, ALICE, photo=faces_of(cluster)[0].photo)
    page = as_labeler.get(f"/label/group/{cluster.pk}/").text
    assert "named in 1 of these photos already" in page
    assert "Name the other 3" in page
    assert 'data-hotkey="1' not in page


def test_who_is_in_one_of_the_photos_and_not_like_the_group_takes_nobodys_place(as_labeler: Client) -> None:
    alice, bob = make_person("Alice"), make_person("Bob")
    cluster = make_group(4)
    make_reference(alice, ALICE)
    make_reference(bob, BOB, photo=faces_of(cluster)[0].photo)
    card = as_labeler.get(f"/label/group/{cluster.pk}/").context["card"]
    assert [one.person for one in card.suggestions] == [alice]


def test_who_joined_after_the_card_was_drawn_is_not_named(hx: Client) -> None:
    cluster = make_group(3)
    card = posted(cluster, name="Alice", new="1")
    late = make_unlabeled(vector_near(ALICE, 0.97, seed=50), photo=make_photo(cluster.event)).face
    join(cluster, late)
    assert hx.post(f"/label/group/{cluster.pk}/decide/", card).status_code == 200
    assert Sighting.objects.count() == 3
    assert not Sighting.objects.filter(face=late).exists()


def test_an_outdated_card_writes_nothing_and_says_who_was_first(hx: Client, manager: User) -> None:
    cluster = make_group(3)
    card = posted(cluster, name="Bob", new="1")
    label_face(face=faces_of(cluster)[0], actor=manager, name="Alice")
    response = hx.post(f"/label/group/{cluster.pk}/decide/", card)
    assert response.status_code == 409
    assert "mona named" in response.text
    assert not Person.objects.filter(name="Bob").exists()
    assert response.context["card"].count == 2


def test_the_same_card_posted_twice_is_one_decision(hx: Client) -> None:
    cluster = make_group(3)
    card = posted(cluster, name="Alice", new="1")
    for _ in range(2):
        assert hx.post(f"/label/group/{cluster.pk}/decide/", card).status_code == 200
    assert Decision.objects.count() == 1
    assert Person.objects.count() == 1


def test_an_undo_brings_the_group_back(hx: Client, labeler: User) -> None:
    cluster = make_group(3)
    decide(hx, cluster, name="Alice", new="1")
    undo_decision(decision=Decision.objects.get(), actor=labeler)
    card = hx.get("/label/").context["card"]
    assert (card.cluster, card.count) == (cluster, 3)


def test_a_question_about_a_name_keeps_the_chosen_faces(hx: Client) -> None:
    cluster = make_group(4)
    chosen = faces_of(cluster)[1]
    response = decide(hx, cluster, name="Nobody Yet", face=[chosen.face_id])
    assert response.status_code == 422
    assert f'<input type="hidden" name="face" value="{chosen.face_id}">' in response.text
    assert not Decision.objects.exists()


def test_without_javascript_a_name_leads_to_the_next_card(as_labeler: Client) -> None:
    first, second = make_group(4), make_group(3)
    response = decide(as_labeler, first, name="Alice", new="1")
    assert (response.status_code, response["Location"]) == (302, f"/label/group/{second.pk}/")


def test_a_large_group_asks_the_database_as_often_as_a_small_one(hx: Client) -> None:
    small, large = make_group(12), make_group(30)
    few, many = (count_queries(hx, f"/label/group/{one.pk}/") for one in (small, large))
    few, many = (count_queries(hx, f"/label/group/{one.pk}/") for one in (small, large))
    assert many <= few


def test_a_group_that_is_all_decided_says_so(hx: Client, as_labeler: Client) -> None:
    cluster = make_group(2)
    decide(hx, cluster, verdict="stranger")
    page = as_labeler.get(f"/label/group/{cluster.pk}/").text
    assert "Nothing left in this group" in page


@pytest.mark.parametrize(
    "values",
    [{"version": "x"}, {"upto": -1}, {"face": "x"}, {"none": "x"}, {"none": "999999"}, {"person": 9}],
)
def test_nonsense_changes_nothing(hx: Client, values: dict[str, object]) -> None:
    cluster = make_group(2)
    assert decide(hx, cluster, **{"verdict": "stranger", **values}).status_code == 422 or values == {
        "upto": 0
    }
    assert not Decision.objects.exists()


def test_a_face_of_another_group_cannot_be_slipped_in(hx: Client) -> None:
    cluster, other = make_group(3), make_group(3)
    foreign = faces_of(other)[0]
    assert decide(hx, cluster, verdict="stranger", face=[foreign.face_id]).status_code == 409
    assert not Decision.objects.exists()


def test_nobody_else_decides_about_a_group(outsider: User, uploader: User) -> None:
    cluster = make_group(3)
    for user in (outsider, uploader):
        assert decide(signed_in(user), cluster, verdict="stranger").status_code == 403
    lea = make_local("lea", "labeler", make_event())
    assert decide(signed_in(lea), cluster, verdict="stranger").status_code == 404
    assert signed_in(lea).get(f"/label/group/{cluster.pk}/").status_code == 404
    assert not Decision.objects.exists()
