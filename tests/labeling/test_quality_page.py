"""The quality page: the verdict in words, what another line would change, drawings, doubtful labels, and measuring anew."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from recognition.models import ActiveEmbedder, QualityPlot, QualityReport
from tests.conftest import count_queries, make_local, signed_in
from tests.factories import label_face, make_event, make_person, make_reference, unit_vectors
from tests.recognition.evaluation.sample import SVG, make_report

pytestmark = pytest.mark.django_db
HX = {"HX-Request": "true"}


def words(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def shown(client: Client, address: str = "/quality/", **headers: str) -> str:
    answer = client.get(address, headers=headers)
    assert answer.status_code == 200
    return words(answer.content.decode())


def test_before_the_first_report_it_says_what_is_missing(as_manager: Client) -> None:
    page = shown(as_manager)
    assert "Nothing measured yet" in page
    assert "10 people with two named faces each" in page
    assert "Measure now" in page


def test_the_verdict_comes_first_and_in_words(as_manager: Client) -> None:
    make_report()
    page = shown(as_manager)
    assert re.search(r"Of 1,?0+ strangers' faces (about \d+ gets?|fewer than one gets) a name", page)
    assert re.search(r"Of 100 known faces \d+ (is|are) named by FaceVault", page)
    assert page.index("strangers' faces") < page.index("The lines in force")


def test_the_newest_report_is_shown(as_manager: Client) -> None:
    make_report()
    newest = make_report()
    QualityReport.objects.filter(pk=newest.pk).update(figures={**newest.figures, "faces": 4321})
    assert "by 4,321 faces" in shown(as_manager)


def test_the_slider_says_what_another_line_would_change(as_manager: Client) -> None:
    make_report()
    page = shown(as_manager, "/quality/what-if/?line=0.62", **HX)
    assert "At 0.62: 412 more named by FaceVault, about 3 of them wrong." in page
    assert "412 of the 500 faces in the queue, by a random 200 of them" in page
    assert "Measure now" not in page


def test_the_slider_works_without_a_script(as_manager: Client) -> None:
    make_report()
    assert "At 0.75: 9 fewer named by FaceVault, about 1 of them wrong." in shown(
        as_manager, "/quality/?line=0.75"
    )
    answer = as_manager.get("/quality/what-if/?line=0.75")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/quality/")


@pytest.mark.parametrize("line", ["", "nan", "inf", "much", "1e400", "0.699", "\x00", "9" * 5000])
def test_a_line_that_was_not_measured_becomes_the_nearest_one(as_manager: Client, line: str) -> None:
    make_report()
    page = shown(as_manager, "/quality/what-if/?line=" + line, **HX)
    assert "At 0." in page


def test_each_drawing_has_a_dark_one_and_its_numbers(as_manager: Client) -> None:
    report = make_report()
    page = as_manager.get("/quality/").content.decode()
    for name in ("similarity", "roc", "det", "sizes", "reliability"):
        address = f"/quality/{report.report_id}/{name}"
        assert f'media="(prefers-color-scheme: dark)" srcset="{address}-dark.svg"' in page
        assert f'src="{address}-light.svg"' in page
    assert page.count("The numbers as a table") == 5
    assert page.count("<table>") >= 8


def test_a_drawing_is_a_picture_that_can_run_nothing(as_manager: Client) -> None:
    report = make_report()
    answer = as_manager.get(f"/quality/{report.report_id}/roc-light.svg")
    assert answer.content.decode() == SVG
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_drawing_is_asked_for_again_and_sent_once(as_manager: Client, manager: User) -> None:
    """Who manages no more does not see it from the browser's memory."""
    report = make_report()
    address = f"/quality/{report.report_id}/roc-light.svg"
    first = as_manager.get(address)
    assert first.headers["Cache-Control"] == "private, no-cache"
    known = {"If-None-Match": first.headers["ETag"]}
    again = as_manager.get(address, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["Cache-Control"] == "private, no-cache"
    manager.groups.clear()
    assert as_manager.get(address, headers=known).status_code == 403


@pytest.mark.parametrize(
    "line", ["nan", "-inf", "1e999", "0x1", "1_0", "<script>", "9" * 400, "-0", "²", "\0", "1e-400"]
)
def test_no_line_that_is_none_breaks_the_answer_or_is_repeated(as_manager: Client, line: str) -> None:
    make_report()
    for path, headers in (("/quality/", {}), ("/quality/what-if/", HX)):
        answer = as_manager.get(path, {"line": line}, headers=headers)
        assert answer.status_code == 200
        said = answer.content.decode()
        assert not re.search(r"value=\"(nan|-?inf)|<script>(?!$)|999999|\bnan\b", said)


@pytest.mark.parametrize("plot", ["roc-dark", "roc", "nothing-light", "-", "roc-light-light"])
def test_a_drawing_that_is_not_there_is_not_found(as_manager: Client, plot: str) -> None:
    report = make_report()
    assert as_manager.get(f"/quality/{report.report_id}/{plot}.svg").status_code == 404


def test_doubtful_labels_lead_to_where_they_are_put_right(as_manager: Client) -> None:
    event, ada, bob = make_event(), make_person("Ada"), make_person("Bob")
    face = make_reference(ada, unit_vectors(1)[0])
    make_report(events=[event], pairs=[(ada, bob)], faces=[(face, ada, bob)])
    page = as_manager.get("/quality/").content.decode()
    assert f'href="/people/{ada.pk}/merge/?with={bob.pk}">Ada and Bob' in page
    assert f'href="/label/{face.face_id}/"' in page
    assert "looks like" in page
    assert f'href="/events/{event.pk}/">{event.name}' in page


def test_who_was_merged_or_renamed_since_is_shown_as_they_are_now(as_manager: Client) -> None:
    ada, bob, carol = make_person("Ada"), make_person("Bob"), make_person("Carol")
    face = make_reference(ada, unit_vectors(1)[0])
    make_report(pairs=[(ada, bob), (ada, carol)], faces=[(face, ada, bob)])
    bob.merged_into = ada
    bob.save()
    label_face(face, carol)
    page = shown(as_manager)
    assert "Ada and Bob" not in page
    assert "Ada and Carol" in page
    assert "looks like" not in page


def test_measuring_is_asked_for_and_watched(as_manager: Client, manager: User) -> None:
    answer = as_manager.post("/quality/measure/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/quality/")
    assert QualityReport.objects.get().user == manager
    page = as_manager.get("/quality/").content.decode()
    assert "Waiting for the worker" in page
    assert 'hx-get="/quality/progress/" hx-trigger="every 2s"' in page
    card = as_manager.get("/quality/progress/", headers=HX)
    assert "<html" not in card.content.decode()
    assert 'id="progress"' in card.content.decode()


def test_once_it_is_measured_the_page_comes_anew(as_manager: Client) -> None:
    make_report()
    assert as_manager.get("/quality/progress/", headers=HX).headers["HX-Refresh"] == "true"
    assert as_manager.get("/quality/progress/").status_code == 302


def test_a_report_that_failed_says_why_and_keeps_the_last_one(as_manager: Client) -> None:
    make_report()
    QualityReport.objects.create(
        embedder_id="x", state="failed", failure_code="report_error", failure_reason="The disk is on fire."
    )
    page = shown(as_manager)
    assert "The disk is on fire." in page
    assert "The lines in force" in page


def test_a_worker_that_does_not_come_is_asked_after(as_manager: Client) -> None:
    report = QualityReport.objects.create(embedder_id="x")
    QualityReport.objects.filter(pk=report.pk).update(created_at=timezone.now() - timedelta(minutes=5))
    assert "Is the worker running?" in shown(as_manager)


def test_without_an_embedder_there_is_nothing_to_measure(as_manager: Client) -> None:
    ActiveEmbedder.objects.all().delete()
    page = words(as_manager.post("/quality/measure/", follow=True).content.decode())
    assert "There is nothing to measure yet" in page
    assert not QualityReport.objects.exists()


def test_who_manages_one_event_alone_is_refused(labeler: User, outsider: User) -> None:
    report = make_report()
    local = make_local("lars", "manager", make_event())
    for user in (local, labeler, outsider):
        client = signed_in(user)
        for path in ("", "what-if/", "progress/", f"{report.report_id}/roc-light.svg"):
            assert client.get(f"/quality/{path}").status_code == 403
        assert client.post("/quality/measure/").status_code == 403
        assert '/quality/"' not in client.get("/").content.decode()
    assert QualityReport.objects.count() == 1


def test_the_page_has_no_style_and_no_script_of_its_own(as_manager: Client) -> None:
    make_report(events=[make_event()])
    page = as_manager.get("/quality/").content.decode()
    assert not re.search(r"\sstyle=|<style|\son\w+=", page)
    assert all("src=" in script for script in re.findall(r"<script[^>]*>", page))


def test_a_long_report_takes_as_many_queries_as_a_short_one(as_manager: Client) -> None:
    def make(count: int) -> None:
        people = [make_person() for _ in range(count + 1)]
        make_report(
            events=[make_event() for _ in range(count)],
            pairs=[(people[0], person) for person in people[1:]],
            faces=[(make_reference(person, unit_vectors(1)[0]), person, people[0]) for person in people[1:]],
        )

    make(1)
    count_queries(as_manager, "/quality/")
    few = count_queries(as_manager, "/quality/")
    make(8)
    QualityPlot.objects.all().delete()
    assert count_queries(as_manager, "/quality/") == few


def test_a_report_that_is_being_made_shows_no_figures(as_manager: Client) -> None:
    QualityReport.objects.create(embedder_id="x", figures={"format": 1})
    page = shown(as_manager)
    assert "Waiting for the worker" in page
    assert "The lines in force" not in page
