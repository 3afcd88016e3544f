"""One event: its photos with boxes and names, and the progress that draws itself until all is done."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from recognition.models import Event, Photo, UnlabeledFace
from tests.conftest import count_queries
from tests.factories import label_face, make_event, make_face, make_person, make_photo, make_unlabeled

pytestmark = pytest.mark.django_db
HX = {"HX-Request": "true"}


def test_photos_are_shown_with_boxes_and_names(as_labeler: Client) -> None:
    event = make_event("Graduation")
    photo = make_photo(event)
    label_face(make_face(photo), make_person("Alice <b>"))
    make_unlabeled(photo=photo)
    page = as_labeler.get(f"/events/{event.pk}/").content.decode()
    assert f'src="/photos/{photo.pk}/thumb.jpg"' in page
    assert 'viewBox="0 0 1600 1200"' in page
    assert "hx-swap-oob" not in page
    assert page.count('<rect class="verified"') == 1
    assert page.count('<rect class="open"') == 1
    assert "Alice &lt;b&gt;" in page
    assert f'href="/label/?event={event.pk}"' in page


def test_nothing_in_the_page_needs_an_inline_style_or_script(as_labeler: Client) -> None:
    event = make_event()
    make_unlabeled(photo=make_photo(event))
    page = as_labeler.get(f"/events/{event.pk}/").content.decode()
    for forbidden in (" style=", "hx-on", "javascript:", "onclick"):
        assert forbidden not in page


def test_a_photo_that_waits_has_no_picture_yet(as_labeler: Client) -> None:
    event = make_event()
    photo = make_photo(event, state=Photo.State.QUEUED)
    page = as_labeler.get(f"/events/{event.pk}/").content.decode()
    assert f"/photos/{photo.pk}/thumb.jpg" not in page
    assert photo.name in page
    assert "waiting" in page


def test_failed_photos_are_listed_with_their_reason(as_labeler: Client) -> None:
    event = make_event()
    photo = make_photo(event, state=Photo.State.FAILED)
    Photo.objects.filter(pk=photo.pk).update(failure_reason="The file is cut short.")
    page = as_labeler.get(f"/events/{event.pk}/").content.decode()
    assert "1 photo failed" in page
    assert "The file is cut short." in page


def test_there_are_sixty_photos_on_a_page(as_labeler: Client) -> None:
    event = make_event()
    for _ in range(61):
        make_photo(event)
    assert len(as_labeler.get(f"/events/{event.pk}/").context["photos"]) == 60
    second = as_labeler.get(f"/events/{event.pk}/?page=2")
    assert len(second.context["photos"]) == 1
    assert "Page 2 of 2" in second.content.decode()


def test_the_number_of_queries_does_not_grow_with_photos_and_people(as_labeler: Client) -> None:
    event = make_event()
    make_photo(event, state=Photo.State.FAILED)
    counts = []
    for more in (2, 18):
        for _ in range(more):
            photo = make_photo(event)
            label_face(make_face(photo), make_person())
            make_unlabeled(photo=photo)
        counts.append(
            [count_queries(as_labeler, f"/events/{event.pk}/{query}") for query in ("", "?by=person")]
        )
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 25


def test_the_fragment_is_the_grid_with_the_numbers_around_it(as_labeler: Client) -> None:
    event = make_event()
    make_unlabeled(photo=make_photo(event))
    part = as_labeler.get(f"/events/{event.pk}/", headers=HX)
    page = part.content.decode()
    assert page.strip().startswith('<div id="photos"')
    for piece in ("event-head", "event-summary", "event-failed"):
        assert f'id="{piece}"' in page
    assert page.count('hx-swap-oob="true"') == 3
    assert "Name 1 face" in page
    assert "<html" not in page
    assert "HX-Request" in part.headers["Vary"]


def test_uploaders_see_the_photos_that_they_brought(as_uploader: Client, uploader: User) -> None:
    event = make_event()
    mine, other = make_photo(event), make_photo(event)
    Photo.objects.filter(pk=mine.pk).update(uploaded_by=uploader)
    page = as_uploader.get(f"/events/{event.pk}/").content.decode()
    assert f"/photos/{mine.pk}/" in page
    assert f"/photos/{other.pk}/" not in page


def test_uploaders_are_told_that_a_face_has_a_name_but_not_which(as_uploader: Client, uploader: User) -> None:
    event = make_event()
    photo = make_photo(event)
    Photo.objects.filter(pk=photo.pk).update(uploaded_by=uploader)
    label_face(make_face(photo), make_person("Alice"))
    make_unlabeled(photo=photo)
    for headers in ({}, HX):
        page = as_uploader.get(f"/events/{event.pk}/", headers=headers).content.decode()
        assert "Alice" not in page
        assert f'alt="{photo.name}"' in page
        assert page.count('<rect class="named"') == page.count('<rect class="open"') == 1
    assert "named by FaceVault</li>" not in as_uploader.get(f"/events/{event.pk}/").content.decode()


def test_an_empty_event_leads_to_the_upload(as_manager: Client) -> None:
    event = make_event()
    page = as_manager.get(f"/events/{event.pk}/").content.decode()
    assert "No photos yet" in page
    assert f'href="/events/{event.pk}/upload/"' in page


def test_an_unknown_event_is_not_found(as_labeler: Client) -> None:
    response = as_labeler.get("/events/999/")
    assert response.status_code == 404
    assert "This page is not here" in response.content.decode()
    assert as_labeler.get("/events/x/").status_code == 404


def test_it_is_read_only(as_manager: Client) -> None:
    event = make_event()
    assert as_manager.post(f"/events/{event.pk}/").status_code == 405
    assert as_manager.post(f"/events/{event.pk}/progress/").status_code == 405


class TestFilters:
    """What each filter leaves; `photos` is told by their names, since pages have more links."""

    @staticmethod
    def shown(client: Client, event: Event, query: str) -> set[int]:
        response = client.get(f"/events/{event.pk}/?{query}")
        assert response.status_code == 200
        return {drawn.photo.pk for drawn in response.context["photos"]}

    def test_each_leaves_its_photos_and_says_how_many(self, as_labeler: Client) -> None:
        event, alice = make_event(), make_person("Alice")
        named, unnamed, empty = make_photo(event), make_photo(event), make_photo(event)
        waiting, failed = (make_photo(event, state=state) for state in ("queued", "failed"))
        label_face(make_face(named), alice)
        make_unlabeled(photo=unnamed)
        UnlabeledFace.objects.create(face=make_face(named), reviewed=True, verdict="stranger")
        make_unlabeled(photo=make_photo())
        everything = {photo.pk for photo in (named, unnamed, empty, waiting, failed)}
        assert self.shown(as_labeler, event, "") == everything
        assert self.shown(as_labeler, event, "show=unnamed") == {unnamed.pk}
        assert self.shown(as_labeler, event, "show=no-faces") == {empty.pk}
        assert self.shown(as_labeler, event, "show=waiting") == {waiting.pk}
        assert self.shown(as_labeler, event, "show=failed") == {failed.pk}
        assert self.shown(as_labeler, event, f"person={alice.pk}") == {named.pk}
        choices = as_labeler.get(f"/events/{event.pk}/").context["choices"]
        assert {choice.label: choice.count for choice in choices} == {
            "All": 5,
            "Unnamed faces": 1,
            "No faces": 1,
            "Waiting": 1,
            "Failed": 1,
        }

    @pytest.mark.parametrize("query", ["show=", "show=rubbish", "person=", "person=x", "person=" + "9" * 40])
    def test_rubbish_shows_everything(self, as_labeler: Client, query: str) -> None:
        photo = make_photo()
        assert self.shown(as_labeler, photo.event, query) == {photo.pk}

    def test_a_filter_that_leaves_nothing_is_not_offered_and_says_so_when_it_is_asked_for(
        self, as_labeler: Client
    ) -> None:
        event = make_photo().event
        label_face(make_face(event.photos.get()), make_person())
        assert "show=failed" not in as_labeler.get(f"/events/{event.pk}/").content.decode()
        page = as_labeler.get(f"/events/{event.pk}/?show=failed").content.decode()
        assert "No photo failed." in page
        assert "Show all photos" in page

    def test_people_are_offered_with_the_number_of_their_photos(self, as_labeler: Client) -> None:
        event, zoe, alice = make_event(), make_person("Zoe"), make_person("Alice")
        for _ in range(2):
            label_face(make_face(make_photo(event)), zoe)
        label_face(make_face(make_photo(event)), alice)
        label_face(make_face(make_photo()), make_person("Elsewhere"))
        assert (
            f'href="/events/{event.pk}/?by=person"' in as_labeler.get(f"/events/{event.pk}/").content.decode()
        )
        page = as_labeler.get(f"/events/{event.pk}/?by=person").content.decode()
        assert page.index("Alice (1)</option>") < page.index("Zoe (2)</option>")
        assert "Elsewhere" not in page
        chosen = as_labeler.get(f"/events/{event.pk}/?person={zoe.pk}").content.decode()
        assert 'aria-current="true">Zoe <span>2</span>' in chosen

    def test_somebody_of_another_event_is_not_named(self, as_labeler: Client) -> None:
        event, elsewhere = make_photo().event, make_person("Elsewhere")
        label_face(make_face(make_photo()), elsewhere)
        page = as_labeler.get(f"/events/{event.pk}/?person={elsewhere.pk}").content.decode()
        assert "Elsewhere" not in page
        assert "This person is on no photo of this event now." in page

    def test_the_photos_and_the_pages_keep_the_filter(self, as_labeler: Client) -> None:
        event = make_event()
        for _ in range(61):
            make_unlabeled(photo=make_photo(event))
        page = as_labeler.get(f"/events/{event.pk}/?show=unnamed").content.decode()
        first = event.photos.order_by("pk")[0]
        assert f'href="/photos/{first.pk}/?show=unnamed"' in page
        assert "?show=unnamed&amp;page=2" in page
        assert f'hx-get="/events/{event.pk}/?page=1&amp;show=unnamed"' in page

    def test_an_uploader_is_offered_no_names_and_nothing_that_tells_them(
        self, as_uploader: Client, uploader: User
    ) -> None:
        alice, photo, other = make_person("Alice"), make_photo(), make_photo()
        Photo.objects.update(uploaded_by=uploader)
        label_face(make_face(photo), alice)
        make_unlabeled(photo=other)
        assert self.shown(as_uploader, photo.event, "show=unnamed") == {photo.pk}
        assert self.shown(as_uploader, photo.event, f"person={make_person().pk}") == {photo.pk}
        page = as_uploader.get(f"/events/{photo.event_id}/").content.decode()
        assert "by=person" not in page
        assert "by-person" not in as_uploader.get(f"/events/{photo.event_id}/?by=person").content.decode()
        assert "Unnamed" not in page

    def test_the_fragment_is_the_grid_with_its_filters(self, as_labeler: Client) -> None:
        event = make_event()
        make_unlabeled(photo=make_photo(event))
        make_photo(event)
        page = as_labeler.get(f"/events/{event.pk}/?show=unnamed", headers=HX).content.decode()
        assert page.strip().startswith('<div id="photos"')
        assert 'id="show-unnamed"' in page
        assert 'aria-current="true">Unnamed faces' in page


class TestRetry:
    def test_all_failed_photos_of_the_event_wait_again(self, as_manager: Client) -> None:
        event = make_event()
        failed, done = make_photo(event, state=Photo.State.FAILED), make_photo(event)
        elsewhere = make_photo(state=Photo.State.FAILED)
        assert (
            f'action="/events/{event.pk}/retry/"' in as_manager.get(f"/events/{event.pk}/").content.decode()
        )
        response = as_manager.post(f"/events/{event.pk}/retry/")
        assert response.status_code == 302
        assert response.headers["Location"] == f"/events/{event.pk}/"
        states = dict(Photo.objects.values_list("pk", "state"))
        assert states == {failed.pk: "queued", done.pk: "done", elsewhere.pk: "failed"}
        assert "/retry/" not in as_manager.get(f"/events/{event.pk}/").content.decode()

    def test_htmx_draws_the_progress_and_has_the_rest_drawn_anew(self, as_manager: Client) -> None:
        event = make_event()
        make_photo(event, state=Photo.State.FAILED)
        response = as_manager.post(f"/events/{event.pk}/retry/", headers=HX)
        page = response.content.decode()
        assert page.strip().startswith('<section id="event-progress"')
        assert 'hx-trigger="every 2s"' in page
        assert "photos-ready" in response.headers["HX-Trigger-After-Settle"]

    def test_an_uploader_retries_their_own_alone(self, as_uploader: Client, uploader: User) -> None:
        event = make_event()
        mine, other = (make_photo(event, state=Photo.State.FAILED) for _ in range(2))
        Photo.objects.filter(pk=mine.pk).update(uploaded_by=uploader)
        assert as_uploader.post(f"/events/{event.pk}/retry/").status_code == 302
        states = dict(Photo.objects.values_list("pk", "state"))
        assert states == {mine.pk: "queued", other.pk: "failed"}

    def test_labelers_may_not(self, as_labeler: Client) -> None:
        event = make_event()
        make_photo(event, state=Photo.State.FAILED)
        assert "/retry/" not in as_labeler.get(f"/events/{event.pk}/").content.decode()
        assert as_labeler.post(f"/events/{event.pk}/retry/").status_code == 403
        assert Photo.objects.get().state == Photo.State.FAILED

    def test_an_unknown_event_is_not_found_and_a_link_retries_nothing(self, as_manager: Client) -> None:
        assert as_manager.post("/events/999/retry/").status_code == 404
        assert as_manager.get(f"/events/{make_event().pk}/retry/").status_code == 405


class TestProgress:
    def test_it_asks_for_the_worker_when_nothing_moves(self, as_uploader: Client, uploader: User) -> None:
        photo = make_photo(state=Photo.State.QUEUED)
        Photo.objects.filter(pk=photo.pk).update(
            uploaded_by=uploader, uploaded_at=timezone.now() - timedelta(seconds=61)
        )
        page = as_uploader.get(f"/events/{photo.event_id}/progress/").content.decode()
        assert "Nothing is being processed. Is the worker running?" in page
        assert "hx-get" in page

    def test_it_asks_again_while_photos_wait(self, as_labeler: Client) -> None:
        event = make_event()
        make_photo(event)
        make_photo(event, state=Photo.State.QUEUED)
        response = as_labeler.get(f"/events/{event.pk}/progress/?seen=0")
        page = response.content.decode()
        assert page.strip().startswith('<section id="event-progress"')
        assert f'hx-get="/events/{event.pk}/progress/?seen=0"' in page
        assert 'hx-trigger="every 2s"' in page
        assert "1 of 2" in page
        assert "show what is new" in page
        assert "HX-Trigger-After-Settle" not in response.headers

    def test_the_finished_one_asks_no_more_and_has_the_grid_drawn_anew(self, as_labeler: Client) -> None:
        event = make_event()
        make_photo(event)
        make_photo(event, state=Photo.State.FAILED)
        response = as_labeler.get(f"/events/{event.pk}/progress/?seen=0")
        assert "hx-" not in response.content.decode()
        assert "photos-ready" in response.headers["HX-Trigger-After-Settle"]

    @pytest.mark.parametrize("seen", ["", "-1", "x", "²", "9" * 5000, "1e3"])
    def test_rubbish_in_the_query_does_no_harm(self, as_labeler: Client, seen: str) -> None:
        event = make_event()
        make_photo(event, state=Photo.State.QUEUED)
        assert as_labeler.get(f"/events/{event.pk}/progress/", {"seen": seen}).status_code == 200

    def test_an_unknown_event_is_not_found(self, as_labeler: Client) -> None:
        assert as_labeler.get("/events/999/progress/").status_code == 404
