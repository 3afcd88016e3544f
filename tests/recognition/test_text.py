"""Names are compared without what people type differently, or leave out."""

import pytest

from recognition.models import Person
from recognition.text import clean_name, fold


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("  Zoë  ØRSTED ", "zoe orsted"),
        ("Anne-Marie", "anne marie"),
        ("Anne\u2011Marie\u2013Luise", "anne marie luise"),
        ("O'Brien", "obrien"),
        ("O\u2019Brien", "obrien"),
        ("O\u00b4Brien", "obrien"),
        ("D\uff07Arcy", "darcy"),
        ("- ' -", ""),
    ],
)
def test_case_accents_hyphens_and_apostrophes_do_not_count(name: str, folded: str) -> None:
    assert fold(name) == folded
    assert fold(folded) == folded


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Anne-Marie", "marie"),
        ("Anne-Marie", "anne-m"),
        ("Anne Marie", "Anne-Marie"),
        ("O'Brien", "obrien"),
        ("OBrien", "o\u2019brien"),
    ],
)
def test_the_stored_name_is_folded_as_the_typed_one(name: str, typed: str) -> None:
    person = Person.objects.create(name=name)
    assert list(Person.objects.matching(typed)) == [person]


@pytest.mark.django_db
def test_a_hyphen_more_or_less_is_the_same_name() -> None:
    person = Person.objects.create(name="Anne-Marie O\u2019Brien")
    assert list(Person.objects.named("anne marie o'brien")) == [person]
    assert not Person.objects.named("marie")


def test_a_name_is_stored_with_its_hyphens_and_apostrophes() -> None:
    assert clean_name(" Anne-Marie  O\u2019Brien\0 ") == "Anne-Marie O\u2019Brien"
