"""Photos in; faces, embeddings and nearest people out."""
