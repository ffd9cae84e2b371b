"""The secret that signs cookies: in a file that only its owner reads, and as a fingerprint that betrays nothing."""

import hmac
import os
import secrets
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from arena.errors import SettingsError

SHORTEST_SECRET: Final = 16


def secret_in(data_dir: Path) -> str:
    """The secret in the data folder, made when missing.

    Raises:
        SettingsError: others may read the file, or it is damaged.
    """
    path = data_dir / "secret"
    if not path.exists():
        _create_secret(path)
    if path.stat().st_mode & 0o077:
        raise SettingsError(f"Others may read {path}: type `chmod 600 {path}`.")
    secret = path.read_text(encoding="ascii", errors="replace").strip()
    if len(secret) < SHORTEST_SECRET:
        raise SettingsError(f"{path} is damaged: delete it; a new one is made, and open browsers become new voters.")
    return secret


def fingerprint(secret: str) -> str:
    """16 digits by which a secret is known again.

    A keyed hash with a purpose of its own, so that no cookie can be made of it. Whoever has it can try out secrets, but
    so can every visitor on his own cookie: what protects both is the secret's length.
    """
    return hmac.new(secret.encode(), b"team-arena: which secret signs the cookies", sha256).hexdigest()[:16]


def _create_secret(path: Path) -> None:
    """Two processes may start at once: the link succeeds for one of them, and a reader never sees half a secret."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".secret-")  # 0600 from birth
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(32))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        Path(draft).unlink()
