"""Videos: the recording of an event, looked at frame by frame, its faces followed to appearances with one entry each."""
