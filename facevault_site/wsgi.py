"""The WSGI application that gunicorn serves. The gallery's index is loaded when the process starts, not by a visitor."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "facevault_site.settings")
application = get_wsgi_application()

from recognition.startup import load_gallery_index  # noqa: E402 - models exist only after the line above

load_gallery_index()
