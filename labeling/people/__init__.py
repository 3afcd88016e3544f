"""People put right: merged, split, told apart."""
