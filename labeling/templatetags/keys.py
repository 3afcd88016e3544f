"""`{% key "s" %}`: a key as this account presses it, where no button shows it."""

from __future__ import annotations

from django import template
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag(takes_context=True)
def key(context: Context, usual: str) -> SafeString:
    frame = context.get("frame")
    own: dict[str, str] = frame.keys if frame else {}
    return format_html("<kbd>{}</kbd>", own.get(usual, usual))
