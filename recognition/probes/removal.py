"""Searches go: at their user's word, when their time is over, and whatever a killed process left of them."""

from __future__ import annotations

import logging

from django.utils import timezone

from recognition.leases import take_up_dropped
from recognition.models import LookProbe, Probe
from recognition.models._work import MAX_ATTEMPTS
from recognition.probes.files import remove_files, remove_leftovers
from recognition.tasks import process_probes

logger = logging.getLogger(__name__)

_DIED = (
    f"The worker stopped or hung {MAX_ATTEMPTS} times while it looked at this picture; it may need more memory than "
    "there is. Search with a smaller version of it."
)


def delete_probe(probe: Probe | LookProbe) -> None:
    """Its row with its faces' vectors, then its files. A worker that has it in hand finds it gone and writes nothing."""
    type(probe).objects.filter(pk=probe.pk).delete()
    remove_files([probe.probe_id])


def remove_expired() -> int:
    """Delete every search whose time is over, of whomever; returns how many."""
    removed = 0
    for kind in (Probe, LookProbe):
        over = kind.objects.filter(expires_at__lte=timezone.now())
        expired = dict(over.values_list("pk", "probe_id"))
        if expired:
            kind.objects.filter(pk__in=expired).delete()
            remove_files(expired.values())
            removed += len(expired)
    return removed


def sweep_probes() -> int:
    """Delete what is over, and take up what nobody holds any more; returns how many searches are gone."""
    removed = remove_expired()
    take_up_dropped(Probe.objects.all(), process_probes, reason=_DIED)
    take_up_dropped(LookProbe.objects.all(), process_probes, reason=_DIED)
    try:
        remove_leftovers()
    except OSError:
        logger.warning("what is left of searches could not be removed; it is tried again", exc_info=True)
    return removed
