"""App configuration of recognition."""

from django.apps import AppConfig


class RecognitionConfig(AppConfig):
    name = "recognition"

    def ready(self) -> None:
        from recognition import checks  # noqa: F401 - registers them
