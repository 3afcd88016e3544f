"""Lists in pages: count, next, previous, results."""

from rest_framework.pagination import PageNumberPagination


class Pages(PageNumberPagination):
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    page_query_description = "Which page, from 1."
    page_size_query_description = "How many on a page, at most 200."
    invalid_page_message = "There is no such page. Follow `next` of the page before; null ends the list."
