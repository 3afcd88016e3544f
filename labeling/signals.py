"""What the labeling app tells its parts: a decision was written or undone, inside the transaction that does it."""

from django.dispatch import Signal

# Sent with `decision`.
decided = Signal()
