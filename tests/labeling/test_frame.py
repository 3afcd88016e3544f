"""The frame around every page: what it counts, for whom, and what it says about embedder and index."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from labeling.models import Preferences
from recognition.embedders.dlib_resnet import EMBEDDER_ID
from recognition.models import ActiveEmbedder, Face
from tests.conftest import signed_in
from tests.factories import make_face, make_person, make_reference
from tests.labeling.conftest import ALICE


def rail_of(client: Client, path: str = "/decisions/") -> str:
    page: str = client.get(path, follow=True).text
    return page.split('<nav class="rail"')[1].split("</nav>")[0]


def test_the_rail_counts_open_faces_and_all_faces(face: Face, as_labeler: Client) -> None:
    make_face()
    rail = rail_of(as_labeler)
    assert ">1<span" in rail
    assert "facenet-vggface2 · 2 faces" in rail
    assert 'action="/logout/"' in rail


@pytest.mark.parametrize(
    ("path", "section"), [("/", "Overview"), ("/events/", "Events"), ("/label/", "Label")]
)
def test_the_rail_marks_where_one_is(path: str, section: str, as_labeler: Client) -> None:
    current = rail_of(as_labeler, path).split('aria-current="page"')
    assert len(current) == 2
    assert f"<span>{section}</span>" in current[1].split("</a>")[0]


def test_an_uploader_has_no_links_to_desk_and_people(uploader: User) -> None:
    rail = rail_of(signed_in(uploader), "/events/")
    assert "/label/" not in rail
    assert "/people/" not in rail


def test_the_bundled_embedder_says_why_it_is_used(as_labeler: Client) -> None:
    assert "foot-note" not in rail_of(as_labeler)
    ActiveEmbedder.objects.update(
        embedder_id=EMBEDDER_ID, reason="FaceNet's weights are missing; run `manage.py fetch_weights`."
    )
    assert "run `manage.py fetch_weights`" in rail_of(as_labeler)


def test_a_site_that_has_no_embedder_yet_still_draws_its_pages(as_labeler: Client) -> None:
    ActiveEmbedder.objects.all().delete()
    rail = rail_of(as_labeler)
    assert "no embedder yet" in rail
    assert "no index yet" in rail


def test_an_embedder_that_this_version_does_not_know_takes_no_page_down(as_labeler: Client) -> None:
    ActiveEmbedder.objects.update(embedder_id="of-another-version")
    assert "no index: unknown embedder" in rail_of(as_labeler)


def test_the_footer_says_whether_the_index_has_caught_up(face: Face, as_labeler: Client) -> None:
    assert "index fresh" in rail_of(as_labeler)
    make_reference(make_person(), ALICE)
    assert "index catches up at the next search" in rail_of(as_labeler)
    as_labeler.get(f"/label/{face.face_id}/")
    assert "index fresh" in rail_of(as_labeler)


def test_a_fragment_without_the_frame_does_not_count(hx: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        hx.get("/label/people/?name=a")
    assert not [query for query in queries if "unlabeledface" in query["sql"]]


def test_the_anonymous_see_no_numbers(client: Client, face: Face) -> None:
    page = client.get("/login/").text
    assert "rail" not in page
    assert "facenet" not in page


def test_an_answer_of_the_desk_reads_no_more_of_the_frame_than_it_draws(
    face: Face, as_labeler: Client
) -> None:
    with CaptureQueriesContext(connection) as captured:
        answer = as_labeler.get(f"/label/{face.face_id}/", headers={"HX-Request": "true"})
    assert 'id="open-count"' in answer.text
    read = " ".join(query["sql"] for query in captured)
    assert Preferences._meta.db_table not in read
    assert f'"{ActiveEmbedder._meta.db_table}"."reason"' not in read
    # The counts over the tabs, and not the frame's once more.
    assert read.count(f'COUNT(*) AS "__count" FROM "{Face._meta.db_table}"') == 1
