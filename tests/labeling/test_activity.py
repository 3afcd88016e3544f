"""Names and decisions by day: each on the day on which it happened here, of the events that the user sees."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from access.models import EventGrant
from labeling.activity import Activity, Day, read_activity
from labeling.activity_chart import HEIGHT, draw_activity, round_up
from labeling.models import Decision
from recognition.models import Face, Sighting
from tests.conftest import make_user
from tests.factories import label_face, make_face, make_person

pytestmark = pytest.mark.django_db


def decide(kind: str, *, ago: timedelta = timedelta(), face: Face | None = None) -> Decision:
    decision = Decision.objects.create(kind=kind, face=face or make_face())
    Decision.objects.filter(pk=decision.pk).update(created_at=timezone.now() - ago)
    return decision


def recognize(*, ago: timedelta = timedelta(), face: Face | None = None) -> Sighting:
    sighting = Sighting.objects.create(
        face=face or make_face(),
        person=make_person(),
        decided_by="machine",
        similarity=0.9,
        seen_at=timezone.now(),
    )
    Sighting.objects.filter(pk=sighting.pk).update(created_at=timezone.now() - ago)
    return sighting


def test_each_is_counted_on_its_day(manager: User) -> None:
    decide("label")
    decide("label", ago=timedelta(days=2))
    for kind in ("skip", "stranger", "not_a_face", "reject"):
        decide(kind)
    recognize(ago=timedelta(days=2))
    recognize(ago=timedelta(days=29))
    activity = read_activity(manager)
    assert len(activity.days) == 30
    assert activity.days[-1] == Day(day=timezone.localdate(), people=1, other=4)
    assert (activity.days[-3].people, activity.days[-3].machine) == (1, 1)
    assert activity.days[0].machine == 1
    assert (activity.people, activity.machine, activity.other, activity.total) == (2, 2, 4, 8)


def test_what_was_undone_or_is_older_is_left_out(manager: User) -> None:
    Decision.objects.filter(pk=decide("label").pk).update(undone_at=timezone.now())
    decide("label", ago=timedelta(days=31))
    recognize(ago=timedelta(days=31))
    # A name that a person has taken over is the person's.
    label_face(recognize().face, make_person())
    assert read_activity(manager).total == 0


def test_a_day_begins_at_midnight_where_the_installation_is(
    manager: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TIME_ZONE = "Asia/Kathmandu"  # 5:45 ahead
    decision = decide("label")
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 3, 10, 12, 0, tzinfo=UTC))
    for moment, day in (
        ("2026-03-09T18:14:59", date(2026, 3, 9)),
        ("2026-03-09T18:15:00", date(2026, 3, 10)),
    ):
        then = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        Decision.objects.filter(pk=decision.pk).update(created_at=then)
        [found] = [day for day in read_activity(manager).days if day.total]
        assert found.day == day


def test_only_events_that_the_user_sees_are_counted(outsider: User) -> None:
    mine, foreign = make_face(), make_face()
    for face in (mine, foreign):
        decide("stranger", face=face)
        recognize(face=face)
    decide("label", face=foreign)
    EventGrant.objects.create(user=outsider, event=mine.photo.event, role="viewer")
    activity = read_activity(outsider)
    assert (activity.people, activity.machine, activity.other) == (0, 1, 1)
    uploader = make_user("ulla")
    EventGrant.objects.create(user=uploader, event=mine.photo.event, role="uploader")
    assert read_activity(uploader).total == 0


def test_it_takes_two_queries(manager: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(20):
        decide("label", ago=timedelta(days=number))
        recognize(ago=timedelta(days=number))
    read_activity(manager)
    with django_assert_num_queries(2):
        assert read_activity(manager).total == 40


class TestChart:
    def test_a_column_is_stacked_from_the_bottom_and_stays_inside(self) -> None:
        days = [
            Day(day=date(2026, 3, 1), people=1, machine=10_000, other=3),
            Day(day=date(2026, 3, 2)),
            Day(day=date(2026, 3, 3), people=20_000),
        ]
        chart = draw_activity(Activity(days=days))
        assert chart.top == 20_000
        first, empty, full = chart.columns
        assert [bar.kind for bar in first.bars] == ["people", "machine", "other"]
        assert empty.bars == []
        [whole] = full.bars
        assert (whole.y, whole.height) == (0, HEIGHT)
        for column in chart.columns:
            lower = float(HEIGHT)
            for bar in column.bars:
                assert bar.y + bar.height == pytest.approx(lower, abs=0.02)
                assert bar.height > 1
                assert column.x <= bar.x
                assert bar.x + bar.width <= column.x + column.width
                lower = bar.y

    @pytest.mark.parametrize(
        ("number", "top"),
        [(0, 2), (1, 2), (3, 4), (5, 6), (10, 10), (11, 20), (23, 30), (999, 1000), (44_210, 60_000)],
    )
    def test_the_scale_ends_at_a_round_number(self, number: int, top: int) -> None:
        assert round_up(number) == top


class TestPage:
    def test_the_chart_has_words_and_a_table_for_those_who_do_not_see_it(self, as_manager: Client) -> None:
        decide("label")
        recognize()
        recognize()
        page = as_manager.get("/").content.decode()
        assert 'role="img" aria-labelledby="chart-title chart-desc"' in page
        assert "1 named by people, 2 by FaceVault, 0 other decisions" in page
        assert page.count('<rect class="people"') == page.count('<rect class="machine"') == 1
        assert f'<th scope="row">{timezone.localdate():%-d %b %Y}</th><td class="number">1</td>' in page
        assert " style=" not in page

    def test_without_anything_there_is_no_chart(self, as_manager: Client) -> None:
        make_face()
        page = as_manager.get("/").content.decode()
        assert "chart-title" not in page
        assert "Nothing was named or decided in this time." in page

    def test_an_uploader_gets_no_chart_and_no_engine(self, as_uploader: Client) -> None:
        decide("label")
        page = as_uploader.get("/").content.decode()
        assert "chart-title" not in page
        assert "engine-title" not in page

    def test_the_engine_is_told_with_the_reason_for_the_embedder(self, as_manager: Client) -> None:
        page = as_manager.get("/").content.decode()
        assert "facenet-vggface2</b> since" in page
        assert "chosen by a test" in page
