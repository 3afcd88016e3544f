"""Embedding files: the .npy matrix with its index and metadata that batch pipelines write, in and out without losing a bit."""

VECTORS = "face_embeddings.npy"
INDEX = "face_embedding_index.csv"
METADATA = "face_metadata.csv"


class BadFiles(Exception):
    """The files cannot be read as embedding files; the message says what to do. Nothing was written."""
