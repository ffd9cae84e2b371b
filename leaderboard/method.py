"""What every rating method takes and gives; the methods themselves are the files of `leaderboard.ratings`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol, Self

from leaderboard.estimate import Estimate
from leaderboard.games import Games, PairCounts
from leaderboard.style import GameStyles


class OrderUnknown(ValueError):
    """The method needs the votes in order, and only their counts are there."""


class StyleUnknown(ValueError):
    """The method needs to know how the answers were written, and nobody counted it."""


class NoRating(ValueError):
    """Votes alone, without a prior, give no finite rating; the message names the models and the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a source of votes leaves to rate by: always counts, and the games in order where they are known.

    Args:
        counts: the counted battles.
        games: the same battles in their order.
        styles: how the answers of each game were written; needs `games`.
        left_out: by reason, how many stored votes do not count; carried into every result.
        version: the board version that this is the evidence of; None for a file that is on no board.

    Raises:
        ValueError: there are styles without games, or of another number of games.
    """

    counts: PairCounts
    games: Games | None = None
    styles: GameStyles | None = None
    left_out: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    version: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "left_out", MappingProxyType(dict(self.left_out)))
        if self.styles is not None and (self.games is None or len(self.styles) != len(self.games)):
            games = "no games" if self.games is None else f"{len(self.games)} games"
            raise ValueError(f"styles of {len(self.styles)} games stand beside {games}; give one row per game")

    @classmethod
    def from_games(
        cls,
        games: Games,
        *,
        styles: GameStyles | None = None,
        left_out: Mapping[str, int] | None = None,
        version: int | None = None,
    ) -> Self:
        """Games and their counts."""
        counts = PairCounts.from_games(games)
        return cls(counts=counts, games=games, styles=styles, left_out=left_out or {}, version=version)

    def in_order(self) -> Games:
        """The games in order; OrderUnknown when only their counts are known."""
        if self.games is None:
            raise OrderUnknown("this source has only counts, not the votes in order; choose an order-free method")
        return self.games

    def with_style(self) -> GameStyles:
        """How the answers were written; StyleUnknown when nobody counted it."""
        if self.styles is None:
            raise StyleUnknown("how long and how formatted these answers were is not known; choose another method")
        return self.styles


class Rated(Protocol):
    """What the results of all methods have in common: frozen, and they say how they were made."""

    @property
    def method(self) -> str:
        """The method's key in `METHODS`."""

    @property
    def settings(self) -> object:
        """The method's own settings, a frozen value."""

    @property
    def ratings(self) -> Mapping[str, float]:
        """A finite rating for every model of the evidence, on the scale of 400 points per factor 10 in odds."""

    @property
    def votes(self) -> int:
        """The votes that were counted."""

    @property
    def left_out(self) -> Mapping[str, int]:
        """By reason, the votes that were not."""

    @property
    def version(self) -> int | None:
        """The board version that was rated; None for a file that is on no board."""

    @property
    def estimate(self) -> Estimate | None:
        """The ratings with their uncertainty; None for a method that cannot tell it."""


class Rate(Protocol):
    """How a method is asked: the evidence, and settings of its own type, by default its own."""

    def __call__(self, evidence: Evidence, /, *, settings: Any = None) -> Rated: ...  # noqa: D102, ANN401 - see above


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One line of the `METHODS` table: what people call it, what it needs beside counts, and how it rates.

    Without `has_interval` its results have no estimate. `us_per_vote` is about how long it computes for each vote, in
    microseconds; 0 for a method whose time does not depend on how many there are.
    """

    title: str
    rate: Rate
    needs_order: bool = False
    needs_style: bool = False
    has_interval: bool = True
    us_per_vote: float = 0.0

    def cannot_rate(self, evidence: Evidence) -> str | None:
        """Why this evidence is not enough for this method, as a sentence; None when it is enough."""
        if self.needs_order and evidence.games is None:
            return f"{self.title} needs the votes in their order, and this source has only their counts."
        if self.needs_style and not _some_known(evidence):
            return f"{self.title} needs to know how the answers were written, and nobody counted it here."
        return None


def _some_known(evidence: Evidence) -> bool:
    """Whether at least one vote's answers were counted, or there is no vote whose answers could be."""
    return evidence.styles is not None and (not len(evidence.styles) or bool(evidence.styles.known.any()))
