"""Tending: open faces are looked at, named where the machine may, grouped, and looked at again after every decision."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from labeling.clusters import looking, tending
from labeling.clusters.tending import is_tending_due, tend_queue
from labeling.decisions import (
    label_faces,
    record_verdict,
    reject_faces,
    set_reference,
    split_cluster,
    undo_decision,
)
from labeling.evidence import weigh_faces
from labeling.models import Cluster, ClusterMember, Decision, Look, QueueState, Rejection
from recognition.gallery_journal import prune_journal, start_new_epoch
from recognition.models import ActiveEmbedder, Event, Face, Person, Sighting, UnlabeledFace
from recognition.photos.edits import move_photo
from recognition.photos.removal import remove_photos
from tests.factories import make_event, make_person, make_photo, make_reference, make_unlabeled, vector_near
from tests.labeling.clusters.queue import (
    ALICE,
    BOB,
    CAROL,
    SOMEBODY,
    cluster_of,
    clusters_of,
    fetch_cluster,
    look_of,
    name_of,
    queue_face,
    queue_faces,
)


@pytest.fixture
def event() -> Event:
    return make_event("Graduation")


@pytest.fixture
def alice() -> Person:
    person = make_person("Alice")
    make_reference(person, ALICE)
    return person


class TestLooks:
    def test_a_face_that_may_be_somebody_known_says_so(self, event: Event, alice: Person) -> None:
        face = queue_face(vector_near(ALICE, 0.6), event=event)

        tend_queue()

        look = look_of(face)
        assert look is not None
        assert (look.person, look.verdict) == (alice, Look.Verdict.SUGGEST)
        assert look.similarity == pytest.approx(0.6, abs=0.001)
        assert name_of(face) is None

    def test_a_face_that_looks_like_nobody_known_was_looked_at(self, event: Event, alice: Person) -> None:
        face = queue_face(SOMEBODY, event=event)

        tend_queue()

        look = look_of(face)
        assert look is not None
        assert (look.person, look.verdict) == (None, Look.Verdict.UNKNOWN)

    def test_a_close_call_is_called_one_and_names_nobody(self, event: Event, alice: Person) -> None:
        make_reference(make_person("Bob"), vector_near(ALICE, 0.95))
        face = queue_face(vector_near(ALICE, 0.9, seed=4), event=event)

        tend_queue()

        look = look_of(face)
        assert look is not None
        assert look.verdict == Look.Verdict.CLOSE
        assert name_of(face) is None

    def test_a_face_without_a_vector_is_looked_at_once(self, event: Event, alice: Person) -> None:
        face = make_unlabeled(photo=make_photo(event)).face

        tend_queue()

        assert look_of(face) is not None
        assert not is_tending_due()

    def test_who_is_on_the_photo_already_is_no_suggestion(self, event: Event, alice: Person) -> None:
        photo = make_photo(event)
        make_reference(alice, vector_near(ALICE, 0.9), photo=photo)
        face = queue_face(vector_near(ALICE, 0.9, seed=7), photo=photo)

        tend_queue()

        assert name_of(face) is None
        look = look_of(face)
        assert look is not None
        assert look.person is None

    def test_nothing_happens_before_an_embedder_is_active(self, event: Event) -> None:
        ActiveEmbedder.objects.all().delete()
        face = queue_face(ALICE, event=event)

        assert not tend_queue()
        assert look_of(face) is None


class TestNames:
    def test_a_face_above_the_automatic_line_is_named_with_its_evidence(
        self, event: Event, alice: Person
    ) -> None:
        face = queue_face(vector_near(ALICE, 0.9), event=event)

        tend_queue()

        sighting = Sighting.objects.get(face=face)
        assert (sighting.person, sighting.decided_by, sighting.is_reference) == (alice, "machine", False)
        assert sighting.similarity == pytest.approx(0.9, abs=0.001)
        assert sighting.references == [Sighting.objects.get(person=alice, is_reference=True).face_id]
        assert sighting.thresholds["automatic"] == 0.7
        assert sighting.embedder_id == "facenet-vggface2"
        entry = UnlabeledFace.objects.get(face=face)
        assert (entry.reviewed, entry.verdict) == (True, "label")
        assert look_of(face) is None

    def test_the_machine_moves_no_version_that_a_person_sees(self, event: Event, alice: Person) -> None:
        face = queue_face(vector_near(ALICE, 0.9), event=event)

        tend_queue()

        assert Face.objects.get(pk=face.pk).version == 0

    def test_of_two_faces_of_one_photo_only_the_better_one_is_named(
        self, event: Event, alice: Person
    ) -> None:
        photo = make_photo(event)
        better = queue_face(vector_near(ALICE, 0.95, seed=1), photo=photo)
        other = queue_face(vector_near(ALICE, 0.85, seed=2), photo=photo)

        tend_queue()

        assert name_of(better) == "Alice"
        assert name_of(other) is None
        look = look_of(other)
        assert look is not None
        assert look.person is None

    def test_a_rejected_person_is_neither_named_nor_suggested(
        self, event: Event, alice: Person, labeler: User
    ) -> None:
        face = queue_face(vector_near(ALICE, 0.6), event=event)
        reject_faces(faces=[face], people=[alice], actor=labeler)
        make_reference(alice, vector_near(ALICE, 0.6))

        tend_queue()

        look = look_of(face)
        assert look is not None
        assert look.person is None
        assert name_of(face) is None

    def test_a_face_that_a_person_put_back_is_not_named_again(
        self, event: Event, alice: Person, labeler: User
    ) -> None:
        face = queue_face(vector_near(ALICE, 0.9), event=event)
        tend_queue()
        assert name_of(face) == "Alice"

        record_verdict(face=Face.objects.get(pk=face.pk), kind="reopen", actor=labeler)
        tend_queue()

        assert name_of(face) is None
        look = look_of(face)
        assert look is not None
        assert look.person == alice

    def test_who_decides_in_between_is_not_overruled(
        self, event: Event, alice: Person, labeler: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        face = queue_face(vector_near(ALICE, 0.9), event=event)
        weigh = weigh_faces
        asked: list[int] = []

        def weigh_slowly(*args: object) -> object:
            answer = weigh(*args)  # type: ignore[arg-type]
            if not asked:
                asked.append(1)
                label_faces(faces=[face], actor=labeler, name="Bob")
            return answer

        monkeypatch.setattr(looking, "weigh_faces", weigh_slowly)
        tend_queue()

        assert name_of(face) == "Bob"


class TestAgain:
    def test_naming_a_few_fills_in_the_rest(self, event: Event, labeler: User) -> None:
        faces = queue_faces(ALICE, 6, event=event, alikeness=0.95)
        tend_queue()
        assert not Sighting.objects.exists()

        label_faces(faces=faces[:2], actor=labeler, name="Alice")
        assert is_tending_due()
        tend_queue()

        assert [name_of(face) for face in faces] == ["Alice"] * 6

    def test_a_face_of_the_middle_becomes_a_suggestion_after_the_name(
        self, event: Event, labeler: User
    ) -> None:
        first = queue_face(ALICE, event=event)
        middle = queue_face(vector_near(ALICE, 0.6), event=event)
        tend_queue()

        decision = label_faces(faces=[first], actor=labeler, name="Alice")
        tend_queue()

        look = look_of(middle)
        assert look is not None
        assert look.person == decision.person

    def test_only_faces_that_the_new_reference_may_concern_are_asked_about(
        self, event: Event, labeler: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = queue_face(ALICE, event=event)
        near = queue_face(vector_near(ALICE, 0.6), event=event)
        queue_faces(BOB, 5, event=event)
        tend_queue()
        asked: list[int] = []
        weigh = weigh_faces

        def weigh_and_note(faces: list[Face], k: int) -> object:
            asked.extend(face.pk for face in faces)
            return weigh(faces, k)

        monkeypatch.setattr(looking, "weigh_faces", weigh_and_note)
        label_faces(faces=[first], actor=labeler, name="Alice")
        tend_queue()

        assert asked == [near.pk]

    def test_an_undone_name_is_a_suggestion_no_longer(self, event: Event, labeler: User) -> None:
        first = queue_face(ALICE, event=event)
        middle = queue_face(vector_near(ALICE, 0.6), event=event)
        decision = label_faces(faces=[first], actor=labeler, name="Alice")
        tend_queue()

        undo_decision(decision=decision, actor=labeler)
        tend_queue()

        look = look_of(middle)
        assert look is not None
        assert look.person is None
        assert look_of(first) is not None

    def test_a_reference_that_is_none_any_more_answers_for_nobody(self, event: Event, labeler: User) -> None:
        first = queue_face(ALICE, event=event)
        middle = queue_face(vector_near(ALICE, 0.6), event=event)
        label_faces(faces=[first], actor=labeler, name="Alice")
        tend_queue()

        set_reference(face=Face.objects.get(pk=first.pk), reference=False, actor=labeler)
        tend_queue()

        look = look_of(middle)
        assert look is not None
        assert look.person is None

    def test_a_deleted_photo_takes_its_answers_along(self, event: Event, labeler: User) -> None:
        first = queue_face(ALICE, event=event)
        middle = queue_face(vector_near(ALICE, 0.6), event=event)
        label_faces(faces=[first], actor=labeler, name="Alice")
        tend_queue()

        with transaction.atomic():
            remove_photos([first.photo_id])
        tend_queue()

        look = look_of(middle)
        assert look is not None
        assert look.person is None

    @pytest.mark.parametrize("lost", ["epoch", "journal"])
    def test_where_the_journal_does_not_lead_everything_is_looked_at_again(
        self, event: Event, alice: Person, lost: str
    ) -> None:
        face = queue_face(vector_near(ALICE, 0.6), event=event)
        tend_queue()
        Look.objects.filter(face=face).update(person=None, similarity=None)
        make_reference(make_person("Bob"), BOB)
        if lost == "epoch":
            start_new_epoch()
        else:
            prune_journal(keep_versions=0)

        tend_queue()

        look = look_of(face)
        assert look is not None
        assert look.person == alice

    def test_a_merge_without_faces_in_the_journal_asks_again_about_every_suggestion(
        self, event: Event, alice: Person
    ) -> None:
        from recognition.gallery_journal import touch_gallery

        face = queue_face(vector_near(ALICE, 0.6), event=event)
        tend_queue()
        bob = make_person("Bob")
        with transaction.atomic():
            touch_gallery([])
            Sighting.objects.filter(person=alice).update(person=bob)

        tend_queue()

        look = look_of(face)
        assert look is not None
        assert look.person == bob

    def test_nothing_is_due_when_all_was_done(self, event: Event, alice: Person, labeler: User) -> None:
        label_faces(faces=queue_faces(BOB, 3, event=event), actor=labeler, name="Bob")
        queue_faces(CAROL, 3, event=event)
        assert is_tending_due()

        assert not tend_queue()

        assert not is_tending_due()


class TestClusters:
    def test_faces_of_one_person_are_one_cluster_and_a_single_one_is_in_none(self, event: Event) -> None:
        alice, bob = queue_faces(ALICE, 4, event=event), queue_faces(BOB, 2, event=event)
        single = queue_face(SOMEBODY, event=event)

        tend_queue()

        assert len(set(clusters_of(alice))) == len(set(clusters_of(bob))) == 1
        assert cluster_of(alice[0]) != cluster_of(bob[0])
        assert cluster_of(single) is None
        assert sorted(Cluster.objects.values_list("open_count", flat=True)) == [2, 4]
        assert not Cluster.objects.filter(mixed=True).exists()

    def test_a_cluster_belongs_to_one_event(self, event: Event) -> None:
        here, there = queue_faces(ALICE, 2, event=event), queue_faces(ALICE, 2, event=make_event(), seed=2)

        tend_queue()

        assert cluster_of(here[0]) != cluster_of(there[0])
        assert fetch_cluster(here[0]).event == event

    def test_an_arrival_joins_a_cluster_that_somebody_has_seen(self, event: Event) -> None:
        faces = queue_faces(ALICE, 3, event=event)
        tend_queue()
        Cluster.objects.update(seen_at=timezone.now())

        new = queue_face(vector_near(ALICE, 0.9, seed=77), event=event)
        tend_queue()

        assert cluster_of(new) == cluster_of(faces[0])
        cluster = Cluster.objects.get()
        assert (cluster.open_count, cluster.version) == (4, 0)

    def test_a_face_that_was_taken_out_never_comes_back_by_itself(self, event: Event, labeler: User) -> None:
        faces = queue_faces(ALICE, 4, event=event)
        tend_queue()
        cluster = Cluster.objects.get()
        split_cluster(cluster=cluster, faces=faces[:1], actor=labeler)

        queue_faces(ALICE, 2, event=event, seed=9)
        tend_queue()

        assert cluster_of(faces[0]) is None
        assert Cluster.objects.get().open_count == 5

    def test_faces_that_were_taken_out_together_stay_together_and_apart(
        self, event: Event, labeler: User
    ) -> None:
        faces = queue_faces(ALICE, 6, event=event)
        tend_queue()
        split_cluster(cluster=Cluster.objects.get(), faces=faces[:3], actor=labeler)

        queue_faces(ALICE, 1, event=event, seed=9)
        tend_queue()

        assert len(set(clusters_of(faces[:3]))) == len(set(clusters_of(faces[3:]))) == 1
        assert cluster_of(faces[0]) != cluster_of(faces[5])

    def test_a_cluster_is_mixed_until_the_strangers_are_taken_out(self, event: Event, labeler: User) -> None:
        alice, bob = queue_faces(ALICE, 5, event=event), queue_faces(BOB, 3, event=event)
        tend_queue()
        kept = fetch_cluster(alice[0])
        ClusterMember.objects.filter(face__in=bob).update(cluster=kept)
        Cluster.objects.filter(open_count=3).delete()
        Cluster.objects.update(version=1, mixed=True)

        split_cluster(cluster=kept, faces=bob, actor=labeler)
        tend_queue()

        assert set(Cluster.objects.values_list("open_count", "mixed")) == {(5, False), (3, False)}

    def test_what_the_machine_names_leaves_the_count_of_its_cluster_and_not_the_cluster(
        self, event: Event, labeler: User
    ) -> None:
        faces = queue_faces(ALICE, 5, event=event, alikeness=0.95)
        tend_queue()
        cluster = Cluster.objects.get()

        label_faces(faces=faces[:1], actor=labeler, name="Alice", cluster=cluster)
        tend_queue()

        cluster.refresh_from_db()
        assert cluster.open_count == 0
        assert cluster.members.count() == 5
        assert cluster.version == 1

    def test_a_cluster_keeps_its_number_while_it_grows(self, event: Event) -> None:
        faces = queue_faces(ALICE, 3, event=event)
        tend_queue()
        number = cluster_of(faces[0])

        queue_faces(ALICE, 3, event=event, seed=5)
        tend_queue()

        assert list(Cluster.objects.values_list("pk", "open_count")) == [(number, 6)]

    def test_two_faces_of_one_photo_are_never_in_one_cluster(self, event: Event) -> None:
        photos = [make_photo(event) for _ in range(4)]
        for seed in (1, 2):
            for number, photo in enumerate(photos):
                queue_face(vector_near(ALICE, 0.95, seed=10 * seed + number), photo=photo)

        tend_queue()

        places = list(ClusterMember.objects.values_list("cluster", "face__photo"))
        assert len(places) >= 4
        assert len(set(places)) == len(places)

    def test_a_face_of_a_moved_photo_is_grouped_in_its_new_event(self, event: Event, manager: User) -> None:
        faces = queue_faces(ALICE, 3, event=event)
        other = make_event()
        there = queue_faces(ALICE, 2, event=other, seed=4)
        tend_queue()

        move_photo(photo=faces[0].photo, to=other, user=manager)
        assert cluster_of(faces[0]) is None
        tend_queue()

        assert cluster_of(faces[0]) == cluster_of(there[0])
        assert sorted(Cluster.objects.values_list("open_count", flat=True)) == [2, 3]

    def test_a_cluster_whose_photos_are_deleted_goes(self, event: Event) -> None:
        faces = queue_faces(ALICE, 3, event=event)
        queue_faces(BOB, 2, event=event)
        tend_queue()

        with transaction.atomic():
            remove_photos([face.photo_id for face in faces])
        tend_queue()

        assert list(Cluster.objects.values_list("open_count", flat=True)) == [2]


class TestWorkers:
    def test_a_second_worker_leaves_at_once(self, event: Event) -> None:
        face = queue_face(ALICE, event=event)
        QueueState.objects.create(
            pk=1, lease=uuid.uuid4(), lease_until=timezone.now() + timedelta(seconds=30)
        )

        assert not tend_queue()

        assert look_of(face) is None

    def test_the_lease_of_a_dead_worker_runs_out(self, event: Event) -> None:
        face = queue_face(ALICE, event=event)
        QueueState.objects.create(pk=1, lease=uuid.uuid4(), lease_until=timezone.now() - timedelta(seconds=1))

        tend_queue()

        assert look_of(face) is not None

    def test_whoever_lost_the_lease_writes_nothing(
        self, event: Event, alice: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        named, seen = queue_face(vector_near(ALICE, 0.9), event=event), queue_face(BOB, event=event)
        weigh = weigh_faces

        def weigh_and_lose(*args: object) -> object:
            QueueState.objects.update(lease=uuid.uuid4())
            return weigh(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(looking, "weigh_faces", weigh_and_lose)
        assert not tend_queue()

        assert name_of(named) is None
        assert look_of(seen) is None

    @pytest.mark.parametrize("step", ["look_at", "write_plan", "write_looks", "judge_again"])
    def test_a_worker_that_dies_in_between_leaves_nothing_undone(
        self, step: str, event: Event, labeler: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = queue_faces(ALICE, 2, event=event, alikeness=0.95)
        label_faces(faces=first, actor=labeler, name="Alice")
        rest = queue_faces(ALICE, 3, event=event, alikeness=0.95, seed=3)
        bob = queue_faces(BOB, 3, event=event)
        tend_queue()
        label_faces(faces=bob[:1], actor=labeler, name="Bob")
        late = queue_faces(CAROL, 3, event=event)

        def die(*args: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(tending, step, die)
            with pytest.raises(KeyboardInterrupt):
                tend_queue()
        assert not QueueState.objects.filter(lease__isnull=False).exists()
        assert is_tending_due()
        tend_queue()

        assert [name_of(face) for face in rest] == ["Alice"] * 3
        assert not is_tending_due()
        assert len(set(clusters_of(late))) == 1
        assert cluster_of(late[0]) is not None

    def test_what_is_left_at_a_pause_is_done_the_next_time(
        self, event: Event, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tending, "_ARRIVALS", 2)
        faces = queue_faces(ALICE, 5, event=event)

        looks = iter([False, True])
        assert tend_queue(lambda: next(looks))
        assert Look.objects.count() == 2
        assert not tend_queue(lambda: False)

        assert Look.objects.count() == 5
        assert len(set(clusters_of(faces))) == 1

    def test_rejections_and_verdicts_stand_after_all_was_looked_at_anew(
        self, event: Event, alice: Person, labeler: User
    ) -> None:
        rejected, stranger, named = queue_faces(ALICE, 3, event=event, alikeness=0.65)
        reject_faces(faces=[rejected], people=[alice], actor=labeler)
        record_verdict(face=stranger, kind="stranger", actor=labeler)
        label_faces(faces=[named], actor=labeler, name="Bob")
        start_new_epoch()

        tend_queue()

        assert Rejection.objects.filter(face=rejected, person=alice).exists()
        look = look_of(rejected)
        assert look is not None
        assert look.person != alice
        assert UnlabeledFace.objects.get(face=stranger).verdict == "stranger"
        assert name_of(named) == "Bob"
        assert not Decision.objects.exclude(undone_at=None).exists()
