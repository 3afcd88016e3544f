"""What every view of the API has: its access rule, the user, input that was checked, and answers in pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar, cast

from django.contrib.auth.models import User
from django.db.models import QuerySet
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

T = TypeVar("T")


class ApiView(GenericAPIView[Any]):
    """`access` says for each method which scope a token needs, and which roles its account: see access.rules."""

    access: ClassVar[Mapping[str, tuple[str, tuple[str, ...]]]] = {}
    # Nothing is guessed from querysets: each method fetches what the user may see.
    queryset: None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.content_type.split(";")[0] != "multipart/form-data":
            # Django's cap on a body's size is checked here; a parser would read a stream of any length.
            _ = request._request.body

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    def read_query(self, kind: type[Serializer[Any]]) -> dict[str, Any]:
        return _valid(kind(data=self.request.query_params.dict()))

    def read_body(self, kind: type[Serializer[Any]], *, partial: bool = False) -> dict[str, Any]:
        return _valid(kind(data=self.request.data, partial=partial))

    def answer_page(
        self, rows: QuerySet[Any, T] | Sequence[T], show: Callable[[Sequence[T]], Any]
    ) -> Response:
        """One page of rows; `show` gets the rows of the page at once, so that it can read what they need together."""
        page = self.paginate_queryset(cast(Any, rows))
        return self.get_paginated_response(show(cast("Sequence[T]", page)))


def _valid(serializer: Serializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    return cast("dict[str, Any]", serializer.validated_data)
