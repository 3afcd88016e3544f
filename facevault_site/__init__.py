"""The site: settings, urls, wsgi. Importing it puts a safe SQLite in place of the system's."""

import sys

import pysqlite3
import pysqlite3.dbapi2

# The system's SQLite may predate 3.51.3, whose WAL-reset race can lose committed pages. Settings live in this package,
# so this runs before Django imports its SQLite backend.
sys.modules["sqlite3"] = pysqlite3
sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2
