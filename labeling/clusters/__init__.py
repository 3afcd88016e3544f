"""Groups of unlabeled faces that look like one person."""
