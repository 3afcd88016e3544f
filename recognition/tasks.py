"""Background work: thin wrappers around the write use cases. Tasks take ids or nothing, and may run twice."""

from django_tasks import task

# Other work (a search, an export) gets its turn between two slices of a large upload.
SLICE = 16


@task()
def process_photos() -> int:
    """Process up to SLICE waiting photos; what waits beyond them is the next task's."""
    from recognition.ingest import process_next_photo
    from recognition.leases import stopping
    from recognition.processing import request_processing

    processed = 0
    while processed < SLICE and not stopping.is_set() and process_next_photo() is not None:
        processed += 1
    if processed == SLICE or stopping.is_set():
        request_processing()
    return processed
