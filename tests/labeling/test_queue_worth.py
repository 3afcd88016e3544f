"""The order of the queue: what one decision about a card is expected to settle."""

from labeling.queue.people import PersonList
from labeling.queue.worth import cluster_worth, face_worth, person_worth


def test_a_group_is_worth_its_faces_and_less_where_it_is_mixed() -> None:
    assert cluster_worth(12, mixed=False) > cluster_worth(20, mixed=True) > cluster_worth(5, mixed=False)


def test_faces_in_groups_make_a_persons_list_worth_less_than_the_groups_themselves() -> None:
    assert person_worth(sure=0, close=0, grouped=30) < cluster_worth(6, mixed=False)
    assert person_worth(sure=5, close=0, grouped=0) > cluster_worth(2, mixed=False)


def test_close_calls_are_worth_less_than_faces_that_nobody_else_is_as_close_to() -> None:
    assert person_worth(sure=0, close=4, grouped=0) < person_worth(sure=4, close=0, grouped=0)


def test_any_group_and_any_list_of_two_sure_faces_come_before_a_face_alone() -> None:
    least = min(cluster_worth(2, mixed=True), person_worth(sure=2, close=0, grouped=0))
    assert least >= face_worth(1.0) > face_worth(0.0) > 0


def test_a_card_of_a_list_counts_every_face_on_it() -> None:
    item = PersonList(person_pk=3, sure=2, close=1, grouped=4).item
    assert (item.card, item.count) == ("person-3", 7)
