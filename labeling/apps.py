"""App configuration of labeling."""

from django.apps import AppConfig


class LabelingConfig(AppConfig):
    name = "labeling"
