"""The leak guard: does an answer give its model away? Pure; looks at answers only, never asks anybody.

`Names.of` both models of a battle, once; then a `Masker` for each answer while it streams, or `leaks` and `masked` for
a finished one.
"""

from arena.identity.masking import MASK, Masker, Span, leaks, masked
from arena.identity.names import Names

__all__ = ["MASK", "Masker", "Names", "Span", "leaks", "masked"]
