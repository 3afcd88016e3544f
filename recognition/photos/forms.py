"""Forms about one photo: typed numbers into a box."""

from __future__ import annotations

from typing import Any

from django import forms

from recognition.geometry import Box

_FARTHEST = 100_000.0


class BoxForm(forms.Form):
    """A rectangle in pixels of the oriented photo; draw.js fills it in from the pointer."""

    left = forms.FloatField(min_value=-_FARTHEST, max_value=_FARTHEST)
    top = forms.FloatField(min_value=-_FARTHEST, max_value=_FARTHEST)
    width = forms.FloatField(min_value=1, max_value=_FARTHEST)
    height = forms.FloatField(min_value=1, max_value=_FARTHEST)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs |= {"step": "any", "inputmode": "decimal", "data-draw-field": name}

    @property
    def box(self) -> Box:
        data = self.cleaned_data
        return Box(data["left"], data["top"], data["left"] + data["width"], data["top"] + data["height"])
