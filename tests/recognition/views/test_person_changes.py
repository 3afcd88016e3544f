"""Create, rename and remove people; two may share a name, nobody an external id."""

import pytest
from django.test import Client

from recognition.models import Event, Person
from tests.conftest import make_local, make_user, signed_in
from tests.factories import label_face, make_event, make_face, make_person, make_photo

pytestmark = pytest.mark.django_db


def granted(name: str, role: str, *events: Event) -> Client:
    return signed_in(make_local(name, role, *events))


def seen_at(person: Person, event: Event) -> None:
    label_face(make_face(make_photo(event)), person)


class TestNew:
    def test_a_person_is_typed_in_before_any_photo(self, as_labeler: Client) -> None:
        response = as_labeler.post(
            "/people/new/",
            {
                "name": "  Zoë   Ørsted ",
                "external_id": " s 1 ",
                "aliases": "Becky\n\n  Zo \nzoe orsted\nBecky",
            },
        )
        person = Person.objects.get()
        assert (response.status_code, response["Location"]) == (302, f"/people/{person.pk}/")
        assert (person.name, person.external_id, person.aliases) == ("Zoë Ørsted", "s 1", ["Becky", "Zo"])
        assert [found.name for found in Person.objects.matching("beck")] == ["Zoë Ørsted"]

    def test_without_an_external_id_there_may_be_many(self, as_labeler: Client) -> None:
        for name in ("Alice", "Bob"):
            as_labeler.post("/people/new/", {"name": name, "external_id": " "})
        assert list(Person.objects.values_list("external_id", flat=True)) == [None, None]

    def test_the_page_takes_the_searched_name_over(self, as_labeler: Client) -> None:
        assert 'value="Dora"' in as_labeler.get("/people/new/?name=Dora").content.decode()

    @pytest.mark.parametrize(
        ("field", "value", "error"),
        [
            ("name", " \u202e ", "Give the person a name."),
            ("name", "x" * 121, "at most 120 characters"),
            ("external_id", "x" * 61, "at most 60 characters"),
            ("aliases", "x" * 121, "A name has at most 120 characters."),
            ("aliases", "\n".join(str(number) for number in range(21)), "At most 20 other names."),
        ],
    )
    def test_what_cannot_be_stored_is_said_beside_the_field(
        self, as_labeler: Client, field: str, value: str, error: str
    ) -> None:
        response = as_labeler.post("/people/new/", {"name": "Alice", field: value})
        assert response.status_code == 422
        assert error in response.content.decode()
        assert not Person.objects.exists()

    def test_a_shared_name_is_asked_about_and_leads_to_the_other(self, as_labeler: Client) -> None:
        other = make_person("Zoë")
        response = as_labeler.post("/people/new/", {"name": "zoe"})
        page = response.content.decode()
        assert response.status_code == 422
        assert "Somebody has this name already." in page
        assert f'href="/people/{other.pk}/"' in page
        assert '<input type="hidden" name="shared" value="1">' in page
        assert Person.objects.count() == 1

    def test_two_people_may_share_a_name(self, as_labeler: Client) -> None:
        make_person("Zoë")
        assert as_labeler.post("/people/new/", {"name": "Zoë", "shared": "1"}).status_code == 302
        assert Person.objects.filter(name="Zoë").count() == 2

    def test_an_external_id_is_one_person_s_alone(self, as_labeler: Client) -> None:
        owner = Person.objects.create(name="Bob", external_id="s1")
        response = as_labeler.post("/people/new/", {"name": "Alice", "external_id": "s1"})
        page = response.content.decode()
        assert response.status_code == 422
        assert "This external id belongs to somebody else." in page
        assert f'<a href="/people/{owner.pk}/">Bob</a>' in page
        assert Person.objects.count() == 1

    @pytest.mark.parametrize("method", ["get", "post"])
    @pytest.mark.parametrize("role", ["viewer", "uploader"])
    def test_not_for_viewers_and_uploaders(self, role: str, method: str) -> None:
        client = signed_in(make_user("vera", role))
        assert getattr(client, method)("/people/new/", {"name": "Alice"}).status_code == 403
        assert not Person.objects.exists()

    @pytest.mark.parametrize("role", ["labeler", "manager"])
    def test_not_for_somebody_who_labels_at_some_events(self, role: str) -> None:
        client = granted("lea", role, make_event())
        assert client.post("/people/new/", {"name": "Alice"}).status_code == 403
        assert "/people/new/" not in client.get("/people/").content.decode()
        assert not Person.objects.exists()


class TestEdit:
    def test_name_aliases_and_external_id_are_changed(self, as_labeler: Client) -> None:
        person = Person.objects.create(name="Alice", aliases=["Al"], external_id="s1")
        page = as_labeler.get(f"/people/{person.pk}/edit/").content.decode()
        assert all(f'value="{value}"' in page for value in ("Alice", "s1"))
        assert "Al</textarea>" in page
        response = as_labeler.post(
            f"/people/{person.pk}/edit/", {"name": "Alicia", "aliases": "Alice", "external_id": ""}
        )
        person.refresh_from_db()
        assert response["Location"] == f"/people/{person.pk}/"
        assert (person.name, person.aliases, person.external_id) == ("Alicia", ["Alice"], None)
        assert person.search_text == " alicia alice"

    def test_another_spelling_of_a_shared_name_asks_nobody(self, as_labeler: Client) -> None:
        make_person("Zoë")
        person = make_person("zoe")
        assert as_labeler.post(f"/people/{person.pk}/edit/", {"name": "Zoe"}).status_code == 302

    def test_the_name_of_somebody_else_is_asked_about(self, as_labeler: Client) -> None:
        make_person("Bob")
        alice = make_person("Alice")
        response = as_labeler.post(f"/people/{alice.pk}/edit/", {"name": "Bob"})
        assert response.status_code == 422
        assert "Edit Alice" in response.content.decode()
        alice.refresh_from_db()
        assert alice.name == "Alice"
        assert as_labeler.post(f"/people/{alice.pk}/edit/", {"name": "Bob", "shared": "1"}).status_code == 302

    def test_the_number_of_somebody_else_is_refused(self, as_labeler: Client) -> None:
        Person.objects.create(name="Bob", external_id="s1")
        alice = make_person("Alice")
        response = as_labeler.post(f"/people/{alice.pk}/edit/", {"name": "Alice", "external_id": "s1"})
        assert response.status_code == 422
        alice.refresh_from_db()
        assert alice.external_id is None

    def test_a_labeler_of_all_their_events_may(self) -> None:
        event, alice = make_event(), make_person("Alice")
        seen_at(alice, event)
        client = granted("lea", "labeler", event)
        assert f"/people/{alice.pk}/edit/" in client.get(f"/people/{alice.pk}/").content.decode()
        assert client.post(f"/people/{alice.pk}/edit/", {"name": "Alicia"}).status_code == 302

    def test_not_somebody_who_is_known_elsewhere_too(self) -> None:
        mine, alice = make_event(), make_person("Alice")
        for event in (mine, make_event()):
            seen_at(alice, event)
        client = granted("lea", "labeler", mine)
        assert "/edit/" not in client.get(f"/people/{alice.pk}/").content.decode()
        for method in ("get", "post"):
            response = getattr(client, method)(f"/people/{alice.pk}/edit/", {"name": "Alicia"})
            assert response.status_code == 403
        alice.refresh_from_db()
        assert alice.name == "Alice"

    def test_somebody_of_another_event_is_not_found(self) -> None:
        alice = make_person("Alice")
        seen_at(alice, make_event())
        client = granted("lea", "labeler", make_event())
        assert client.post(f"/people/{alice.pk}/edit/", {"name": "Alicia"}).status_code == 404

    @pytest.mark.parametrize("role", ["viewer", "uploader"])
    def test_not_for_viewers_and_uploaders(self, role: str) -> None:
        alice = make_person("Alice")
        client = signed_in(make_user("vera", role))
        assert client.post(f"/people/{alice.pk}/edit/", {"name": "Alicia"}).status_code == 403

    def test_of_people_of_other_events_neither_page_nor_name_nor_number_is_told(self) -> None:
        mine, alice = make_event(), make_person("Alice")
        seen_at(alice, mine)
        foreign = Person.objects.create(name="Bob Foreign", external_id="s1")
        seen_at(foreign, make_event())
        client = granted("lea", "labeler", mine)
        shared = client.post(f"/people/{alice.pk}/edit/", {"name": "bob foreign"}).content.decode()
        assert "Somebody at an event that is not yours has this name already." in shared
        taken = client.post(f"/people/{alice.pk}/edit/", {"name": "Alice", "external_id": "s1"})
        assert "This external id belongs to somebody else." in taken.content.decode()
        for page in (shared, taken.content.decode()):
            assert "Bob Foreign" not in page
            assert f"/people/{foreign.pk}/" not in page


class TestDelete:
    def test_a_person_without_faces_is_removed_after_a_question(self, as_labeler: Client) -> None:
        alice = make_person("Alice")
        assert f"/people/{alice.pk}/delete/" in as_labeler.get(f"/people/{alice.pk}/").content.decode()
        page = as_labeler.get(f"/people/{alice.pk}/delete/").content.decode()
        assert "This cannot be undone." in page
        assert Person.objects.exists()
        assert as_labeler.post(f"/people/{alice.pk}/delete/")["Location"] == "/people/"
        assert not Person.objects.exists()

    def test_a_person_with_a_face_stays(self, as_labeler: Client) -> None:
        alice = make_person("Alice")
        label_face(make_face(), alice)
        assert f"/people/{alice.pk}/delete/" not in as_labeler.get(f"/people/{alice.pk}/").content.decode()
        assert "1 face carries this name." in as_labeler.get(f"/people/{alice.pk}/delete/").content.decode()
        assert as_labeler.post(f"/people/{alice.pk}/delete/").status_code == 409
        assert Person.objects.exists()

    @pytest.mark.parametrize("role", ["viewer", "uploader"])
    def test_not_by_viewers_and_uploaders(self, role: str) -> None:
        alice = make_person("Alice")
        assert signed_in(make_user("vera", role)).post(f"/people/{alice.pk}/delete/").status_code == 403
        assert Person.objects.exists()

    def test_not_by_somebody_who_labels_at_some_events(self) -> None:
        event, alice, left_over = make_event(), make_person("Alice"), make_person("Left")
        seen_at(alice, event)
        client = granted("lea", "manager", event)
        assert client.post(f"/people/{alice.pk}/delete/").status_code == 403
        assert client.post(f"/people/{left_over.pk}/delete/").status_code == 404
        assert Person.objects.count() == 2
