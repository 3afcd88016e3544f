"""The site as people use it: a real server, a real worker, a real browser."""
