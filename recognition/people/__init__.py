"""People as their pages need them: loaded, listed, edited, and drawn over time."""
