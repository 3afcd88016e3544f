"""What every serializer is made of, and what several outputs share."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from recognition.models import Person, Photo

# Of photos, exports and searches.
WORK_STATES = list(Photo.State.values)


# Comments, not docstrings: those of a base class would stand in the schema of every shape that has none.
class Output(serializers.Serializer[Any]):
    pass


# A field that is not known is refused: else a typing error would be taken for a default.
class Input(serializers.Serializer[Any]):
    _beside: frozenset[str] = frozenset()

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = set(map(str, data)) - set(self.fields) - self._beside
            if unknown:
                raise serializers.ValidationError(
                    {
                        name: [serializers.ErrorDetail("There is no such field here.", code="unknown_field")]
                        for name in sorted(unknown)
                    }
                )
        return super().to_internal_value(data)


# Of an object to find. A number beyond the database's own cannot be asked for.
class RowId(serializers.IntegerField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=2**63 - 1, **kwargs)


# Parameters of an address; those of the page are read by the paginator.
class Query(Input):
    _beside = frozenset({"page", "page_size"})


@extend_schema_field({"type": "string", "format": "uri-reference"})
class Link(serializers.Field[Any, Any, str, Any]):
    """The address of an endpoint of the object, without the host."""

    def __init__(self, route: str, *, by: str = "pk", **kwargs: Any) -> None:
        self._route, self._by = route, by
        super().__init__(source="*", read_only=True, **kwargs)

    def to_representation(self, value: Any) -> str:
        key = value
        for part in self._by.split("."):
            key = getattr(key, part)
        return reverse(self._route, args=[key])


class PersonBrief(Output):
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()


class Box(Output):
    """Pixels of the photo after orientation."""

    left = serializers.FloatField()
    top = serializers.FloatField()
    width = serializers.FloatField()
    height = serializers.FloatField()


class FieldError(Output):
    field = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    detail = serializers.CharField()


class Problem(Output):
    """An error (RFC 9457). `code` is stable and for programs; `detail` is a sentence that says what to do."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    errors = FieldError(
        many=True,  # type: ignore[assignment] # DRF's own attribute of this name is for inputs
        required=False,
        help_text="of an invalid request; an empty `field` is the request as a whole",
    )


def brief(person: Person) -> dict[str, Any]:
    return {"id": person.pk, "name": person.name}
