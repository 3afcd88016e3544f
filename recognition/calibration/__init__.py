"""The lines for naming a face, set so that strangers stay unnamed however many people are known."""
