"""The voter: an opaque id in a signed cookie. Whoever holds it owns the battles opened with it, and nothing else."""

import secrets
from dataclasses import dataclass
from typing import Final

from itsdangerous import BadSignature, Signer

COOKIE: Final = "arena_voter"
MAX_AGE_SECONDS: Final = 400 * 24 * 3600  # the longest that browsers keep one


def new_voter() -> str:
    """An id that nobody can guess."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True, slots=True)
class VoterCookies:
    """Writes and reads the cookie's value."""

    secret: str

    def write(self, voter: str) -> str:
        """The signed value for `voter`."""
        return self._signer.sign(voter).decode()

    def read(self, value: str | None) -> str | None:
        """The voter of a value that was signed here; None for every other."""
        try:
            return self._signer.unsign(value or "").decode()
        except (BadSignature, UnicodeDecodeError):
            return None

    @property
    def _signer(self) -> Signer:
        return Signer(self.secret, salt=COOKIE)
