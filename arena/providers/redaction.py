"""Makes an upstream's words, and any other text, fit for an operator's log: no keys; one line, bounded."""

import re

from arena.providers.hygiene import clean

MAX_CHARACTERS = 500
HIDDEN = "[redacted]"

_KEY_PATTERNS = re.compile(
    r"""
    (?<=bearer\s)\s*\S+                         # Authorization: Bearer ...
    | \b(?:sk|pk|rk|gsk|xai|hf|r8|csk|nvapi)[-_][\w*.-]{6,}   # the prefixes vendors put before their keys
    | (?<=://)[^\s/@]+(?=@)                     # user:password@ in an address
    | (?<=[?&]key=)[^\s&"']+                    # ?key=... in an address
    | (?<=[?&]api[-_]key=)[^\s&"']+
    | (?<=[?&_]token=)[^\s&"']+
    | (?<=api[-_]key:\s)\S+                      # X-Api-Key: ...
    """,
    re.IGNORECASE | re.VERBOSE,
)


def redacted(text: str, *secrets: str | None) -> str:
    """`text` on one line of at most 500 characters, without `secrets` and without what looks like a key."""
    return clean(" ".join(without_keys(text, *secrets).split())[:MAX_CHARACTERS])


def without_keys(text: str, *secrets: str | None) -> str:
    """`text` without `secrets` and without what looks like a key.

    Secrets of fewer than four characters are left: they would blank out ordinary words.
    """
    for secret in secrets:
        if secret and len(secret) >= 4:  # noqa: PLR2004 - see above
            text = text.replace(secret, HIDDEN)
    return _KEY_PATTERNS.sub(HIDDEN, text)
