"""The embedder in use and a change of it."""

from __future__ import annotations

from rest_framework import serializers

from api.serializers.common import Output
from recognition.models import Reembedding


class UnreadPhoto(Output):
    """A photo whose faces the target could not see; they keep their names."""

    photo = serializers.IntegerField()
    name = serializers.CharField()
    reason = serializers.CharField()
    faces = serializers.ListField(child=serializers.UUIDField())


class LabeledAgreement(Output):
    """Labeled faces, each compared with all others but itself."""

    compared = serializers.IntegerField()
    same = serializers.IntegerField(help_text="the same person comes first")
    changed = serializers.IntegerField()
    right_before = serializers.IntegerField(help_text="their own person comes first by the source")
    right_after = serializers.IntegerField(help_text="by the target")
    gained = serializers.IntegerField()
    lost = serializers.IntegerField()


class MachineAgreement(Output):
    compared = serializers.IntegerField(help_text="faces that FaceVault named")
    agrees = serializers.IntegerField()
    differs = serializers.IntegerField()


class OpenAgreement(Output):
    compared = serializers.IntegerField(help_text="open faces that were looked at")
    of = serializers.IntegerField(help_text="open faces in all")
    named_before = serializers.IntegerField(help_text="would get a name by the source")
    named_after = serializers.IntegerField(help_text="by the target")


class Lines(Output):
    automatic = serializers.FloatField()
    margin = serializers.FloatField()
    suggest = serializers.FloatField()
    strict = serializers.FloatField()


class EmbedderSide(Output):
    embedder_id = serializers.CharField()
    dimension = serializers.IntegerField()
    embeddings = serializers.IntegerField()
    bytes = serializers.IntegerField(help_text="of all its vectors")
    calibrated = serializers.BooleanField(help_text="its lines were fitted to this installation's faces")
    lines = Lines()


class Agreement(Output):
    labeled = LabeledAgreement()
    machine = MachineAgreement()
    open = OpenAgreement()
    disputed = serializers.IntegerField(help_text="names that the target would give to somebody else")
    failed_photos = serializers.IntegerField()
    failed_faces = serializers.IntegerField()
    seconds_per_face = serializers.FloatField()
    before = EmbedderSide()
    after = EmbedderSide()


class Change(Output):
    # Every serializer has a `source` of its own; this one is taken out of the class as all fields are.
    source = serializers.CharField()  # type: ignore[assignment]
    target = serializers.CharField()
    state = serializers.ChoiceField(choices=list(Reembedding.State.values))
    working = serializers.BooleanField(help_text="a process works on it at this moment")
    wanted = serializers.ChoiceField(
        choices=list(Reembedding.Wanted.values), help_text="what a worker is to do; empty: nothing"
    )
    trouble = serializers.CharField(allow_blank=True, help_text="why a worker did not do it")
    faces_total = serializers.IntegerField()
    faces_done = serializers.IntegerField()
    seconds = serializers.FloatField(help_text="spent on decoding and embedding so far")
    minutes_left = serializers.IntegerField(allow_null=True)
    started_at = serializers.DateTimeField()
    switched_at = serializers.DateTimeField(allow_null=True)
    may_go_back = serializers.BooleanField()
    worse = serializers.BooleanField(help_text="the target knows clearly fewer of the labeled faces")
    failures = UnreadPhoto(many=True)
    disputed_open = serializers.IntegerField()
    agreement = Agreement(allow_null=True)


class EmbedderState(Output):
    embedder_id = serializers.CharField(allow_null=True, help_text="the one in use")
    change = Change(allow_null=True)
