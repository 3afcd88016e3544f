"""A list of people as offices send it: encodings, separators, spreadsheets' habits, and every refusal with its reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.people.csv_rows import MAX_ROWS, ListRefused, PeopleList, read_people_list

ZOE = "name,external_id,aliases,portraits\nZoë Ørsted,S-1,Zoe;Zo,zoe/\n"


def read(text: str, encoding: str = "utf-8") -> PeopleList:
    return read_people_list(text.encode(encoding))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_every_encoding_that_spreadsheets_save_is_read(encoding: str) -> None:
    row = read(ZOE, encoding).rows[0]
    assert (row.number, row.name, row.external_id) == (2, "Zoë Ørsted", "S-1")
    assert (row.aliases, row.portraits) == (("Zoe", "Zo"), ("zoe/",))


@pytest.mark.parametrize(
    "text",
    [
        'name;external_id;aliases\nZoë Ørsted;S-1;"Zoe;Zo"\n',
        "name\texternal_id\taliases\nZoë Ørsted\tS-1\tZoe;Zo\n",
        'sep=;\nname;external_id;aliases\nZoë Ørsted;S-1;"Zoe;Zo"\n',
        "Name,External ID,Other names\r\nZoë Ørsted,S-1,Zoe; Zo\r\n",
        "EXTERNAL_ID,NAME,ALIASES\nS-1,  Zoë   Ørsted ,Zoe;Zo;Zoe\n",
    ],
)
def test_separators_and_spellings_of_the_header_do_not_matter(text: str) -> None:
    row = read(text).rows[0]
    assert (row.name, row.external_id, row.aliases) == ("Zoë Ørsted", "S-1", ("Zoe", "Zo"))


def test_columns_that_mean_nothing_are_told_and_left_out() -> None:
    found = read("name,e-mail,phone\nAda,ada@example.edu,1\n")
    assert found.unread == ["e-mail", "phone"]
    assert found.rows[0].name == "Ada"


def test_rows_are_numbered_as_the_spreadsheet_does() -> None:
    found = read('name,aliases\n"Ada\nLovelace",\n,\nBob,\n')
    assert [(row.number, row.name) for row in found.rows] == [(2, "Ada Lovelace"), (4, "Bob")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",S-1,,", "no name"),
        ("=cmd|' /C calc'!A0,S-1,,", "formula"),
        ("@SUM(A1),S-1,,", "formula"),
        ("Ada,1.23E+11,,", "shortened"),
        ("Ada,S-1,,,extra", "more cells"),
        (f"{'a' * 121},S-1,,", "at most 120"),
        (f"Ada,{'1' * 61},,", "at most 60"),
        (f"Ada,S-1,{';'.join(f'a{n}' for n in range(21))},", "at most 20"),
        (f"Ada,S-1,,{';'.join(f'a{n}.jpg' for n in range(51))}", "At most 50"),
    ],
)
def test_a_row_that_cannot_be_taken_says_why(row: str, reason: str) -> None:
    found = read(f"name,external_id,aliases,portraits\n{row}\nBob,S-2,,\n")
    assert [row.name for row in found.rows] == ["Bob"]
    assert found.bad[0].number == 2
    assert reason in found.bad[0].message
    assert found.bad[0].message.endswith(".")


def test_the_same_number_or_a_bare_name_twice_is_refused_the_second_time() -> None:
    found = read("name,external_id\nAda,S-1\nEva,S-1\nBob,\nBÓB,\nBob,S-2\n")
    assert [row.number for row in found.rows] == [2, 4, 6]
    assert [bad.message.split(".")[0] for bad in found.bad] == [
        "Row 2 has the same external id",
        "Row 4 has the same name",
    ]


def test_a_number_kept_as_text_keeps_its_zeros() -> None:
    assert read('name,external_id\nAda,"=""00123"""\n').rows[0].external_id == "00123"
    assert read("name,external_id\nAda,'-12\n").rows[0].external_id == "-12"
    assert read("name,external_id\nAda,-12\n").bad[0].message.startswith("“-12”")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"name\n", "no rows"),
        (b"person,number\nAda,1\n", "no column called name"),
        (b"name,Name\nAda,1\n", "Two columns"),
        (b"PK\x03\x04rest", "workbook"),
        (b"\xd0\xcf\x11\xe0rest", "workbook"),
        (b"name\nA\0da\n", "not a text file"),
        (b"\xff\xfe\x00", "not a text file"),
        (b'name\nAda\n"Bob\n', "after row 2"),
        (b"name\n" + b"a" * (10 * 1024 * 1024), "larger than 10 MB"),
        (b"name\n" + b"Ada\n" * (MAX_ROWS + 1), "more than"),
        (b"name\n" + b'"' + b"a" * 200_000 + b'"\n', "cannot be read after row 1"),
    ],
)
def test_a_file_that_is_no_such_list_says_what_to_do(data: bytes, reason: str) -> None:
    with pytest.raises(ListRefused, match=reason):
        read_people_list(data)


@given(st.binary(max_size=300))
def test_whatever_comes_is_read_or_refused(data: bytes) -> None:
    try:
        found = read_people_list(b"name,external_id\n" + data)
    except ListRefused:
        return
    assert all(row.name for row in found.rows)
