"""The rated board in pictures: one function per chart, frame in, chart out; beside them the frames that results give.

As in `leaderboard.charts`: every chart can be drawn from an empty frame, from one model and from well over a hundred,
backgrounds are transparent, and text outside coloured cells has no colour of its own.
"""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from leaderboard.charts import (
    LINE_COLOURS,
    LINE_DASHES,
    LINE_LEGEND,
    LINES_FIT,
    LINES_HEIGHT,
    MOST_NAMED,
    QUIET,
)
from leaderboard.estimate import Estimate
from leaderboard.games import PairCounts

_INTERVAL_COLUMNS = ("model", "score", "lower", "upper")
_WIN_RATE_COLUMNS = ("model", "win_rate", "opponents")
_PRICE_COLUMNS = ("model", "score", "price")
_HISTORY_COLUMNS = ("model", "at", "score")
_DAY_COLUMNS = ("day", "votes")
_PROBABILITY_COLUMNS = ("model_a", "model_b", "probability", "lower", "upper")

# More bands than this hide one another; points that are left above and below all lines for theirs.
_MOST_BANDS = 5
_MARGIN = 40.0

_MODEL_TOOLTIP = alt.Tooltip("model:N", title="Model")
_SCORE_TOOLTIP = alt.Tooltip("score:Q", title="Score", format=".0f")


def interval_frame(estimate: Estimate) -> pd.DataFrame:
    """Columns model, score, lower, upper; best first, equal ones by name."""
    columns = {"score": estimate.points, "lower": estimate.lower, "upper": estimate.upper}
    frame = pd.DataFrame({"model": np.array(estimate.names, dtype=object), **columns})
    return frame.sort_values(["score", "model"], ascending=[False, True], ignore_index=True)


def win_rate_frame(counts: PairCounts) -> pd.DataFrame:
    """Columns model, win_rate, opponents; best first. The mean over all opponents of the share of decided battles won.

    Every opponent counts alike, however often it was met, and ties are left out; a model without a decided battle has
    no row. As FastChat, fastchat/serve/monitor/elo_analysis.py, `visualize_average_win_rate`.
    """
    decided = counts.wins + counts.wins.T
    shares = np.divide(counts.wins, decided, out=np.zeros(decided.shape), where=decided > 0)
    opponents = (decided > 0).sum(axis=1)
    rates = shares.sum(axis=1) / np.maximum(1, opponents)
    frame = pd.DataFrame({"model": np.array(counts.names, dtype=object), "win_rate": rates, "opponents": opponents})
    frame = frame[frame["opponents"] > 0]
    return frame.sort_values(["win_rate", "model"], ascending=[False, True], ignore_index=True)


def pareto_line(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of models that no other beats at the same or a lower price; cheapest first, one per price.

    Args:
        frame: columns model, score, price.
    """
    ordered = frame.sort_values(["price", "score", "model"], ascending=[True, False, True], ignore_index=True)
    best_before = ordered["score"].cummax().shift(fill_value=-np.inf)
    return ordered[ordered["score"] > best_before].reset_index(drop=True)


def strength_intervals(frame: pd.DataFrame) -> alt.LayerChart:
    """Figure 1: every model's score with its interval, in the order of the frame.

    Args:
        frame: as `interval_frame` gives it.
    """
    frame = _with_columns(frame, _INTERVAL_COLUMNS)
    tooltip = [
        _MODEL_TOOLTIP,
        _SCORE_TOOLTIP,
        alt.Tooltip("lower:Q", title="From", format=".0f"),
        alt.Tooltip("upper:Q", title="To", format=".0f"),
    ]
    base = alt.Chart(frame).encode(y=_models(frame["model"].tolist()), tooltip=tooltip)
    score = alt.X("score:Q", title="Score", scale=alt.Scale(zero=False))
    layers = (
        base.mark_rule(color=LINE_COLOURS[0], strokeWidth=2).encode(x=alt.X("lower:Q", title="Score"), x2="upper:Q"),
        base.mark_point(color=LINE_COLOURS[0], filled=True, size=40, opacity=1).encode(x=score),
    )
    return _figure(layers, title="Figure 1: Confidence Intervals on Model Strength").properties(
        height=_rows(len(frame))
    )


def average_win_rate(frame: pd.DataFrame) -> alt.LayerChart:
    """Figure 2: how often each model wins against the mean opponent, in the order of the frame.

    Args:
        frame: as `win_rate_frame` gives it.
    """
    frame = _with_columns(frame, _WIN_RATE_COLUMNS)
    tooltip = [
        _MODEL_TOOLTIP,
        alt.Tooltip("win_rate:Q", title="Win rate", format=".1%"),
        alt.Tooltip("opponents:Q", title="Opponents met", format=",d"),
    ]
    rate = alt.X("win_rate:Q", title="Average win rate", axis=alt.Axis(format=".0%"), scale=alt.Scale(domain=[0, 1]))
    bars = (
        alt.Chart(frame)
        .mark_bar(color=LINE_COLOURS[0])
        .encode(x=rate, y=_models(frame["model"].tolist()), tooltip=tooltip)
    )
    title = "Figure 2: Average Win Rate Against All Other Models (Assuming Uniform Sampling and No Ties)"
    return _figure((bars,), title=title).properties(height=_rows(len(frame)))


def score_against_price(frame: pd.DataFrame) -> alt.LayerChart:
    """Scores over prices on a logarithmic axis; the line joins the models that no other beats for less money.

    Models are named beside their points: all of up to `MOST_NAMED`, of more only the best on the line.

    Args:
        frame: columns model, score, price (per million tokens). Rows without a price above 0 are not drawn: a
            logarithmic axis has no place for them.
    """
    frame = _with_columns(frame, _PRICE_COLUMNS)
    frame = frame[pd.to_numeric(frame["price"]) > 0]
    best = pareto_line(frame)
    price = alt.X(
        "price:Q", title="Price per million tokens (logarithmic)", scale=alt.Scale(type="log", nice=False, padding=20)
    )
    score = alt.Y("score:Q", title="Score", scale=alt.Scale(zero=False))
    tooltip = [_MODEL_TOOLTIP, _SCORE_TOOLTIP, alt.Tooltip("price:Q", title="Price", format=",.3~f")]
    named = alt.Chart(frame if len(frame) <= MOST_NAMED else best.tail(MOST_NAMED))
    layers = (
        alt.Chart(best).mark_line(color=LINE_COLOURS[1], interpolate="step-after").encode(price, score),
        alt.Chart(frame)
        .mark_point(color=LINE_COLOURS[0], filled=True, size=60, opacity=0.9)
        .encode(price, score, tooltip=tooltip),
        named.mark_text(align="left", dx=7, dy=-7, fontSize=11, color=QUIET).encode(price, score, text="model:N"),
    )
    return _figure(layers, title="Score against Price").properties(height=420)


def score_history(frame: pd.DataFrame, *, title: str = "Score over Time") -> alt.LayerChart:
    """Scores over time, a line per model; the `MOST_NAMED` that stand best last are coloured, the rest grey.

    Up to `_MOST_BANDS` models have their intervals as bands, clipped where those are far wider than the scores move.

    Args:
        frame: columns model, at (a day, or a time; without a zone it is UTC), score, and optionally lower and upper.
            Drawn and labelled in UTC.
        title: of the chart.
    """
    banded = {"lower", "upper"} <= set(frame.columns)
    frame = _with_columns(frame, (*_HISTORY_COLUMNS, "lower", "upper") if banded else _HISTORY_COLUMNS)
    frame = frame.assign(at=pd.to_datetime(frame["at"], utc=True)).sort_values("at", kind="stable")
    last = frame.groupby("model", sort=True)["score"].last().sort_values(ascending=False, kind="stable")
    named = last.index[:MOST_NAMED].tolist()
    is_named = frame["model"].isin(named)
    layers = [_history_lines(frame[is_named], models=named)]
    if banded and 0 < len(last) <= _MOST_BANDS:
        layers.insert(0, _history_bands(frame, models=named))
    if not is_named.all():
        quiet = _history_lines(frame[~is_named], models=[])
        layers.insert(0, quiet.encode(detail="model:N", color=alt.value(QUIET), opacity=alt.value(0.4)))
    return _figure(layers, title=title).properties(height=LINES_HEIGHT, autosize=LINES_FIT)


def votes_per_day(frame: pd.DataFrame) -> alt.LayerChart:
    """How many votes came in on each day, stacked by source where there is one.

    Args:
        frame: columns day (a date, in UTC), votes, and optionally source.
    """
    sources = "source" in frame.columns and not frame.empty
    frame = _with_columns(frame, (*_DAY_COLUMNS, "source") if sources else _DAY_COLUMNS)
    frame = frame.assign(day=pd.to_datetime(frame["day"], utc=True))
    day = alt.X("day:T", timeUnit="utcyearmonthdate", title="Day (UTC)", scale=alt.Scale(type="utc"), axis=_days())
    tooltip = [
        alt.Tooltip("day:T", timeUnit="utcyearmonthdate", format="%Y-%m-%d", title="Day"),
        alt.Tooltip("votes:Q", title="Votes", format=",d"),
    ]
    votes = alt.Y("sum(votes):Q", title="Votes")
    bars = alt.Chart(frame).mark_bar(color=LINE_COLOURS[0]).encode(day, votes, tooltip=tooltip)
    if sources:
        named = frame["source"].drop_duplicates().tolist()
        scale = alt.Scale(domain=named, range=[LINE_COLOURS[i % len(LINE_COLOURS)] for i in range(len(named))])
        bars = bars.encode(
            color=alt.Color("source:N", title="Source", scale=scale),
            tooltip=[*tooltip, alt.Tooltip("source:N", title="Source")],
        )
    return _figure((bars,), title="Votes per Day").properties(height=260)


def win_probabilities(frame: pd.DataFrame, *, order: Sequence[str] | None = None) -> alt.LayerChart:
    """The chance that the row's model is preferred to the column's; a blank cell is a pair that cannot be compared.

    Args:
        frame: columns model_a, model_b, probability, lower, upper; a frame of `leaderboard.all_forecasts`.
        order: models from top to bottom and left to right; those it leaves out follow as they come.
    """
    frame = _with_columns(frame, _PROBABILITY_COLUMNS)
    models = list(dict.fromkeys([*(order or ()), *frame["model_a"].tolist()]))
    size = max(1, len(models))
    step = max(8, min(max(64, 240 // size), 760 // size))
    labels = alt.Axis(labelFontSize=min(11, step), labelLimit=200, ticks=False, domain=False, labelOverlap=False)
    across = labels.copy()
    across.orient, across.labelAngle = "top", -45 if len(models) <= MOST_NAMED else -90
    tooltip = [
        alt.Tooltip("model_a:N", title="Model A"),
        alt.Tooltip("model_b:N", title="Model B"),
        alt.Tooltip("probability:Q", title="A is preferred", format=".1%"),
        alt.Tooltip("lower:Q", title="From", format=".1%"),
        alt.Tooltip("upper:Q", title="To", format=".1%"),
    ]
    base = alt.Chart(frame).encode(
        x=alt.X("model_b:N", title="Model B", scale=_domain(models), axis=across),
        y=alt.Y("model_a:N", title="Model A", scale=_domain(models), axis=labels),
        tooltip=tooltip,
    )
    scale = alt.Scale(scheme="blueorange", domain=[0, 1], domainMid=0.5)
    layers = [base.mark_rect().encode(color=alt.Color("probability:Q", title="A is preferred", scale=scale))]
    if len(models) <= MOST_NAMED:
        # The scheme is dark at both ends: black has too little contrast there, white everywhere else.
        colour = alt.when(abs(alt.datum.probability - 0.5) > 0.4).then(alt.value("white")).otherwise(alt.value("black"))  # noqa: PLR2004
        number = alt.Text("probability:Q", format=".2f")
        layers.append(base.mark_text(fontSize=min(12, step // 3)).encode(text=number, color=colour))
    return _figure(layers, title="Predicted Win Probability for Each Combination of Models").properties(
        width=alt.Step(step), height=alt.Step(step)
    )


def _history_lines(frame: pd.DataFrame, *, models: list[str]) -> alt.Chart:
    """A colour and a dash for each of the models; without models the lines are left plain."""
    lines: alt.Chart = alt.Chart(frame).mark_line(interpolate="step-after", point=len(frame) <= 10 * MOST_NAMED)
    lines = lines.encode(
        x=_history_time(),
        y=alt.Y("score:Q", title="Score", scale=_history_range(frame)),
        tooltip=[_MODEL_TOOLTIP, _SCORE_TOOLTIP, *_history_tooltip(frame)],
    )
    if not models:  # lines that are grouped and empty have no bounds, and Vega then draws a chart without a size
        return lines
    dashes = [LINE_DASHES[i // len(LINE_COLOURS)] for i in range(len(models))]
    return lines.encode(
        color=_history_colour(models),
        strokeDash=alt.StrokeDash("model:N", scale=alt.Scale(domain=models, range=dashes), legend=LINE_LEGEND),
    )


def _history_bands(frame: pd.DataFrame, *, models: list[str]) -> alt.Chart:
    bands: alt.Chart = alt.Chart(frame).mark_area(interpolate="step-after", opacity=0.15, clip=True)
    return bands.encode(
        x=_history_time(),
        y=alt.Y("lower:Q", title="Score", scale=_history_range(frame)),
        y2="upper:Q",
        color=_history_colour(models),
    )


def _history_tooltip(frame: pd.DataFrame) -> list[alt.Tooltip]:
    """The interval where there is one, and the time to the minute; days are days."""
    ends = [
        alt.Tooltip(f"{column}:Q", title=title, format=".0f")
        for column, title in (("lower", "From"), ("upper", "To"))
        if column in frame.columns
    ]
    if (frame["at"] == frame["at"].dt.normalize()).all():
        return [*ends, alt.Tooltip("at:T", timeUnit="utcyearmonthdate", format="%Y-%m-%d", title="Day (UTC)")]
    minute = alt.Tooltip("at:T", timeUnit="utcyearmonthdatehoursminutes", format="%Y-%m-%d %H:%M", title="UTC")
    return [*ends, minute]


def _history_range(frame: pd.DataFrame) -> alt.Scale:
    """As wide as the scores move; the intervals of a model's first votes would press all lines flat."""
    if frame.empty or "lower" not in frame.columns:
        return alt.Scale(zero=False)
    return alt.Scale(zero=False, domain=[frame["score"].min() - _MARGIN, frame["score"].max() + _MARGIN])


def _history_time() -> alt.X:
    return alt.X("at:T", title="Time (UTC)", scale=alt.Scale(type="utc"), axis=_days())


def _history_colour(models: list[str]) -> alt.Color:
    colours = [LINE_COLOURS[i % len(LINE_COLOURS)] for i in range(len(models))]
    return alt.Color("model:N", scale=alt.Scale(domain=models, range=colours), legend=LINE_LEGEND)


def _days() -> alt.Axis:
    return alt.Axis(format="%Y-%m-%d", labelOverlap=True, tickCount=8)


def _models(models: list[str]) -> alt.Y:
    """One row per model, best on top."""
    small = alt.Axis(labelLimit=280, labelOverlap=False, ticks=False, domain=False, labelFontSize=11)
    return alt.Y("model:N", title=None, scale=_domain(models), axis=small)


def _rows(models: int) -> alt.Step:
    """Twelve pixels are the least that a line of text needs."""
    return alt.Step(min(24, max(12, 1600 // max(1, models))))


def _domain(models: list[str]) -> alt.Scale:
    """Vega refuses an empty domain."""
    return alt.Scale(domain=models) if models else alt.Scale()


def _with_columns(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The columns that the chart needs; an empty frame may come without them."""
    return frame.reindex(columns=list(columns)) if frame.empty else frame[list(columns)]


def _figure(layers: Sequence[alt.Chart], *, title: str) -> alt.LayerChart:
    return alt.LayerChart(layer=list(layers), title=alt.Title(title, anchor="start"), background="transparent")
