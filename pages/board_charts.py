"""The board's pictures as plain specifications, kept by the board's version and the view.

Altair takes far longer to check a chart than the page to send it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from arena.domain import ModelSpec
from arena.rated_board import RatedBoard
from arena.store import DayVotes, EloPoint
from leaderboard import BradleyTerryResult, PairChance, StyleControlResult, all_forecasts, charts, rating_charts

PRICE_NOTE = "Price: three parts input and one part output; models without a price above 0 are not drawn."

HAVE_INTERVALS = BradleyTerryResult | StyleControlResult
Spec = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Picture:
    """What a vega-lite chart is drawn from; a wide one fills the page. `note` is a sentence below it."""

    key: str
    spec: Spec
    wide: bool = True
    note: str | None = None


@st.cache_resource(show_spinner=False, max_entries=8)
def board_charts(
    version: int,  # noqa: ARG001 - the key of the cache, with the view
    view: str,  # noqa: ARG001 - as above
    *,
    _board: RatedBoard,
    _history: Sequence[EloPoint],
    _days: Sequence[DayVotes],
    _labels: Mapping[str, str],
) -> tuple[Picture, ...]:
    """The charts of one view of the board; `_labels` names the models to draw, in their order."""
    return tuple(_pictures(_board, history=_history, days=_days, labels=_labels))


@st.cache_resource(show_spinner=False, max_entries=4)
def probability_matrix(
    version: int,  # noqa: ARG001 - the key of the cache, with the method
    method: str,  # noqa: ARG001 - as above
    *,
    _board: RatedBoard,
    _labels: Mapping[str, str],
) -> Spec:
    """Every model against every other that it can be compared with; the board is rated by a method with intervals."""
    rated = _board.rated
    pairs = all_forecasts(rated, counts=_board.counts) if isinstance(rated, HAVE_INTERVALS) else ()
    frame = _named(pd.DataFrame(pairs, columns=[*PairChance._fields]), _labels)
    order = [_labels[standing.model] for standing in _board.standings]
    return chart_spec(rating_charts.win_probabilities(frame, order=order))


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
