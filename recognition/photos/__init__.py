"""Photos that are in: which are shown and how, moving, trying again and removing them."""
