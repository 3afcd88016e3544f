from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from access.models import EventGrant
from recognition.models import Person
from tests.api.conftest import Api, Side, local_user, problem_of
from tests.factories import label_face, make_face, make_person


def test_people_are_found_by_the_beginnings_of_words(manager: User) -> None:
    zoe = make_person("Zoë Ørsted")
    make_person("Alice Berger")
    found = Api(manager).get("people/", q="orst zo").json()["results"]
    assert [(person["id"], person["name"], person["photos"], person["cover"]) for person in found] == [
        (zoe.pk, "Zoë Ørsted", 0, None)
    ]


def test_people_are_found_by_external_id_and_event(mine: Side, foreign: Side, manager: User) -> None:
    Person.objects.filter(pk=mine.person.pk).update(external_id="S-1")
    api = Api(manager)
    for query in ({"external_id": "S-1"}, {"event": mine.event.pk}):
        found = api.get("people/", **query).json()["results"]
        assert [person["id"] for person in found] == [mine.person.pk]
    assert found[0]["cover"] == f"/api/v1/faces/{mine.named.face_id}/crop.jpg"


def test_people_are_sorted_by_faces(mine: Side, foreign: Side, manager: User) -> None:
    label_face(make_face(foreign.photo), foreign.person)
    for api in (Api(manager), Api(_sees(mine, foreign))):
        found = api.get("people/", order="faces").json()["results"]
        assert [person["id"] for person in found] == [foreign.person.pk, mine.person.pk]
    assert problem_of(Api(manager).get("people/", order="size"), 422)["code"] == "invalid"


def _sees(*sides: Side) -> User:
    user = local_user(sides[0].event, "viewer")
    for side in sides[1:]:
        EventGrant.objects.create(user=user, event=side.event, role="viewer")
    return user


def test_an_uploader_has_no_people(uploader: User, mine: Side) -> None:
    api = Api(uploader)
    for path in ("people/", f"people/{mine.person.pk}/", "sightings/"):
        assert problem_of(api.get(path), 403)["code"] == "forbidden"


def test_a_labeler_renames_whom_they_alone_see(mine: Side) -> None:
    api = Api(local_user(mine.event, "labeler"), "admin")
    answer = api.patch(f"people/{mine.person.pk}/", {"name": " Alice  Berg ", "aliases": ["Ally", "Ally"]})
    assert (answer.json()["name"], answer.json()["aliases"]) == ("Alice Berg", ["Ally"])
    assert answer.json()["external_id"] is None


def test_renaming_takes_the_scope_admin_and_a_labelers_role(mine: Side, labeler: User) -> None:
    path, body = f"people/{mine.person.pk}/", {"name": "X"}
    answer = Api(labeler, "read", "label", "upload", "export").patch(path, body)
    assert problem_of(answer, 403)["code"] == "scope_missing"
    answer = Api(local_user(mine.event, "viewer")).patch(path, body)
    assert problem_of(answer, 403)["code"] == "forbidden"


def test_whoever_is_also_elsewhere_is_not_renamed_from_here(mine: Side, foreign: Side) -> None:
    label_face(make_face(foreign.photo), mine.person)
    answer = Api(local_user(mine.event, "manager")).patch(f"people/{mine.person.pk}/", {"name": "X"})
    assert problem_of(answer, 403)["code"] == "forbidden"


def test_a_foreign_person_is_not_there(mine: Side, foreign: Side) -> None:
    answer = Api(local_user(mine.event, "manager")).patch(f"people/{foreign.person.pk}/", {"name": "X"})
    problem_of(answer, 404)
    assert Person.objects.get(pk=foreign.person.pk).name == "Foreign person"


def test_a_name_and_a_number_that_are_taken_are_conflicts(mine: Side, manager: User) -> None:
    other = make_person("Alice")
    Person.objects.filter(pk=other.pk).update(external_id="S-1")
    api, path = Api(manager), f"people/{mine.person.pk}/"
    problem = problem_of(api.patch(path, {"name": "ALICE"}), 409)
    assert (problem["code"], problem["people"]) == ("name_taken", [{"id": other.pk, "name": "Alice"}])
    assert api.patch(path, {"name": "Alice", "shared": True}).status_code == 200
    assert problem_of(api.patch(path, {"external_id": "S-1"}), 409)["code"] == "external_id_taken"


@pytest.mark.parametrize("body", [{"name": ""}, {"name": "\u202e"}, {"aliases": "Ally"}, {"nmae": "X"}])
def test_what_is_no_person_is_invalid(body: dict[str, object], mine: Side, manager: User) -> None:
    assert problem_of(Api(manager).patch(f"people/{mine.person.pk}/", body), 422)["code"] == "invalid"


def test_sightings_are_filtered(mine: Side, foreign: Side, manager: User) -> None:
    api = Api(manager)
    found = api.get("sightings/", event=mine.event.pk).json()["results"]
    assert [
        (row["face_id"], row["person"]["name"], row["decided_by"], row["is_reference"]) for row in found
    ] == [(str(mine.named.face_id), "Mine person", "human", True)]
    assert api.get("sightings/", person=foreign.person.pk).json()["count"] == 1
    assert api.get("sightings/", decided_by="machine").json()["count"] == 0
    assert api.get("sightings/", seen_to="2000-01-01T00:00:00Z").json()["count"] == 0
    assert api.get("sightings/", seen_from="2000-01-01T00:00:00Z").json()["count"] == 2


def test_stats_count_what_one_sees(mine: Side, foreign: Side, manager: User) -> None:
    everything = Api(manager).get("stats/").json()
    assert (everything["events"], everything["people"], everything["photos"]["total"]) == (2, 2, 2)
    assert everything["faces"] == {"total": 4, "open": 2, "decided": 2, "by_machine": 0, "by_human": 2}
    assert everything["index"]["fresh"] in {True, False}
    own = Api(local_user(mine.event, "viewer")).get("stats/").json()
    assert (own["events"], own["people"], own["photos"]["total"], own["index"]) == (1, 1, 1, None)
