"""Photos: filters, what became of uploaded files, one photo with its faces."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.serializers.common import WORK_STATES, Input, Link, Output, Query, RowId
from api.serializers.faces import FaceDetail
from recognition.models import Photo


class EventPhotoQuery(Query):
    state = serializers.ChoiceField(choices=WORK_STATES, required=False)
    person = RowId(required=False, help_text="only photos with this person")
    unnamed = serializers.BooleanField(
        required=False, help_text="true: only photos with a face that is still in the queue"
    )


class PhotoQuery(EventPhotoQuery):
    event = RowId(required=False)


class PhotoChange(Input):
    event = RowId(help_text="the event that it belongs to")


class UploadInput(Input):
    """One or many photos, ZIP files or videos; each field is called `files`."""

    files = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True, max_length=None), allow_empty=False, max_length=100
    )


class PhotoFailure(Output):
    code = serializers.CharField(help_text="stable")
    reason = serializers.CharField(help_text="a sentence that says what to do")


class PhotoRow(Output):
    """A photo in a list."""

    id = serializers.IntegerField(source="pk")
    event = serializers.IntegerField(source="event_id")
    name = serializers.CharField(help_text="file name")
    sha256 = serializers.CharField(help_text="of the file as it was uploaded")
    format = serializers.ChoiceField(choices=["JPEG", "PNG", "WEBP", "HEIC"])
    byte_size = serializers.IntegerField()
    width = serializers.IntegerField(help_text="pixels, after orientation")
    height = serializers.IntegerField(help_text="pixels, after orientation")
    captured_at = serializers.DateTimeField(allow_null=True)
    uploaded_at = serializers.DateTimeField()
    processed_at = serializers.DateTimeField(allow_null=True)
    state = serializers.ChoiceField(choices=WORK_STATES)
    failure = serializers.SerializerMethodField()
    preview = Link("api-photo-preview", help_text="at most 1600 pixels; there once the photo is done")
    thumb = Link("api-photo-thumb", help_text="at most 480 pixels; there once the photo is done")
    original = Link("api-photo-original", help_text="for managers of the event, with the scope export")

    @extend_schema_field(PhotoFailure(allow_null=True))
    def get_failure(self, photo: Photo) -> dict[str, str] | None:
        if photo.state != Photo.State.FAILED:
            return None
        return {"code": photo.failure_code, "reason": photo.failure_reason}


class PhotoDetail(PhotoRow):
    """A photo with its faces from left to right."""

    faces = FaceDetail(many=True)


class UploadedVideo(Output):
    """A recording that was added: a worker looks at its frames, and the best ones become photos of the event."""

    id = serializers.UUIDField(source="video_id")
    name = serializers.CharField(help_text="file name")
    state = serializers.ChoiceField(choices=["queued", "processing", "done", "failed"])
    frames_done = serializers.IntegerField(help_text="frames looked at so far")
    frames_total = serializers.IntegerField(help_text="how many will be looked at, roughly")


class UploadedFile(Output):
    """What became of one file. A ZIP gives one result per photo in it."""

    name = serializers.CharField()
    outcome = serializers.ChoiceField(choices=["added", "duplicate", "refused"])
    code = serializers.CharField(allow_blank=True, help_text="stable; empty for an added photo")
    message = serializers.CharField(allow_blank=True, help_text="what to do; empty for an added photo")
    photo = PhotoRow(
        allow_null=True,
        help_text="null for a refused file, for a video, and for a duplicate of a photo that you do not see",
    )
    video = UploadedVideo(allow_null=True, help_text="null for everything but a video that you see")


class UploadAnswer(Output):
    results = UploadedFile(many=True)


class RetryAnswer(Output):
    retried = serializers.IntegerField(help_text="how many failed photos wait again")
