"""How good the names are: measured on faces that people named, in the worker, by a command, never on a page."""
