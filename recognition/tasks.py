"""Background work: thin wrappers around the write use cases. Tasks take ids or nothing, and may run twice.

The use cases import their task from here, so each task imports its use case when it runs.
"""

from django_tasks import task

# Other work (a search, an export) gets its turn between two slices of a large upload.
SLICE = 16
# A video takes hours; what waits longer than this is exports, not people.
VIDEO_SLICE_SECONDS = 30.0


@task()
def process_photos() -> int:
    """Process up to SLICE waiting photos; what waits beyond them is the next task's."""
    from recognition.ingest import process_next_photo
    from recognition.leases import stopping
    from recognition.photos.manual_boxes import is_box_waiting
    from recognition.probes import is_search_waiting
    from recognition.processing import request_processing

    processed, interrupted = 0, stopping.is_set()
    while processed < SLICE and not interrupted and process_next_photo() is not None:
        processed += 1
        # Somebody sits before a search or a drawn face and waits; the photos go on right after it.
        interrupted = stopping.is_set() or is_search_waiting() or is_box_waiting()
    if processed == SLICE or interrupted:
        request_processing()
    return processed


@task(priority=50)
def process_probes() -> int:
    """Answer every search that waits, before anything else: somebody looks at the page."""
    from recognition.leases import stopping
    from recognition.looks.probing import process_next_look_probe
    from recognition.probes import process_next_probe, request_search

    processed = 0
    while not stopping.is_set() and (process_next_probe() or process_next_look_probe()) is not None:
        processed += 1
    if stopping.is_set():
        request_search()
    return processed


@task(priority=40)
def process_boxes() -> int:
    """Make a face of every drawn box that waits, before any photo: somebody looks at the page."""
    from recognition.leases import request_task, stopping
    from recognition.photos.drawn_faces import process_next_box

    processed = 0
    while not stopping.is_set() and process_next_box() is not None:
        processed += 1
    if stopping.is_set():
        request_task(process_boxes)
    return processed


@task()
def calibrate_lines() -> None:
    """Fit the lines for naming a face, if that is still due; between two slices of photos."""
    from recognition.active_embedder import get_active_embedder_id
    from recognition.calibration.work import calibrate, is_calibration_due

    embedder_id = get_active_embedder_id()
    if is_calibration_due(embedder_id):
        calibrate(embedder_id)


@task()
def delete_events() -> None:
    """Remove some of what is in deleted events; what is left is the next task's."""
    from recognition.events.deletion import delete_some
    from recognition.leases import request_task
    from recognition.wal import truncate_wal

    if delete_some():
        request_task(delete_events)
    else:
        # What was deleted is in the log until then.
        truncate_wal()


@task()
def process_exports() -> None:
    """Write one waiting export; after it photos and searches get their turn."""
    from recognition.exports import process_next_export, request_export_processing
    from recognition.leases import stopping

    if not stopping.is_set() and process_next_export() is not None:
        request_export_processing()


@task()
def measure_quality() -> None:
    """Make one waiting quality report; after it photos and searches get their turn."""
    from recognition.evaluation.work import process_next_report
    from recognition.leases import request_task, stopping

    if not stopping.is_set() and process_next_report() is not None:
        request_task(measure_quality)


@task(priority=-10)
def process_videos() -> None:
    """A slice of one waiting video, behind photos and whatever somebody waits for; the rest is the next task's."""
    from recognition.leases import ready, request_task, stopping
    from recognition.photos.manual_boxes import is_box_waiting
    from recognition.probes import is_search_waiting
    from recognition.processing import waiting_photos
    from recognition.videos.work import process_next_video, waiting_videos

    def interrupted() -> bool:
        if stopping.is_set() or is_search_waiting() or is_box_waiting():
            return True
        return ready(waiting_photos()).exists()

    if not stopping.is_set():
        process_next_video(seconds=VIDEO_SLICE_SECONDS, interrupted=interrupted)
    if ready(waiting_videos()).exists():
        request_task(process_videos)


@task(priority=-20)
def change_embedder() -> None:
    """A slice of a change of the embedder that a page asked for, behind everything else that waits."""
    from django.db import transaction

    from recognition.reembedding.background import go_on_changing, request_work

    if go_on_changing():
        with transaction.atomic():
            request_work()


@task()
def read_names() -> None:
    """Read the names in the photos of one event; after it photos and searches get their turn."""
    from recognition.leases import request_task, stopping
    from recognition.named_regions.reading import process_next_reading

    if not stopping.is_set() and process_next_reading() is not None:
        request_task(read_names)


@task(priority=-10)
def describe_photos() -> None:
    """What a few photos look like, behind their faces and whatever somebody waits for; the rest is the next task's."""
    from recognition.leases import ready, stopping
    from recognition.looks.describing import describe_some, request_looks
    from recognition.probes import is_search_waiting
    from recognition.processing import waiting_photos

    if describe_some(lambda: stopping.is_set() or is_search_waiting() or ready(waiting_photos()).exists()):
        request_looks()
