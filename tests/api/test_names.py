from __future__ import annotations

import csv
import io
import zipfile

import pytest
from django.contrib.auth.models import User

from recognition.models import RegionReading
from recognition.named_regions.reading import process_next_reading
from recognition.storage import write_crop
from tests.api.conftest import Api, Side, local_user, problem_of
from tests.fakes import draw_photo


def test_a_reading_is_asked_for_and_followed(mine: Side, labeler: User) -> None:
    api = Api(labeler)
    problem_of(api.get(f"events/{mine.event.pk}/names/"), 404)
    answer = api.post(f"events/{mine.event.pk}/names/")
    assert answer.status_code == 202
    assert answer["Location"] == f"/api/v1/events/{mine.event.pk}/names/"
    assert answer.json()["state"] == "queued"
    api.post(f"events/{mine.event.pk}/names/")
    assert RegionReading.objects.count() == 1
    process_next_reading()
    told = api.get(f"events/{mine.event.pk}/names/").json()
    assert (told["state"], told["failure"], told["photos_done"]) == ("done", None, told["photos_total"])
    # Its made-up photo has no file.
    assert told["photos_unreadable"] == 1


@pytest.mark.parametrize("role", ["viewer", "uploader"])
def test_who_does_not_label_reads_no_names(role: str, mine: Side) -> None:
    api = Api(local_user(mine.event, role))
    problem_of(api.post(f"events/{mine.event.pk}/names/"), 403)
    problem_of(api.get(f"events/{mine.event.pk}/names/"), 403)
    assert not RegionReading.objects.exists()


def test_a_foreign_event_is_not_there(mine: Side, foreign: Side) -> None:
    api = Api(local_user(mine.event, "labeler"))
    problem_of(api.post(f"events/{foreign.event.pk}/names/"), 404)


def test_people_come_as_a_list_and_with_portraits(mine: Side, manager: User) -> None:
    mine.named.crop = write_crop(draw_photo("red"))
    mine.named.save(update_fields=["crop"])
    api = Api(manager, "export")
    rows = list(csv.DictReader(io.StringIO(api.get("people/export.csv").getvalue().decode("utf-8-sig"))))
    assert [(row["name"], row["portraits"]) for row in rows] == [("Mine person", "")]
    with zipfile.ZipFile(io.BytesIO(api.get("people/export.zip", portraits=1).getvalue())) as archive:
        assert archive.namelist() == ["portraits/Mine person/1.jpg", "people.csv"]
    problem_of(api.get("people/export.zip", portraits=5000), 422)


def test_a_local_manager_gets_people_of_their_event_alone(mine: Side, foreign: Side) -> None:
    api = Api(local_user(mine.event, "manager"))
    rows = list(csv.DictReader(io.StringIO(api.get("people/export.csv").getvalue().decode("utf-8-sig"))))
    assert [row["name"] for row in rows] == ["Mine person"]
    problem_of(api.get("people/export.csv", event=foreign.event.pk), 404)


def test_a_labeler_exports_nobody(mine: Side) -> None:
    api = Api(local_user(mine.event, "labeler"))
    for name in ("csv", "zip"):
        problem_of(api.get(f"people/export.{name}"), 403)
