"""Exports: the photos of an event or a person on their way out, as a ZIP and as a list.

Nothing here knows of requests: pages and API call the same functions.
"""

from recognition.exports.csv_list import stream_csv
from recognition.exports.selection import ExportScope, ExportSummary, find_events, select_photos, summarize
from recognition.exports.work import (
    TooManyExports,
    delete_export,
    find_export_file,
    is_stalled,
    request_export,
    request_export_processing,
    sweep_exports,
)
from recognition.exports.writing import process_next_export
from recognition.exports.zip_stream import stream_zip

__all__ = [
    "ExportScope",
    "ExportSummary",
    "TooManyExports",
    "delete_export",
    "find_events",
    "find_export_file",
    "is_stalled",
    "process_next_export",
    "request_export",
    "request_export_processing",
    "select_photos",
    "stream_csv",
    "stream_zip",
    "summarize",
    "sweep_exports",
]
