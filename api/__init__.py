"""The REST API: thin, over the same functions as the pages."""
