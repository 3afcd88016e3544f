"""The list of an export, byte by byte."""

import csv
import io

import pytest
from django.contrib.auth.models import User

from recognition.exports import ExportScope, stream_csv, stream_zip
from recognition.models import Person
from tests.factories import make_event, make_person
from tests.recognition.exports.making import MACHINE, add_photo, name_face, read_zip

pytestmark = pytest.mark.django_db


def test_the_list_is_golden(manager: User) -> None:
    event = make_event("Ball")
    zoe = Person.objects.create(name="Zoë Ørsted", external_id="0042")
    photo = add_photo(event, name="IMG, 1.jpg")
    first = name_face(photo, zoe, similarity=0.81234, box=(500, 0, 10, 10))
    second = name_face(photo, make_person("Bob"), by=MACHINE, similarity=0.7, box=(100, 0, 10, 10))
    third = name_face(add_photo(event, name="b.jpg"), zoe)
    add_photo(event, name="nobody.jpg")
    found = b"".join(stream_csv(user=manager, scope=ExportScope(event=event, with_machine=True)))
    assert found.decode("utf-8") == (
        "\ufeffphoto,face_id,person,external id,similarity,decided by\r\n"
        f'"IMG, 1.jpg",{second.face_id},Bob,,0.7000,FaceVault\r\n'
        f'"IMG, 1.jpg",{first.face_id},Zoë Ørsted,0042,0.8123,a person\r\n'
        f"b.jpg,{third.face_id},Zoë Ørsted,0042,,a person\r\n"
    )


@pytest.mark.parametrize("beginning", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"])
def test_a_name_is_never_a_formula(beginning: str, manager: User) -> None:
    evil = Person.objects.create(name=f'{beginning}HYPERLINK("x")', external_id=f"{beginning}1")
    event = make_event()
    name_face(add_photo(event), evil)
    text = b"".join(stream_csv(user=manager, scope=ExportScope(event=event))).decode("utf-8-sig")
    row = list(csv.reader(io.StringIO(text, newline="")))[1]
    assert row[2] == f"'{evil.name}"
    assert row[3] == f"'{evil.external_id}"


def test_a_file_name_is_never_a_formula(manager: User) -> None:
    event = make_event()
    name_face(add_photo(event, name="=1+1.jpg"), make_person())
    text = b"".join(stream_csv(user=manager, scope=ExportScope(event=event))).decode("utf-8-sig")
    assert next(csv.DictReader(io.StringIO(text)))["photo"] == "_=1+1.jpg"


def test_every_photo_of_the_list_is_in_the_zip_under_that_name(manager: User) -> None:
    alice = make_person()
    for event in (make_event("Ball"), make_event("Party")):
        for number in range(3):
            name_face(add_photo(event, f"{event.pk} {number}".encode(), name="IMG.jpg"), alice)
    scope = ExportScope(person=alice)
    text = b"".join(stream_csv(user=manager, scope=scope)).decode("utf-8-sig")
    with read_zip(stream_zip(user=manager, scope=scope)) as archive:
        assert archive.read("list.csv").decode("utf-8-sig") == text
        listed = [row["photo"] for row in csv.DictReader(io.StringIO(text))]
        assert set(listed) == set(archive.namelist()) - {"list.csv"}
        assert len(listed) == 6
