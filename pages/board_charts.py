"""The board's pictures as plain specifications, kept by the board's version.

Altair takes far longer to check a chart than the page to send it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from arena.board import Board
from arena.store import EloPoint
from leaderboard import charts

MOST_POINTS = 6_000  # in all; more make the browser slow and look the same

Spec = dict[str, Any]


@dataclass(frozen=True, slots=True)
class BoardCharts:
    """What a vega-lite chart is drawn from."""

    elo_history: Spec
    battle_counts: Spec


@st.cache_resource(show_spinner=False, max_entries=4)
def board_charts(
    version: int,  # noqa: ARG001 - the key of the cache
    *,
    _board: Board,
    _history: Sequence[EloPoint],
    _labels: Mapping[str, str],
) -> BoardCharts:
    """The charts of one version of the board."""
    history = _thinned(
        pd.DataFrame([(_labels[p.model], p.at, p.elo) for p in _history], columns=["model", "at", "elo"])
    )
    battles = charts.battle_frame(_board.counts).replace({"model_a": dict(_labels), "model_b": dict(_labels)})
    order = [_labels[standing.model] for standing in _board.standings if standing.battles]
    return BoardCharts(
        elo_history=chart_spec(charts.elo_history(history)),
        battle_counts=chart_spec(charts.battle_counts(battles, order=order)),
    )


def chart_spec(chart: alt.LayerChart) -> Spec:
    """A chart as a specification, however many rows it has."""
    with alt.data_transformers.enable("default", max_rows=None):
        spec: Spec = chart.to_dict()
    return spec


def _thinned(history: pd.DataFrame) -> pd.DataFrame:
    """Every n-th point of each model, and its last."""
    step = -(-len(history) // MOST_POINTS)
    if step <= 1:
        return history
    backwards = history.groupby("model").cumcount(ascending=False)
    return history[backwards % step == 0]
