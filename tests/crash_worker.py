"""Run by the crash tests in a process of its own: a management command that dies at a named point, with drawn faces or the real models."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "facevault_site.settings")
    import django

    django.setup()
    from django.core.management import call_command

    if "REAL_MODELS" not in os.environ:
        from recognition.active_embedder import ensure_active_embedder
        from tests.fakes import CHOICE, install_fakes

        install_fakes()
        if sys.argv[1] != "migrate":
            ensure_active_embedder(lambda: CHOICE)
    if side := os.environ.get("DETECTOR_SETTING"):
        from recognition import detection, ingest

        detector = detection.FaceDetector(working_side=int(side))
        setattr(ingest, "get_detector", lambda: detector)  # noqa: B010 - a name that the module imported
    call_command(*sys.argv[1:])


if __name__ == "__main__":
    main()
