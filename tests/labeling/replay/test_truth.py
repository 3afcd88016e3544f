"""A truth file comes from anywhere: what is wrong with it is said with its line, and nothing outside its folder is read."""

from pathlib import Path

import pytest

from labeling.replay.truth import TruthRefused, read_truth
from recognition.geometry import Box

HEAD = "photo,identity,x,y,width,height\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.jpg").write_bytes(b"a")
    (tmp_path / "b.jpg").write_bytes(b"b")
    return tmp_path


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "truth.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_everybody_is_read_with_the_region_of_their_portrait(folder: Path) -> None:
    truth = read_truth(
        write(folder, HEAD + "a.jpg,s1,10,20,30,40\na.jpg,s2,100,0,30,40\nb.jpg,s1,0,0,5.5,9\n")
    )
    assert [portrait.identity for portrait in truth.portraits["a.jpg"]] == ["s1", "s2"]
    assert truth.portraits["a.jpg"][0].box == Box(10, 20, 40, 60)
    assert truth.portraits["b.jpg"][0].box == Box(0, 0, 5.5, 9)
    assert (truth.identities, truth.faces, truth.folder) == ({"s1", "s2"}, 3, folder)


def test_columns_may_come_in_any_order_with_others_between_and_a_mark_at_the_start(folder: Path) -> None:
    text = "\ufeffheight,width,note,y,x,identity,photo\n40,30,hello,20,10,s1,a.jpg\n"
    assert read_truth(write(folder, text)).portraits["a.jpg"][0].box == Box(10, 20, 40, 60)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "lacks the columns photo, identity, x, y, width, height"),
        ("photo,identity,x,y\na.jpg,s1,1,2\n", "lacks the columns width, height"),
        (HEAD, "lists nobody"),
        (HEAD + "a.jpg,s1,1,2,3\n", "line 2: a row has too few columns"),
        (HEAD + "a.jpg,s1,1,2,3,four\n", "line 2: height is no number"),
        (HEAD + "a.jpg,s1,nan,2,3,4\n", "line 2: x is no number"),
        (HEAD + "a.jpg,s1,1,inf,3,4\n", "line 2: y is no number"),
        (HEAD + "a.jpg,s1,1,2,1e300,4\n", "line 2: width is no number"),
        (HEAD + "a.jpg,s1,1,2,0,4\n", "line 2: width and height must be more than 0"),
        (HEAD + "a.jpg,s1,1,2,3,-4\n", "line 2: width and height must be more than 0"),
        (HEAD + "a.jpg,,1,2,3,4\n", "line 2: an identity has"),
        (HEAD + "a.jpg,s\x07,1,2,3,4\n", "line 2: an identity has"),
        (HEAD + f"a.jpg,{'s' * 121},1,2,3,4\n", "line 2: an identity has"),
        (HEAD + ",s1,1,2,3,4\n", "line 2: '' is not the name of a file"),
        (HEAD + "c.jpg,s1,1,2,3,4\nd.jpg,s1,1,2,3,4\n", "2 photos of .* do not lie beside it: c.jpg, d.jpg"),
        (HEAD + 'a.jpg,"s1,1,2,3,4\n', "is no CSV file"),
        (HEAD + "a.jpg," + "s" * 200_000 + ",1,2,3,4\n", "is no CSV file"),
        (b"\xff\xfe\x00photo", "is no text in UTF-8"),
    ],
)
def test_what_cannot_be_used_is_said(folder: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(TruthRefused, match=said):
        read_truth(write(folder, text))


@pytest.mark.parametrize("name", ["../secret.jpg", "/etc/passwd", "folder/a.jpg", "..", "."])
def test_a_photo_elsewhere_is_refused_even_if_it_is_there(folder: Path, name: str) -> None:
    (folder / "folder").mkdir()
    (folder / "folder" / "a.jpg").write_bytes(b"a")
    with pytest.raises(TruthRefused, match="not the name of a file beside it"):
        read_truth(write(folder, HEAD + f"{name},s1,1,2,3,4\n"))


def test_a_file_that_is_not_there_and_a_folder_are_refused(folder: Path) -> None:
    for path in (folder / "nothing.csv", folder):
        with pytest.raises(TruthRefused, match="cannot be read"):
            read_truth(path)
