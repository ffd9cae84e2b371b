"""The administrator's password: kept as an Argon2id hash, never as itself."""

import os
import stat
import tempfile
from hashlib import sha256
from pathlib import Path
from threading import Semaphore
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from arena.errors import SettingsError

FILE_NAME: Final = "admin-password"
SHORTEST: Final = 12
LONGEST: Final = 1_000
HASH_START: Final = "$argon2id$"

# RFC 9106's second choice: 64 MiB, three passes. One at a time, so that tries in parallel cannot take the memory.
_HASHER: Final = PasswordHasher()
_ONE_AT_A_TIME: Final = Semaphore(1)


def hash_password(password: str) -> str:
    """The Argon2id hash of a new password, salted.

    Raises:
        SettingsError: it is too short, too long, or blank.
    """
    if len(password.strip()) < SHORTEST or len(password) > LONGEST:
        raise SettingsError(f"The password needs {SHORTEST} to {LONGEST:,} characters: nothing was changed.")
    return _HASHER.hash(password)


def is_password(password: str, *, of: str) -> bool:
    """Whether a password is that of a hash; takes 0.1 to 0.3 s and 64 MiB, one at a time."""
    if len(password) > LONGEST:
        return False
    with _ONE_AT_A_TIME:
        try:
            return _HASHER.verify(of, password)
        except (VerificationError, InvalidHashError):
            return False


def credential_of(password_hash: str) -> str:
    """What sessions remember of the password with which they began: another hash, another credential."""
    return sha256(password_hash.encode()).hexdigest()


def store_hash(password_hash: str, *, data_dir: Path) -> Path:
    """Replace the hash in the data folder; a reader sees the old one or the new one, and others see neither."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, draft = tempfile.mkstemp(dir=data_dir, prefix=f".{FILE_NAME}-")  # 0600 from birth
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(password_hash)
        file.flush()
        os.fsync(file.fileno())
    return Path(draft).replace(data_dir / FILE_NAME)


def stored_hash(data_dir: Path) -> str | None:
    """The hash in the data folder; None when no password was set.

    Raises:
        SettingsError: others may read or change it, or it is no hash.
    """
    path = data_dir / FILE_NAME
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from error
    if stat.S_IMODE(mode) & 0o077:
        raise SettingsError(f"Others may read {path}: type `chmod 600 {path}`.")
    if not text.startswith(HASH_START):
        raise SettingsError(f"{path} is damaged: `arena admin password` makes it anew.")
    return text
