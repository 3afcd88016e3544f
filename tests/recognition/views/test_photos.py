"""One photo: its boxes, its faces, its neighbors."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from access.models import EventGrant
from recognition.models import Event, Photo, Sighting, UnlabeledFace
from recognition.photos.edits import PhotoRefusal, move_photo
from recognition.storage import original_path
from tests.conftest import count_queries, make_user, signed_in
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
        thresholds={"automatic": 0.7, "line": 0.76, "reasons": ["roster"]},
        seen_at=photo.taken_at,
    )
    UnlabeledFace.objects.create(face=make_face(photo), reviewed=True, verdict="not_a_face")
    UnlabeledFace.objects.create(face=make_face(photo), reviewed=True, verdict="stranger")
    page = as_labeler.get(f"/photos/{photo.pk}/").content.decode()
    assert page.count('<rect class="verified"') == 1
    assert page.count('<rect class="machine"') == 1
    assert page.count('<rect class="stranger"') == 1
    assert '<rect class="not_a_face"' not in page
    assert 'title="0.81, line 0.76 because not on the roster">by FaceVault<' in page
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


def test_neighbors_follow_the_filter_that_one_came_from(as_labeler: Client) -> None:
    event, alice = make_event(), make_person("Alice")
    first, between, here, last = (make_photo(event) for _ in range(4))
    for photo in (first, here, last):
        make_unlabeled(photo=photo)
    label_face(make_face(between), alice)
    label_face(make_face(last), alice)
    response = as_labeler.get(f"/photos/{here.pk}/?show=unnamed")
    assert (response.context["previous"], response.context["next"]) == (first, last)
    page = response.content.decode()
    assert f'href="/photos/{last.pk}/?show=unnamed"' in page
    assert f'href="/events/{event.pk}/?show=unnamed"' in page
    assert "2 of 3: unnamed faces" in page
    context = as_labeler.get(f"/photos/{last.pk}/?person={alice.pk}").context
    assert (context["previous"], context["next"]) == (between, None)


def test_a_photo_that_left_the_filter_still_has_neighbors(as_labeler: Client) -> None:
    event = make_event()
    first, here, last = (make_photo(event) for _ in range(3))
    for photo in (first, last):
        make_unlabeled(photo=photo)
    context = as_labeler.get(f"/photos/{here.pk}/?show=unnamed").context
    assert (context["previous"], context["next"], context["number"]) == (first, last, None)


def test_keys_lead_on_and_the_neighbors_pictures_are_fetched_ahead(as_labeler: Client) -> None:
    event = make_event()
    first, here = make_photo(event), make_photo(event)
    make_photo(event, state=Photo.State.QUEUED)
    page = as_labeler.get(f"/photos/{here.pk}/").content.decode()
    assert 'data-hotkey="ArrowLeft k"' in page
    assert 'data-hotkey="ArrowRight j"' in page
    assert page.count("/preview.jpg") == 2
    assert f'src="/photos/{first.pk}/preview.jpg" alt=""' in page


def test_box_and_entry_of_a_face_name_each_other(as_labeler: Client) -> None:
    face = make_unlabeled().face
    page = as_labeler.get(f"/photos/{face.photo_id}/").content.decode()
    assert page.count(f'data-face="{face.face_id}"') == 2
    assert "data-face" not in as_labeler.get(f"/events/{face.photo.event_id}/").content.decode()


def test_it_says_who_named_a_face(as_labeler: Client, labeler: User) -> None:
    face = make_face()
    label_face(face, make_person("Alice"))
    Sighting.objects.update(decided_by_user=labeler)
    assert "by lena" in as_labeler.get(f"/photos/{face.photo_id}/").content.decode()


def test_the_number_of_queries_does_not_grow_with_faces(as_labeler: Client) -> None:
    photo, counts = make_photo(), []
    for more in (2, 18):
        for _ in range(more):
            label_face(make_face(photo), make_person())
        counts.append(count_queries(as_labeler, f"/photos/{photo.pk}/?show=unnamed"))
    assert counts[0] == counts[1] <= 20


def test_a_viewer_reaches_people_but_not_the_desk() -> None:
    face = make_face()
    label_face(face, make_person("Alice"))
    make_unlabeled(photo=face.photo)
    viewer = make_user("vera")
    EventGrant.objects.create(user=viewer, event=face.photo.event, role="viewer")
    page = signed_in(viewer).get(f"/photos/{face.photo_id}/").content.decode()
    assert "/people/" in page
    assert "/label/" not in page


class TestDelete:
    def test_a_manager_is_asked_and_then_it_is_gone(self, as_manager: Client, data_folder: Path) -> None:
        event = make_event()
        photo = make_photo(event)
        label_face(make_face(photo), make_person())
        path = original_path(photo.sha256, photo.format)
        path.parent.mkdir(parents=True)
        path.write_bytes(b"somebody")
        page = as_manager.get(f"/photos/{photo.pk}/delete/").content.decode()
        assert "with 1 face, 1 of them named by people" in page
        response = as_manager.post(f"/photos/{photo.pk}/delete/")
        assert response.headers["Location"] == f"/events/{event.pk}/"
        assert not Photo.objects.exists()
        assert not path.exists()

    def test_whoever_brought_it_may_until_somebody_names_a_face(
        self, as_uploader: Client, uploader: User
    ) -> None:
        untouched, named = make_photo(), make_photo()
        Photo.objects.update(uploaded_by=uploader)
        machine = make_face(untouched)
        Sighting.objects.create(
            face=machine, person=make_person(), decided_by="machine", similarity=0.9, seen_at=named.taken_at
        )
        label_face(make_face(named), make_person())
        assert as_uploader.post(f"/photos/{named.pk}/delete/").status_code == 403
        assert as_uploader.post(f"/photos/{untouched.pk}/delete/").status_code == 302
        assert list(Photo.objects.all()) == [named]
        assert "/delete/" not in as_uploader.get(f"/photos/{named.pk}/").content.decode()

    def test_others_may_not(self, as_labeler: Client, as_uploader: Client) -> None:
        photo = make_photo()
        assert as_labeler.post(f"/photos/{photo.pk}/delete/").status_code == 403
        assert as_uploader.post(f"/photos/{photo.pk}/delete/").status_code == 404
        assert Photo.objects.exists()

    def test_a_manager_elsewhere_may_not_even_if_they_see_it(self, outsider: User) -> None:
        photo = make_photo()
        EventGrant.objects.create(user=outsider, event=photo.event, role="viewer")
        EventGrant.objects.create(user=outsider, event=make_event(), role="manager")
        client = signed_in(outsider)
        for path in ("delete", "move"):
            assert client.get(f"/photos/{photo.pk}/{path}/").status_code == 403
            assert client.post(f"/photos/{photo.pk}/{path}/").status_code == 403
        assert "/move/" not in client.get(f"/photos/{photo.pk}/").content.decode()
        foreign = make_photo()
        for path in ("delete", "move"):
            assert client.post(f"/photos/{foreign.pk}/{path}/").status_code == 404

    def test_one_that_is_being_processed_is_left_to_its_worker(self, as_manager: Client) -> None:
        photo = make_photo()
        Photo.objects.filter(pk=photo.pk).update(
            state="processing", lease=uuid4(), lease_until=timezone.now() + timedelta(seconds=30)
        )
        response = as_manager.post(f"/photos/{photo.pk}/delete/")
        assert response.status_code == 409
        assert "is being processed" in response.content.decode()
        assert Photo.objects.exists()


class TestMove:
    def test_it_goes_with_its_faces_and_names(self, as_manager: Client) -> None:
        photo, target = make_photo(), make_event("Target")
        face = make_face(photo)
        label_face(face, make_person())
        assert "Target" in as_manager.get(f"/photos/{photo.pk}/move/").content.decode()
        response = as_manager.post(f"/photos/{photo.pk}/move/", {"event": target.pk})
        assert response.headers["Location"] == f"/photos/{photo.pk}/"
        photo.refresh_from_db()
        assert photo.event == target
        assert Sighting.objects.get().face == face

    def test_the_same_bytes_there_refuse_it(self, as_manager: Client) -> None:
        photo, twin = make_photo(), make_photo()
        Photo.objects.filter(pk=twin.pk).update(sha256=photo.sha256)
        response = as_manager.post(f"/photos/{photo.pk}/move/", {"event": twin.event_id})
        assert response.status_code == 422
        assert "has the same photo already" in response.content.decode()
        photo.refresh_from_db()
        assert photo.event != twin.event

    def test_it_goes_to_no_event_that_is_not_theirs_or_is_being_deleted(self, outsider: User) -> None:
        photo, seen, foreign, doomed = make_photo(), make_event(), make_event(), make_event("Doomed")
        for event, role in ((photo.event, "manager"), (seen, "labeler"), (doomed, "manager")):
            EventGrant.objects.create(user=outsider, event=event, role=role)
        Event.objects.filter(pk=doomed.pk).update(deleted_at=timezone.now())
        client = signed_in(outsider)
        assert "There is no other event" in client.get(f"/photos/{photo.pk}/move/").content.decode()
        for event in (seen, foreign, doomed, photo.event):
            assert client.post(f"/photos/{photo.pk}/move/", {"event": event.pk}).status_code == 422
        before = photo.event_id
        photo.refresh_from_db()
        assert photo.event_id == before

    def test_an_event_that_is_deleted_at_that_moment_takes_nothing_in(self, manager: User) -> None:
        photo, target = make_photo(), make_event()
        Event.objects.filter(pk=target.pk).update(deleted_at=timezone.now())
        with pytest.raises(PhotoRefusal, match="deleted meanwhile"):
            move_photo(photo=photo, to=target, user=manager)


def test_it_is_read_only(as_manager: Client) -> None:
    assert as_manager.post(f"/photos/{make_photo().pk}/").status_code == 405
