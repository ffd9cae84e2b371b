"""What the way of writing is worth, in words and points that a reader of the board can picture."""

import math
from dataclasses import dataclass

from leaderboard.method import Rated
from leaderboard.ratings import Coefficient, StyleControlResult

# Beyond so many times as much, one of two answers has as good as nothing of it.
PICTURABLE = 20.0

_AMOUNTS = {
    "length": ("the length", "an answer against an empty one"),
    "headings": ("as many headings", "headings against none"),
    "lists": ("as many list items", "lists against none"),
    "bold": ("as many bold words", "bold words against none"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StyleEffect:
    """How many points a feature of style is worth, with an interval of confidence `level`.

    A point is one of the board's: `points` more of them for a model would do as much as this much more of the feature.

    Args:
        feature: one of `leaderboard.style.STYLE_FEATURES`.
        points: for the usual difference between two answers, one standard step; negative where people like less of it.
        lower: lower end of the interval, `upper`: upper end.
        times: how many times as much the one answer has at that difference, above 1; None where it is about all
            against nothing.
        level: confidence, between 0 and 1.
    """

    feature: str
    points: float
    lower: float
    upper: float
    times: float | None
    level: float

    def __str__(self) -> str:
        interval = f"{100 * self.level:g} %: {_signed(self.lower)} to {_signed(self.upper)}"
        unit = "point" if abs(round(self.points)) == 1 else "points"
        more, against_none = _AMOUNTS[self.feature]
        amount = against_none if self.times is None else f"{self.times:.3g} times {more}"
        return f"{self.feature.capitalize()}: {_signed(self.points)} {unit} ({interval}) for {amount}."


def style_effects(rated: Rated) -> tuple[StyleEffect, ...]:
    """The effects that style control found; none by another method, and none for what no two answers differ in."""
    if not isinstance(rated, StyleControlResult):
        return ()
    settings = rated.settings
    return tuple(
        _effect(coefficient, scale=settings.scale, level=settings.level)
        for coefficient in rated.coefficients.values()
        if coefficient.step > 0.0
    )


def _effect(coefficient: Coefficient, *, scale: float, level: float) -> StyleEffect:
    # step = (a - b) / (a + b), hence a / b = (1 + step) / (1 - step).
    step, points = coefficient.step, scale / math.log(10.0)
    times = math.inf if step >= 1.0 else (1.0 + step) / (1.0 - step)
    return StyleEffect(
        feature=coefficient.feature,
        points=points * coefficient.value,
        lower=points * coefficient.lower,
        upper=points * coefficient.upper,
        times=times if times <= PICTURABLE else None,
        level=level,
    )


def _signed(points: float) -> str:
    rounded = round(points)
    return f"+{rounded}" if rounded > 0 else f"−{-rounded}" if rounded < 0 else "±0"
