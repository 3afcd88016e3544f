"""People decide who is who: the queue, suggestions, decisions and their undo."""
