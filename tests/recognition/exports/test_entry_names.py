"""File names inside a ZIP."""

import pytest

from recognition.exports.entry_names import EntryNames, clean_entry


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("IMG_1.jpg", "IMG_1.jpg"),
        ("Zoë Ørsted.jpg", "Zoë Ørsted.jpg"),
        ("../../etc/passwd", "_.._.._etc_passwd"),
        ("C:\\photos\\a.jpg", "C__photos_a.jpg"),
        ("a\x00b\n\u202ec.jpg", "a_b__c.jpg"),
        ("=cmd.jpg", "_=cmd.jpg"),
        (".hidden", "_.hidden"),
        ("CON.jpg", "_CON.jpg"),
        ("name. ", "name"),
        ("...", "unnamed"),
        ("", "unnamed"),
    ],
)
def test_a_name_is_safe_to_unpack_anywhere(given: str, expected: str) -> None:
    assert clean_entry(given) == expected


def test_a_long_name_keeps_its_suffix() -> None:
    short = clean_entry("é" * 200 + ".jpeg")
    assert short.endswith("é.jpeg")
    assert len(short.encode()) <= 150


def test_equal_names_are_numbered() -> None:
    names = EntryNames()
    assert [names.take("a.jpg") for _ in range(3)] == ["a.jpg", "a (2).jpg", "a (3).jpg"]


def test_case_does_not_tell_names_apart() -> None:
    names = EntryNames()
    assert [names.take("A.jpg"), names.take("a.JPG")] == ["A.jpg", "a (2).JPG"]


def test_a_numbered_name_never_meets_one_that_was_there() -> None:
    names = EntryNames()
    assert [names.take("a (2).jpg"), names.take("a.jpg"), names.take("a.jpg")] == [
        "a (2).jpg",
        "a.jpg",
        "a (3).jpg",
    ]


def test_folders_have_names_of_their_own() -> None:
    names = EntryNames()
    assert [names.take("a.jpg", folder="x/"), names.take("a.jpg", folder="y/")] == ["x/a.jpg", "y/a.jpg"]


def test_a_photo_never_takes_the_place_of_the_list() -> None:
    assert EntryNames().take("list.csv") == "list (2).csv"
