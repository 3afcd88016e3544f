"""Background work of labeling: thin wrappers, as in recognition.tasks. They may run twice."""

from django_tasks import task


@task(priority=40)
def tend_queue() -> None:
    """Look at what arrived and at what decisions changed: after searches, before photos. What is left is the next task's."""
    from django.db import transaction

    from labeling.clusters.tending import request_tending
    from labeling.clusters.tending import tend_queue as tend
    from recognition.leases import stopping
    from recognition.probes import is_search_waiting

    if tend(lambda: stopping.is_set() or is_search_waiting()):
        with transaction.atomic():
            request_tending()


@task()
def enroll_portraits() -> None:
    """Name the faces of portraits that were processed; what is left is the next task's."""
    from django.db import transaction

    from labeling.enrolment import enroll_waiting, is_enrolment_due, request_enrolling
    from recognition.leases import stopping
    from recognition.probes import is_search_waiting

    if enroll_waiting(lambda: stopping.is_set() or is_search_waiting()) and is_enrolment_due():
        with transaction.atomic():
            request_enrolling()
