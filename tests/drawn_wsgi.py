"""The site with drawn faces instead of nets, for web server processes of a test's own."""

from facevault_site.wsgi import application
from tests.fakes import install_fakes

install_fakes()

__all__ = ["application"]
