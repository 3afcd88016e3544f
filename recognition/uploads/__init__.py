"""Photos in: files from pages, archives and drop folders, kept and queued."""
