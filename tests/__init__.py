"""FaceVault's tests."""
