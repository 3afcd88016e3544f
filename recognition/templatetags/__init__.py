"""Template filters of recognition."""
