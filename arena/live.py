"""A battle whose answers are on their way, as its readers see it."""

from collections.abc import Callable, Mapping
from threading import Lock
from time import monotonic
from types import MappingProxyType
from typing import Protocol

from arena.domain import Fault, ReplyStatus, Side


class Mask(Protocol):
    """Makes a text that grows fit to be shown: what it returns, joined, is the whole as readers may see it."""

    def feed(self, piece: str, /) -> str:
        """What can be shown now, after one more piece."""
        ...

    def finish(self) -> str:
        """What was held back."""
        ...


class LiveSide:
    """One reply as it grows: written by the loop alone, read by any thread. Of a hidden one the text stays empty."""

    def __init__(self, *, turn: int, attempt: int, hidden: bool = False) -> None:
        self.turn = turn
        self.attempt = attempt
        self.status = ReplyStatus.STREAMING
        self.fault: Fault | None = None
        self._hidden = hidden
        self._lock = Lock()
        self._text = ""
        self._pieces: list[str] = []

    @property
    def text(self) -> str:
        """What may be shown of what came. Joined when read: the pieces of an answer cost its readers, not the loop."""
        with self._lock:
            if self._pieces:
                self._text += "".join(self._pieces)
                self._pieces.clear()
            return self._text

    def grow(self, piece: str) -> None:
        """Add the next piece of text; for the loop."""
        if self._hidden or not piece:
            return
        with self._lock:
            self._pieces.append(piece)

    def end(self, status: ReplyStatus, fault: Fault | None) -> None:
        """Let readers know that it is over; for the loop."""
        self.fault = fault
        self.status = status  # last: who sees that it ended sees all of it


class LiveBattle:
    """A battle with replies on their way; it stays readable after they ended. Safe to use from any thread.

    Read `done` before the texts: then a battle that is done is drawn whole.
    """

    def __init__(self, battle_id: str, *, stop: Callable[[Side | None], None]) -> None:
        self.battle_id = battle_id
        self.sides: Mapping[Side, LiveSide] = MappingProxyType({})
        self._stop = stop
        self._touched = monotonic()

    @property
    def done(self) -> bool:
        """Whether every reply has ended and is stored."""
        return all(side.status is not ReplyStatus.STREAMING for side in self.sides.values())

    @property
    def untouched_seconds(self) -> float:
        """How long nobody has looked."""
        return monotonic() - self._touched

    def touch(self) -> None:
        """Say that somebody still looks; a battle that nobody looks at is interrupted when its lease runs out."""
        self._touched = monotonic()

    def stop(self, side: Side | None = None) -> None:
        """Stop one reply, or all, and keep what came; returns at once, an ended reply stays as it is."""
        self._stop(side)
