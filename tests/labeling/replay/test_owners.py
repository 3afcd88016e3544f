"""Which detected box belongs to whom, by the truth."""

from labeling.replay.owners import find_owners
from labeling.replay.truth import Portrait
from recognition.geometry import Box


def portrait(identity: str, left: float, top: float) -> Portrait:
    return Portrait(identity=identity, box=Box(left, top, left + 100, top + 120))


def face(left: float, top: float, side: float = 60) -> Box:
    return Box(left, top, left + side, top + side)


def test_a_face_belongs_to_the_portrait_that_its_center_is_in() -> None:
    portraits = [portrait("ann", 0, 0), portrait("bob", 300, 0)]
    assert find_owners({7: face(320, 30), 8: face(20, 30)}, portraits) == {7: "bob", 8: "ann"}


def test_a_face_that_only_overlaps_a_portrait_is_nobodys() -> None:
    assert find_owners({7: face(80, 30)}, [portrait("ann", 0, 0)]) == {}


def test_of_two_boxes_in_one_portrait_the_better_one_is_theirs() -> None:
    assert find_owners({7: face(40, 40, side=12), 8: face(20, 30)}, [portrait("ann", 0, 0)]) == {8: "ann"}


def test_a_box_in_two_portraits_goes_to_the_one_that_fits_and_leaves_the_other_for_the_next() -> None:
    portraits = [portrait("ann", 0, 0), Portrait(identity="bob", box=Box(20, 20, 90, 100))]
    assert find_owners({7: face(25, 30), 8: Box(0, 0, 99, 118)}, portraits) == {7: "bob", 8: "ann"}


def test_somebody_who_stands_there_twice_owns_both_faces() -> None:
    portraits = [portrait("ann", 0, 0), portrait("ann", 300, 0)]
    assert find_owners({7: face(20, 30), 8: face(320, 30)}, portraits) == {7: "ann", 8: "ann"}
