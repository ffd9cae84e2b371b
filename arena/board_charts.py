"""The board's pictures as plain specifications, for the page and for files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

import altair as alt
import pandas as pd

from arena.domain import ModelSpec
from arena.numerals import count
from arena.rated_board import RatedBoard
from arena.selection import ARENA, Selection
from arena.store import DayVotes, EloPoint
from leaderboard import (
    METHODS,
    BradleyTerryResult,
    PairChance,
    StyleControlResult,
    all_forecasts,
    charts,
    rating_charts,
)

PRICE_NOTE = "Price: three parts input and one part output; models without a price above 0 are not drawn."

HAVE_INTERVALS = BradleyTerryResult | StyleControlResult
Spec = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Picture:
    """A Vega-Lite chart; a wide one fills the page.

    `key` names it for programs, `note` is a sentence below it, `caption` says in a file what the page says around it.
    """

    key: str
    spec: Spec
    wide: bool = True
    note: str | None = None
    caption: str | None = None

    @property
    def title(self) -> str:
        """What stands above the chart."""
        return str(self.spec["title"]["text"])


def board_pictures(
    board: RatedBoard, *, history: Sequence[EloPoint], days: Sequence[DayVotes], labels: Mapping[str, str]
) -> tuple[Picture, ...]:
    """The charts of one board; `labels` names the models to draw, in their order."""
    pictures = _pictures(board, history=history, days=days, labels=labels)
    return tuple(_captioned(picture, board) for picture in pictures)


def probability_matrix(board: RatedBoard, *, labels: Mapping[str, str]) -> Picture | None:
    """Every model against every other that it can be compared with; None where the method has no intervals."""
    rated = board.rated
    if not isinstance(rated, HAVE_INTERVALS):
        return None
    pairs = all_forecasts(rated, counts=board.counts)
    frame = _named(pd.DataFrame(pairs, columns=[*PairChance._fields]), labels)
    order = [labels[standing.model] for standing in board.standings if standing.model in labels]
    spec = chart_spec(rating_charts.win_probabilities(frame, order=order))
    return _captioned(Picture("win-probabilities", spec, wide=False), board)


def chart_spec(chart: alt.LayerChart) -> Spec:
    """A chart as a specification, however many rows it has.

    It is not checked against the schema once more, as the charts' own tests do: that takes longer than all the rest.
    """
    with alt.data_transformers.enable("default", max_rows=None):
        spec: Spec = chart.to_dict(validate=False)
    # Streamlit's theme moves the outermost labels inwards, which puts the first model's name onto the second's.
    spec.setdefault("config", {})["axisBand"] = {"labelFlush": False}
    return spec


def _pictures(
    board: RatedBoard, *, history: Sequence[EloPoint], days: Sequence[DayVotes], labels: Mapping[str, str]
) -> Iterator[Picture]:
    order = [*labels.values()]
    if board.rated.estimate is not None:
        intervals = _named(rating_charts.interval_frame(board.rated.estimate), labels)
        yield Picture("strength", chart_spec(rating_charts.strength_intervals(intervals)))
    rates = _named(rating_charts.win_rate_frame(board.counts), labels)
    yield Picture("win-rates", chart_spec(rating_charts.average_win_rate(rates)))
    fractions = _named(charts.win_fraction_frame(board.counts), labels)
    yield Picture("win-fractions", chart_spec(charts.win_fraction(fractions, order=order)), wide=False)
    battles = _named(charts.battle_frame(board.counts), labels)
    yield Picture("battle-counts", chart_spec(charts.battle_counts(battles, order=order)), wide=False)
    prices = _prices(board, labels)
    if len(prices) > 1:
        yield Picture("price", chart_spec(rating_charts.score_against_price(prices)), note=PRICE_NOTE)
    if history:
        points = pd.DataFrame([(p.model, p.at, p.elo) for p in history], columns=["model", "at", "elo"])
        yield Picture("elo-history", chart_spec(charts.elo_history(_named(points, labels))))
    if days:
        frame = pd.DataFrame([(each.day, each.votes) for each in days], columns=["day", "votes"])
        yield Picture("votes-per-day", chart_spec(rating_charts.votes_per_day(frame)))


def _captioned(picture: Picture, board: RatedBoard) -> Picture:
    """With the votes it is made of, and the method if it shows what that found."""
    parts = [count(board.votes, "vote"), *_narrowed(board.selection)]
    rows = [row for rows in picture.spec["datasets"].values() for row in rows[:1]]
    if any(column in row for row in rows for column in ("score", "probability")):
        parts.insert(0, METHODS[board.method].title)
    if board.last_vote_at is not None and board.selection.until is None:
        parts.append(f"last vote {board.last_vote_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC")
    return replace(picture, caption=" · ".join(parts))


def _narrowed(selection: Selection) -> Iterator[str]:
    """How the votes were chosen, where it is not all of the arena's own."""
    if selection.sources != {ARENA}:
        yield f"from {', '.join(sorted(selection.sources))}"
    for name in ("multi_turn", "long_prompt", "code", "maths"):
        if (wanted := getattr(selection, name)) is not None:
            yield f"{'only' if wanted else 'without'} {name.replace('_', ' ')}"
    if selection.language is not None:
        yield f"language {selection.language}"
    if selection.since is not None:
        yield f"since {selection.since}"
    if selection.until is not None:
        yield f"until {selection.until}"
    if selection.failed_loses:
        yield "a failed answer loses"
    if selection.without_ties:
        yield "without ties"


def _named(frame: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """The rows of the models to draw, under their labels."""
    for column in frame.columns.intersection(["model", "model_a", "model_b"]):
        frame = frame[frame[column].isin(labels)]
        frame = frame.assign(**{column: frame[column].map(labels)})
    return frame.reset_index(drop=True)


def _prices(board: RatedBoard, labels: Mapping[str, str]) -> pd.DataFrame:
    rows = [
        (labels[model], score, blended)
        for model, score in board.rated.ratings.items()
        if model in labels and (blended := _price(board.specs[model]))
    ]
    return pd.DataFrame(rows, columns=["model", "score", "price"])


def _price(spec: ModelSpec) -> float | None:
    """USD per million tokens, as three parts of what goes in and one of what comes out; None when not known."""
    return None if spec.price_in is None or spec.price_out is None else (3 * spec.price_in + spec.price_out) / 4
