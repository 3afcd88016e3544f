"""One photo: its boxes, its faces, its neighbours."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from recognition.models import Photo, Sighting, UnlabeledFace
from tests.factories import label_face, make_event, make_face, make_person, make_photo, make_unlabeled

pytestmark = pytest.mark.django_db


def test_it_shows_every_face_and_where_each_leads(as_labeler: Client) -> None:
    photo = make_photo()
    alice = make_person("Alice")
    known, open_face = make_face(photo), make_unlabeled(photo=photo).face
    label_face(known, alice)
    page = as_labeler.get(f"/photos/{photo.pk}/").content.decode()
    assert f'src="/photos/{photo.pk}/preview.jpg"' in page
    assert f'src="/faces/{known.face_id}/crop.jpg"' in page
    assert f'href="/people/{alice.pk}/"' in page
    assert f'href="/label/{open_face.face_id}/"' in page
    assert f'href="/label/{known.face_id}/"' in page


def test_it_tells_what_people_said_from_what_the_machine_said(as_labeler: Client) -> None:
    photo = make_photo()
    label_face(make_face(photo), make_person("Alice"))
    Sighting.objects.create(
        face=make_face(photo),
        person=make_person("Bob"),
        decided_by="machine",
        similarity=0.812,
        seen_at=photo.taken_at,
    )
    UnlabeledFace.objects.create(face=make_face(photo), reviewed=True, verdict="not_a_face")
    UnlabeledFace.objects.create(face=make_face(photo), reviewed=True, verdict="stranger")
    page = as_labeler.get(f"/photos/{photo.pk}/").content.decode()
    assert page.count('<rect class="verified"') == 1
    assert page.count('<rect class="machine"') == 1
    assert page.count('<rect class="stranger"') == 1
    assert '<rect class="not_a_face"' not in page
    assert "by FaceVault 0.81" in page
    assert "4 faces" in page


def test_previous_and_next_stay_in_the_event(as_labeler: Client) -> None:
    event = make_event()
    first, second = make_photo(event), make_photo(event)
    make_photo()
    third = make_photo(event)
    context = as_labeler.get(f"/photos/{second.pk}/").context
    assert (context["previous"], context["next"]) == (first, third)
    assert as_labeler.get(f"/photos/{third.pk}/").context["next"] is None


def test_a_photo_that_failed_says_why(as_labeler: Client) -> None:
    photo = make_photo(state=Photo.State.FAILED)
    Photo.objects.filter(pk=photo.pk).update(failure_reason="The file is cut short.")
    page = as_labeler.get(f"/photos/{photo.pk}/").content.decode()
    assert "The file is cut short." in page
    assert "preview.jpg" not in page


def test_a_photo_that_waits_says_so(as_labeler: Client) -> None:
    photo = make_photo(state=Photo.State.QUEUED)
    assert "Not processed yet" in as_labeler.get(f"/photos/{photo.pk}/").content.decode()


def test_uploaders_see_their_own_without_names_and_links_to_people_and_desk(
    as_uploader: Client, uploader: User
) -> None:
    event = make_event()
    mine, other = make_photo(event), make_photo(event)
    Photo.objects.filter(pk=mine.pk).update(uploaded_by=uploader)
    label_face(make_face(mine), make_person("Alice"))
    machine = make_face(mine)
    Sighting.objects.create(
        face=machine, person=make_person("Bob"), decided_by="machine", similarity=0.812, seen_at=mine.taken_at
    )
    make_unlabeled(photo=mine)
    UnlabeledFace.objects.create(face=make_face(mine), reviewed=True, verdict="stranger")
    response = as_uploader.get(f"/photos/{mine.pk}/")
    page = response.content.decode()
    # Who is on a photo is for labelers and managers: with an upload of their own anybody could look a face up.
    for secret in ("Alice", "Bob", "0.81", "verified", "by FaceVault"):
        assert secret not in page
    assert page.count('<rect class="named"') == 2
    assert page.count('<rect class="open"') == 2
    assert page.count(">named<") == 2
    assert page.count(">not named yet<") == 2
    assert "/people/" not in page
    assert "/label/" not in page
    assert response.context["next"] is None
    assert as_uploader.get(f"/photos/{other.pk}/").status_code == 404


def test_an_unknown_photo_is_not_found(as_labeler: Client) -> None:
    assert as_labeler.get("/photos/999/").status_code == 404


class TestRetry:
    @pytest.fixture
    def failed(self) -> Photo:
        photo = make_photo(state=Photo.State.FAILED)
        Photo.objects.filter(pk=photo.pk).update(attempts=3)
        return photo

    def test_a_failed_photo_waits_again(self, as_manager: Client, failed: Photo) -> None:
        assert (
            f'action="/photos/{failed.pk}/retry/"' in as_manager.get(f"/photos/{failed.pk}/").content.decode()
        )
        response = as_manager.post(f"/photos/{failed.pk}/retry/")
        assert response.status_code == 302
        assert response.headers["Location"] == f"/photos/{failed.pk}/"
        failed.refresh_from_db()
        assert (failed.state, failed.attempts) == (Photo.State.QUEUED, 0)
        assert "/retry/" not in as_manager.get(f"/photos/{failed.pk}/").content.decode()

    def test_htmx_draws_the_photo_anew(self, as_manager: Client, failed: Photo) -> None:
        response = as_manager.post(f"/photos/{failed.pk}/retry/", headers={"HX-Request": "true"})
        page = response.content.decode()
        assert page.strip().startswith('<div class="photo-page" id="photo"')
        assert "Not processed yet" in page
        assert "/retry/" not in page

    def test_a_photo_that_did_not_fail_is_left_as_it_is(self, as_manager: Client) -> None:
        photo = make_photo()
        assert as_manager.post(f"/photos/{photo.pk}/retry/").status_code == 302
        photo.refresh_from_db()
        assert photo.state == Photo.State.DONE

    def test_an_uploader_retries_their_own_alone(
        self, as_uploader: Client, uploader: User, failed: Photo
    ) -> None:
        assert as_uploader.post(f"/photos/{failed.pk}/retry/").status_code == 404
        failed.refresh_from_db()
        assert failed.state == Photo.State.FAILED
        Photo.objects.filter(pk=failed.pk).update(uploaded_by=uploader)
        assert as_uploader.post(f"/photos/{failed.pk}/retry/").status_code == 302
        failed.refresh_from_db()
        assert failed.state == Photo.State.QUEUED

    def test_labelers_may_not(self, as_labeler: Client, failed: Photo) -> None:
        assert "/retry/" not in as_labeler.get(f"/photos/{failed.pk}/").content.decode()
        assert as_labeler.post(f"/photos/{failed.pk}/retry/").status_code == 403
        failed.refresh_from_db()
        assert failed.state == Photo.State.FAILED

    def test_a_link_retries_nothing(self, as_manager: Client, failed: Photo) -> None:
        assert as_manager.get(f"/photos/{failed.pk}/retry/").status_code == 405


def test_it_is_read_only(as_manager: Client) -> None:
    assert as_manager.post(f"/photos/{make_photo().pk}/").status_code == 405
