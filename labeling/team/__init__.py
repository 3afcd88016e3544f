"""Several people at one queue."""
