"""Kinds of trouble with a database."""

from enum import Enum, auto


class Trouble(Enum):
    """LASTING is the fault of what was asked; BUSY passes in a moment; AWAY means that the server does not answer."""

    LASTING = auto()
    BUSY = auto()
    AWAY = auto()
