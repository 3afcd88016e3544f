"""A labeler who knows the truth, on made-up faces: what each answer is, and what is counted."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User

from labeling.models import Cluster, ClusterMember, Decision
from labeling.replay.labeler import ShownCard, SimulatedLabeler
from labeling.replay.orders import next_card_in
from labeling.replay.report import BEST, SINGLES, SIZE, as_numbers, as_table
from labeling.replay.walk import Walk, WalkStuck, walk_queue
from recognition.models import Event, Face, Person, Sighting, UnlabeledFace
from tests.factories import make_event, make_photo, make_unlabeled, unit_vectors

ANN, BOB = unit_vectors(2, seed=3)


@pytest.fixture
def event(db: None) -> Event:
    return make_event()


def faces_of(event: Event, count: int) -> list[Face]:
    return [make_unlabeled(photo=make_photo(event)).face for _ in range(count)]


def group(event: Event, *faces: Face, mixed: bool = False) -> Cluster:
    cluster = Cluster.objects.create(event=event, open_count=len(faces), mixed=mixed)
    ClusterMember.objects.bulk_create(
        ClusterMember(cluster=cluster, face=face, closeness=0.9) for face in faces
    )
    return cluster


def card_of(cluster: Cluster, *, shown: int = 99) -> ShownCard:
    members = Face.objects.filter(member__cluster=cluster, unlabeled__reviewed=False)
    faces = list(members.select_related("photo").order_by("pk"))
    return ShownCard(faces=faces, shown=faces[:shown], cluster=cluster, mixed=cluster.mixed)


def owned(**faces: list[Face]) -> dict[int, str]:
    return {face.pk: identity for identity, several in faces.items() for face in several}


def in_turn(*cards: Callable[[], ShownCard]) -> Callable[[], ShownCard | None]:
    left: Iterator[Callable[[], ShownCard]] = iter(cards)
    return lambda: card() if (card := next(left, None)) is not None else None


def walk(labeler: User, owners: dict[int, str], next_card: Callable[[], ShownCard | None]) -> Walk:
    return walk_queue(
        labeler=SimulatedLabeler(labeler, owners), owners=owners, next_card=next_card, tend=lambda: None
    )


def names() -> dict[int, str]:
    return dict(Sighting.objects.values_list("face_id", "person__name"))


def test_a_group_of_one_person_is_named_in_one_decision(event: Event, labeler: User) -> None:
    ann = faces_of(event, 3)
    cluster = group(event, *ann)
    done = walk(labeler, owned(ann=ann), in_turn(lambda: card_of(cluster)))
    assert names() == owned(ann=ann)
    assert (done.right, done.kinds) == ([3], {"label": 1})


def test_whoever_is_not_like_the_others_is_taken_out_before_the_name(event: Event, labeler: User) -> None:
    ann, bob = faces_of(event, 3), faces_of(event, 1)
    cluster = group(event, *ann, *bob)
    done = walk(labeler, owned(ann=ann, bob=bob), in_turn(*[lambda: card_of(cluster)] * 2))
    assert names() == owned(ann=ann)
    assert (done.right, done.kinds) == ([0, 3], {"split": 1, "label": 1})


def test_what_a_card_does_not_show_gets_the_name_of_the_group_and_is_counted_as_wrong(
    event: Event, labeler: User
) -> None:
    ann, bob = faces_of(event, 3), faces_of(event, 1)
    cluster = group(event, *ann, *bob)
    done = walk(labeler, owned(ann=ann, bob=bob), in_turn(lambda: card_of(cluster, shown=3)))
    assert names() == owned(ann=[*ann, *bob])
    assert (done.right, done.wrong_people, done.wrong_machine) == ([3], 1, 0)


def test_a_card_that_says_mixed_has_all_its_faces_looked_at(event: Event, labeler: User) -> None:
    ann, bob = faces_of(event, 3), faces_of(event, 1)
    cluster = group(event, *ann, *bob, mixed=True)
    done = walk(labeler, owned(ann=ann, bob=bob), in_turn(*[lambda: card_of(cluster, shown=3)] * 2))
    assert (names(), done.wrong_people) == (owned(ann=ann), 0)


def test_detected_faces_outside_of_the_truth_are_strangers_also_in_a_group(
    event: Event, labeler: User
) -> None:
    ann, nobody = faces_of(event, 2), faces_of(event, 1)[0]
    cluster = group(event, *ann, nobody)
    cards = in_turn(
        lambda: card_of(cluster),
        lambda: card_of(cluster),
        lambda: ShownCard(faces=[nobody], shown=[nobody]),
    )
    done = walk(labeler, owned(ann=ann), cards)
    assert UnlabeledFace.objects.get(face=nobody).verdict == "stranger"
    assert (done.right, done.left) == ([0, 2, 2], 0)


def test_a_group_of_nothing_but_strangers_is_closed_in_one_decision(event: Event, labeler: User) -> None:
    nobody, ann = faces_of(event, 3), faces_of(event, 1)
    cluster = group(event, *nobody)
    done = walk(labeler, owned(ann=ann), in_turn(lambda: card_of(cluster)))
    assert done.kinds == {"stranger": 1}
    assert set(UnlabeledFace.objects.filter(verdict="stranger").values_list("face", flat=True)) == {
        face.pk for face in nobody
    }


def test_of_a_persons_list_the_right_ones_are_confirmed_and_then_the_others_rejected(
    event: Event, labeler: User
) -> None:
    ann, more, bob = faces_of(event, 1), faces_of(event, 2), faces_of(event, 1)

    def ann_list(faces: list[Face]) -> ShownCard:
        return ShownCard(faces=faces, shown=faces, person=Person.objects.get(name="ann"))

    cards = in_turn(
        lambda: ShownCard(faces=ann, shown=ann),
        lambda: ann_list([*more, *bob]),
        lambda: ann_list(bob),
    )
    done = walk(labeler, owned(ann=[*ann, *more], bob=bob), cards)
    assert names() == owned(ann=[*ann, *more])
    assert done.kinds == {"label": 2, "reject": 1}
    assert Decision.objects.get(kind="reject").face == bob[0]


def test_a_face_beside_a_wrong_name_of_the_same_person_still_gets_its_name(
    event: Event, labeler: User
) -> None:
    ann, other = faces_of(event, 2), faces_of(event, 1)
    owners = owned(ann=ann, bob=other)
    simulated = SimulatedLabeler(labeler, owners)
    simulated.decide(ShownCard(faces=ann[:1], shown=ann[:1]))
    person = Person.objects.get(name="ann")
    beside = make_unlabeled(photo=ann[1].photo).face
    Sighting.objects.create(
        face=beside,
        person=person,
        similarity=0.9,
        decided_by="machine",
        references=[],
        thresholds={},
        embedder_id="x",
        seen_at=beside.created_at,
    )
    simulated.decide(ShownCard(faces=ann[1:], shown=ann[1:], person=person))
    assert names()[ann[1].pk] == "ann"


def test_people_of_one_spelling_stay_two_people(event: Event, labeler: User) -> None:
    one, other = faces_of(event, 1), faces_of(event, 1)
    done = walk(
        labeler,
        owned(ann=one, Ann=other),
        in_turn(lambda: ShownCard(faces=one, shown=one), lambda: ShownCard(faces=other, shown=other)),
    )
    assert (Person.objects.count(), done.right) == (2, [1, 2])


def test_size_order_gives_the_largest_group_first_and_single_faces_last(event: Event, labeler: User) -> None:
    small, large, single = faces_of(event, 2), faces_of(event, 3), faces_of(event, 1)
    group(event, *small)
    group(event, *large)
    done = walk(labeler, owned(ann=small, bob=large, cal=single), next_card_in(SIZE, user=labeler))
    assert done.right == [3, 5, 6]


def test_one_by_one_each_face_is_a_decision_the_best_first_or_shuffled(event: Event, labeler: User) -> None:
    faces = faces_of(event, 5)
    group(event, *faces)
    for face, priority in zip(faces, [0.1, 0.9, 0.5, 0.7, 0.3], strict=True):
        UnlabeledFace.objects.filter(face=face).update(priority=priority)
    best = next_card_in(SINGLES, user=labeler)()
    assert best is not None
    assert best.faces == [faces[1]]
    done = walk(labeler, owned(ann=faces), next_card_in(SINGLES, user=labeler, seed=2))
    order = list(Decision.objects.order_by("pk").values_list("face_id", flat=True))
    assert done.right == [1, 2, 3, 4, 5]
    assert sorted(order) == sorted(face.pk for face in faces)
    assert order != [face.pk for face in faces]


def test_a_queue_that_never_empties_is_told(event: Event, labeler: User) -> None:
    ann = faces_of(event, 2)
    cluster = group(event, *ann)
    with pytest.raises(WalkStuck):
        walk(labeler, owned(ann=ann), lambda: ShownCard(faces=ann, shown=ann, cluster=cluster))


def made(right: list[int], *, known: int = 20, people: int = 4) -> Walk:
    return Walk(known=known, people=people, right=right, kinds={"label": len(right)}, wrong_machine=1, left=0)


def test_the_decisions_to_a_share_are_those_until_so_many_faces_are_right() -> None:
    done = made([8, 10, 15, 16, 19])
    assert [done.decisions_to(share) for share in (50, 80, 95, 100)] == [2, 4, 5, None]
    assert (done.per_person(95), done.per_person(100), done.share_right) == (1.25, None, 0.95)


def test_the_numbers_are_of_the_desks_queue_with_the_other_orders_beside_them() -> None:
    walks = {BEST: made([8, 10, 15, 16, 19]), SIZE: made([8, 19]), SINGLES: made(list(range(1, 20)))}
    numbers = as_numbers(walks, listed=24)
    assert numbers["decisions_per_person_95"] == 1.25
    assert (numbers["right"], numbers["wrong"], numbers["people"], numbers["faces"]) == (0.95, 1, 4, 20)
    assert (numbers["decisions_95"], numbers["decisions_100"]) == (5, None)
    assert (numbers["one_by_one_95"], numbers["size_95"], numbers["by_hand_95"]) == (4.75, 0.5, 4.75)


def test_the_table_names_every_order_and_says_where_a_share_was_never_reached() -> None:
    walks = {BEST: made([8, 10, 15, 16, 19]), SIZE: made([8, 19]), SINGLES: made(list(range(1, 20)))}
    lines = as_table(walks, listed=24).splitlines()
    assert lines[0].startswith("20 of 24 faces found, 4 people.")
    rows = {line[:24].strip(): line[24:].split() for line in lines[3:7]}
    assert rows == {
        "the desk's queue": ["2", "4", "5", "-", "1.25", "95.00%", "1"],
        "largest groups first": ["2", "2", "2", "-", "0.50", "95.00%", "1"],
        "one by one": ["10", "16", "19", "-", "4.75", "95.00%", "1"],
        "one by one, by hand": ["10", "16", "19", "20", "4.75"],
    }
