"""How many decisions an event takes: a labeler who knows the truth works through the real queue, and is counted."""
