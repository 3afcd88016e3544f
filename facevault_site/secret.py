"""The secret key of an installation: given by the environment, else made once and kept beside the data."""

import os
import secrets
from pathlib import Path


def read_or_make_secret_key(data: Path) -> str:
    """The key in `data/secret_key`, made with mode 0600 where it is missing; safe when two processes start at once."""
    file = data / "secret_key"
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        pass
    data.mkdir(parents=True, exist_ok=True)
    temporary = data / f".secret_key.{secrets.token_hex(8)}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(secrets.token_urlsafe(50))
        handle.flush()
        os.fsync(handle.fileno())
    try:
        # link() fails when another process was first; replace() would change a key that is already in use.
        os.link(temporary, file)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    return file.read_text().strip()
