"""Events: made and changed, listed, how far they are, and deleted with all that is in them."""
