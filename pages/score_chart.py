"""The picture of scores over time, kept by the versions of what it shows."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from arena.rated_board import RatedBoard, ScoreHistory
from board_charts import Picture, chart_spec
from leaderboard import METHODS, rating_charts
from leaderboard.charts import MOST_NAMED
from leaderboard.standings import by_score

MOST = "Drawn are the {} of {} models that stand highest now; filters by organisation, licence or votes draw others."
NOTE = (
    "Each point is the board at that day's end: all votes up to it, as they count now. The models that were on it have "
    "the mean 1000, so every line moves a little when a model joins."
)


@st.cache_resource(show_spinner=False, max_entries=8)
def score_chart(
    version: int,  # noqa: ARG001 - the key of the cache, with the history's version and the view
    scores_version: int,  # noqa: ARG001 - as above
    view: str,  # noqa: ARG001 - as above
    *,
    _board: RatedBoard,
    _scores: ScoreHistory,
    _labels: Mapping[str, str],
) -> Picture | None:
    """The models that stand highest among those of `_labels`: more lines only hide one another.

    None when there is no second day yet, and so nothing over time.
    """
    if len({score.day for score in _scores.scores}) <= 1:
        return None
    highest = [line.model for line in by_score(_board.standings) if line.model in _labels][:MOST_NAMED]
    frame = pd.DataFrame(_scores.scores, columns=["model", "at", "score", "lower", "upper"])
    frame = frame[frame["model"].isin(highest)]
    title = f"{METHODS[_scores.method].title} Score over Time"
    chart = rating_charts.score_history(frame.assign(model=frame["model"].map(_labels)), title=title)
    note = NOTE if len(highest) == len(_labels) else f"{MOST.format(len(highest), len(_labels))} {NOTE}"
    return Picture("score-history", chart_spec(chart), note=note)
