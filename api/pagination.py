"""Lists in pages: count, next, previous, results."""

from __future__ import annotations

from typing import Any

from rest_framework.pagination import PageNumberPagination


class Pages(PageNumberPagination):
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    page_query_description = "Which page, from 1."
    page_size_query_description = "How many on a page, at most 200."
    invalid_page_message = "There is no such page. Follow `next` of the page before; null ends the list."

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """With links that may be null as OpenAPI 3.1 says it; DRF's `nullable` is of 3.0 and means nothing there."""
        described: dict[str, Any] = super().get_paginated_response_schema(schema)
        link = {"type": ["string", "null"], "format": "uri"}
        described["required"] = ["count", "next", "previous", "results"]
        described["properties"] |= {"next": link, "previous": link}
        return described
