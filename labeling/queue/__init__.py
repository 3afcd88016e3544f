"""The queue: what is in it for whom, in which order, and which card comes next."""

from labeling.queue.counts import QueueCounts, count_queue
from labeling.queue.faces import get_unlabeled, next_face, next_faces
from labeling.queue.forecast import Forecast
from labeling.queue.items import QueueItem
from labeling.queue.order import QUEUES, Queue, next_items

__all__ = [
    "QUEUES",
    "Forecast",
    "Queue",
    "QueueCounts",
    "QueueItem",
    "count_queue",
    "get_unlabeled",
    "next_face",
    "next_faces",
    "next_items",
]
