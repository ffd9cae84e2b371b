"""What every rating method takes and gives; the methods themselves are the files of `leaderboard.ratings`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, Self

from leaderboard.games import Games, PairCounts


class OrderUnknown(ValueError):
    """The method needs the votes in order, and only their counts are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a source of votes leaves to rate by: always counts, and the games in order where they are known."""

    counts: PairCounts
    games: Games | None = None

    @classmethod
    def from_games(cls, games: Games) -> Self:
        """Games and their counts."""
        return cls(counts=PairCounts.from_games(games), games=games)

    def in_order(self) -> Games:
        """The games in order; OrderUnknown when only their counts are known."""
        if self.games is None:
            raise OrderUnknown("this source has only counts, not the votes in order; choose an order-free method")
        return self.games


class Rated(Protocol):
    """What the results of all methods have in common: frozen, and they say how they were made."""

    @property
    def ratings(self) -> Mapping[str, float]:
        """A finite rating for every model of the evidence, on the scale of 400 points per factor 10 in odds."""

    @property
    def votes(self) -> int:
        """The votes that were counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One line of the `METHODS` table: what people call it, whether it needs the order, and how it rates."""

    title: str
    needs_order: bool
    rate: Callable[[Evidence], Rated]
