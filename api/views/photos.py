"""Photos over the API: lists, uploads, one photo with its faces, and its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django.core.files.uploadedfile import UploadedFile
from django.db.models import Exists, OuterRef, QuerySet
from django.http import QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from access.roles import MANAGER, ROLES, UPLOADER, require_role
from access.scopes import ADMIN, EXPORT, READ, UPLOAD
from api.base import ApiView
from api.errors import ApiProblem
from api.serializers.photos import (
    EventPhotoQuery,
    PhotoChange,
    PhotoDetail,
    PhotoQuery,
    PhotoRow,
    RetryAnswer,
    UploadAnswer,
    UploadInput,
)
from api.views.events import find_event
from api.views.faces import show_faces
from recognition.models import Face, Photo, Sighting, UnlabeledFace
from recognition.photos.edits import PhotoRefusal, delete_photo, move_photo
from recognition.processing import retry_photos
from recognition.sending import send_original, send_picture
from recognition.storage import preview_path, thumb_path
from recognition.uploads.adding import add_uploaded

_PICTURE = {(200, "image/jpeg"): OpenApiTypes.BINARY}


class Photos(ApiView):
    access = {"GET": (READ, ROLES)}

    @extend_schema(
        operation_id="list_photos",
        summary="List photos, oldest upload first",
        parameters=[PhotoQuery],
        responses=PhotoRow(many=True),
    )
    def get(self, request: Request) -> Response:
        return self.answer_page(_filter(self, self.read_query(PhotoQuery)), _show_rows)


class EventPhotos(ApiView):
    access = {"GET": (READ, ROLES), "POST": (UPLOAD, (UPLOADER, MANAGER))}
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="list_event_photos",
        summary="List the photos of an event",
        parameters=[EventPhotoQuery],
        responses=PhotoRow(many=True),
    )
    def get(self, request: Request, event_pk: int) -> Response:
        event = find_event(self, event_pk)
        return self.answer_page(
            _filter(self, {**self.read_query(EventPhotoQuery), "event": event.pk}), _show_rows
        )

    @extend_schema(
        operation_id="upload_photos",
        summary="Upload photos",
        request={"multipart/form-data": UploadInput},
        responses={200: UploadAnswer},
    )
    def post(self, request: Request, event_pk: int) -> Response:
        """Up to 100 files a request, photos, ZIPs of photos, or videos; one result per photo or video, in their order.

        A bad file never stops the rest. The bytes of a photo identify it: uploading it again answers `duplicate`.
        """
        event = find_event(self, event_pk)
        require_role(self.user, event.pk, UPLOADER, MANAGER)
        files = self.read_files()
        results = add_uploaded(event=event, files=files, user=self.user)
        return Response(UploadAnswer({"results": results}).data)

    def read_files(self) -> list[UploadedFile[Any]]:
        # All fields are looked at: a photo under another name would be left out without a word.
        data = self.request.data
        # Without a body there is no form either.
        fields = dict(data.lists()) if isinstance(data, QueryDict) else {}
        serializer = UploadInput(data={"files": [], **fields})
        serializer.is_valid(raise_exception=True)
        return cast("list[UploadedFile[Any]]", serializer.validated_data["files"])


class OnePhoto(ApiView):
    access = {"GET": (READ, ROLES), "PATCH": (ADMIN, (MANAGER,)), "DELETE": (ADMIN, (UPLOADER, MANAGER))}

    @extend_schema(
        operation_id="get_photo", summary="One photo with its state and its faces", responses=PhotoDetail
    )
    def get(self, request: Request, photo_pk: int) -> Response:
        return Response(self._show(find_photo(self, photo_pk)))

    @extend_schema(
        operation_id="move_photo",
        summary="Move a photo to another event, faces and names with it",
        request=PhotoChange,
        responses=PhotoDetail,
    )
    def patch(self, request: Request, photo_pk: int) -> Response:
        """For managers of both events."""
        photo = find_photo(self, photo_pk)
        require_role(self.user, photo.event_id, MANAGER)
        event = find_event(self, self.read_body(PhotoChange)["event"])
        if event.pk != photo.event_id:
            try:
                move_photo(photo=photo, to=event, user=self.user)
            except PhotoRefusal as refused:
                raise ApiProblem(409, "photo_not_moved", str(refused)) from refused
        return Response(self._show(find_photo(self, photo_pk)))

    @extend_schema(
        operation_id="delete_photo",
        summary="Delete a photo with its faces and their names",
        responses={204: None},
    )
    def delete(self, request: Request, photo_pk: int) -> Response:
        """For managers; and for whoever brought it, while nobody named a face on it. This cannot be undone."""
        photo = find_photo(self, photo_pk)
        try:
            delete_photo(photo=photo, user=self.user)
        except PhotoRefusal as refused:
            raise ApiProblem(409, "photo_busy", str(refused)) from refused
        return Response(status=204)

    def _show(self, photo: Photo) -> dict[str, Any]:
        faces = Face.objects.visible_to(self.user).filter(photo=photo).order_by("left", "pk")
        return {**PhotoRow(photo).data, "faces": show_faces(faces, self)}


class RetryPhoto(ApiView):
    access = {"POST": (UPLOAD, (UPLOADER, MANAGER))}

    @extend_schema(
        operation_id="retry_photo",
        summary="Try a failed photo again",
        request=None,
        responses={200: RetryAnswer},
    )
    def post(self, request: Request, photo_pk: int) -> Response:
        photo = find_photo(self, photo_pk)
        require_role(self.user, photo.event_id, UPLOADER, MANAGER)
        failed = Photo.objects.visible_to(self.user).filter(pk=photo.pk, state=Photo.State.FAILED)
        return Response({"retried": retry_photos(failed)})


class PhotoPreview(ApiView):
    access = {"GET": (READ, ROLES)}

    @extend_schema(
        operation_id="get_photo_preview",
        summary="The photo at most 1600 pixels wide or high",
        responses=_PICTURE,
    )
    def get(self, request: Request, photo_pk: int) -> HttpResponseBase:
        photo = find_photo(self, photo_pk)
        return send_picture(request._request, preview_path(photo), etag=f"{photo.sha256}-preview")


class PhotoThumb(ApiView):
    access = {"GET": (READ, ROLES)}

    @extend_schema(
        operation_id="get_photo_thumb",
        summary="The photo at most 480 pixels wide or high",
        responses=_PICTURE,
    )
    def get(self, request: Request, photo_pk: int) -> HttpResponseBase:
        photo = find_photo(self, photo_pk)
        return send_picture(request._request, thumb_path(photo), etag=f"{photo.sha256}-thumb")


class PhotoOriginal(ApiView):
    access = {"GET": (EXPORT, (MANAGER,))}

    @extend_schema(
        operation_id="get_photo_original",
        summary="The file as it was uploaded",
        responses={(200, "image/*"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, photo_pk: int) -> HttpResponseBase:
        photo = find_photo(self, photo_pk)
        require_role(self.user, photo.event_id, MANAGER)
        return send_original(photo)


def find_photo(view: ApiView, photo_pk: int) -> Photo:
    return get_object_or_404(Photo.objects.visible_to(view.user), pk=photo_pk)


def _filter(view: ApiView, query: dict[str, Any]) -> QuerySet[Photo]:
    photos = Photo.objects.visible_to(view.user)
    if "event" in query:
        photos = photos.filter(event=query["event"])
    if "state" in query:
        photos = photos.filter(state=query["state"])
    if "person" in query:
        seen = Sighting.objects.visible_to(view.user).filter(person=query["person"])
        photos = photos.filter(pk__in=seen.order_by().values("face__photo"))
    if query.get("unnamed"):
        entries = UnlabeledFace.objects.visible_to(view.user).open().filter(face__photo=OuterRef("pk"))
        photos = photos.filter(Exists(entries.order_by()))
    return photos


def _show_rows(photos: Sequence[Photo]) -> Any:
    return PhotoRow(photos, many=True).data
