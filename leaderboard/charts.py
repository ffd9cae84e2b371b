"""The board in pictures: one function per chart, frame in, chart out; beside them the frames that counts give.

Every chart can be drawn from an empty frame, from one model and from well over a hundred. Backgrounds are transparent
and text outside coloured cells has no colour of its own, so that the page's theme, light or dark, decides. What can be
clicked has a name of its own, because Altair's generated names change with the data.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd
from altair.expr.core import Expression
from numpy.typing import NDArray

from leaderboard.games import PairCounts

# Six hues of Paul Tol's colour-blind-safe schemes "vibrant" and "muted" (SRON/EPS/TN/09-002, issue 3.2), chosen for
# 2.5 : 1 or more against white and against Streamlit's dark background; with four dashes they tell 24 lines apart.
LINE_COLOURS = ("#0077BB", "#EE7733", "#009988", "#EE3377", "#AA4499", "#CC3311")
LINE_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])
QUIET = "#888888"
# Below the lines: beside them it would leave a phone no room for any. Lines and legend share no height, only the width.
LINE_LEGEND = alt.Legend(
    title=None,
    symbolType="stroke",
    symbolOpacity=1,
    labelLimit=240,
    rowPadding=0,
    orient="bottom",
    columns=alt.ExprRef(expr="max(1, floor(width / 290))"),
)
LINES_FIT = alt.AutoSizeParams(type="fit-x", contains="padding")
LINES_HEIGHT = 400

# More lines than this cannot be told apart, and more cells a row have no room for a number.
MOST_NAMED = 20

_HISTORY_COLUMNS = ("model", "at", "elo")
_BATTLE_COLUMNS = ("model_a", "model_b", "battles")
_FRACTION_COLUMNS = ("model_a", "model_b", "fraction", "battles")
_CURVE_COLUMNS = ("difference", "probability")


def battle_frame(counts: PairCounts) -> pd.DataFrame:
    """Columns model_a, model_b, battles: one row for each order of each pair that has met."""
    return _pairs(counts.names, battles=counts.pair_battles)


def win_fraction_frame(counts: PairCounts) -> pd.DataFrame:
    """Columns model_a, model_b, fraction, battles: wins of A among the pair's `battles` that were won by either.

    One row for each order of each pair that has such a battle.
    """
    frame = _pairs(counts.names, battles=counts.wins + counts.wins.T, wins=counts.wins)
    return frame.assign(fraction=frame["wins"] / frame["battles"])[list(_FRACTION_COLUMNS)]


def elo_history(frame: pd.DataFrame) -> alt.LayerChart:
    """Elo over time, a line per model; the `MOST_NAMED` models that stand best last are coloured, the rest grey.

    Args:
        frame: columns model, at (time; without a zone it is UTC), elo. Drawn and labelled in UTC.
    """
    frame = _with_columns(frame, _HISTORY_COLUMNS)
    frame = frame.assign(at=pd.to_datetime(frame["at"], utc=True)).sort_values("at", kind="stable")
    last = frame.groupby("model", sort=True)["elo"].last().sort_values(ascending=False, kind="stable")
    named = last.index[:MOST_NAMED].tolist()
    is_named = frame["model"].isin(named)
    layers = [_named_lines(frame[is_named], models=named, span=frame["at"])]
    if not is_named.all():
        layers.insert(0, _quiet_lines(frame[~is_named], span=frame["at"]))
    return _layered(layers, title="Elo over Time").properties(height=LINES_HEIGHT, autosize=LINES_FIT)


def win_fraction(frame: pd.DataFrame, *, order: Sequence[str] | None = None) -> alt.LayerChart:
    """Figure 3: of the battles that one of the pair won, the part that the row's model won.

    Args:
        frame: as `win_fraction_frame` gives it.
        order: models from top to bottom and left to right; those it leaves out follow, by battles.
    """
    frame = _with_columns(frame, _FRACTION_COLUMNS)
    heat = _HeatMap(
        title="Figure 3: Fraction of Model A Wins for All Non-tied A vs. B Battles",
        value=alt.Color(
            "fraction:Q", title="A wins", scale=alt.Scale(scheme="blueorange", domain=[0, 1], domainMid=0.5)
        ),
        number=alt.Text("fraction:Q", format=".2f"),
        # The scheme is dark at both ends: black has too little contrast there, white everywhere else.
        light_text=abs(alt.datum.fraction - 0.5) > 0.4,  # noqa: PLR2004
        rows="Model A: Winner",
        columns="Model B: Loser",
        tooltip=(alt.Tooltip("fraction:Q", title="A wins", format=".1%"), _BATTLES_TOOLTIP),
    )
    return _heat_map(frame, heat, order=order)


def battle_counts(frame: pd.DataFrame, *, order: Sequence[str] | None = None) -> alt.LayerChart:
    """Figure 4: battles of each pair; a blank cell is a pair that never met.

    Args:
        frame: as `battle_frame` gives it.
        order: models from top to bottom and left to right; those it leaves out follow, by battles.
    """
    frame = _with_columns(frame, _BATTLE_COLUMNS)
    most = float(frame["battles"].max()) if len(frame) else 0.0
    heat = _HeatMap(
        title="Figure 4: Battle Count for Each Combination of Models",
        # Counts of a grown board span four powers of ten; the root keeps small ones apart and 0 at the bottom.
        value=alt.Color(
            "battles:Q", title="Battles", scale=alt.Scale(type="sqrt", scheme="viridis", domain=[0, max(most, 1.0)])
        ),
        number=alt.Text("battles:Q", format=",d"),
        # Viridis is as far from black as from white a little below its middle, here at the root of 0.22.
        light_text=alt.datum.battles < 0.22 * most,
        rows="Model A",
        columns="Model B",
        tooltip=(_BATTLES_TOOLTIP,),
    )
    return _heat_map(frame, heat, order=order)


def probability_curve(frame: pd.DataFrame, *, difference: float, probability: float) -> alt.LayerChart:
    """The chance that A is preferred over the rating difference, with one pair marked and named in the title.

    Args:
        frame: columns difference, probability; a frame of `leaderboard.probability_curve()`.
        difference: rating of A minus rating of B of the pair to mark; may lie outside the frame.
        probability: its chance, 0 to 1.
    """
    x = alt.X("difference:Q", title="Rating of A minus rating of B")
    y = alt.Y(
        "probability:Q",
        title="Chance that A is preferred",
        axis=alt.Axis(format=".0%"),
        scale=alt.Scale(domain=[0, 1]),
    )
    tooltip = [
        alt.Tooltip("difference:Q", title="Difference", format="+.0f"),
        alt.Tooltip("probability:Q", title="Chance", format=".1%"),
    ]
    curve = alt.Chart(_with_columns(frame, _CURVE_COLUMNS))
    pair = pd.DataFrame({"difference": [difference], "probability": [probability]})
    marked = alt.Chart(pair)
    layers = (
        curve.mark_line(color=LINE_COLOURS[0]).encode(x, y, tooltip=tooltip),
        marked.mark_rule(color=QUIET, strokeDash=[4, 4]).encode(x=x),
        marked.mark_rule(color=QUIET, strokeDash=[4, 4]).encode(y=y),
        marked.mark_point(color=LINE_COLOURS[1], filled=True, size=140, opacity=1).encode(x, y, tooltip=tooltip),
    )
    return _layered(layers, title=f"Win Probability: {probability:.1%} at {difference:+.0f} Points")


_BATTLES_TOOLTIP = alt.Tooltip("battles:Q", title="Battles", format=",d")


@dataclass(frozen=True, slots=True, kw_only=True)
class _HeatMap:
    """What sets one heat map apart from the other."""

    title: str
    value: alt.Color
    number: alt.Text
    light_text: Expression
    rows: str
    columns: str
    tooltip: tuple[alt.Tooltip, ...]


def _heat_map(frame: pd.DataFrame, heat: _HeatMap, *, order: Sequence[str] | None) -> alt.LayerChart:
    models = _ordered(frame, order)
    step = _cell_step(max(1, len(models)))
    base = alt.Chart(frame).encode(
        x=alt.X("model_b:N", title=heat.columns, scale=_domain(models), axis=_model_axis(models, step, across=True)),
        y=alt.Y("model_a:N", title=heat.rows, scale=_domain(models), axis=_model_axis(models, step, across=False)),
        tooltip=[
            alt.Tooltip("model_a:N", title="Model A"),
            alt.Tooltip("model_b:N", title="Model B"),
            *heat.tooltip,
        ],
    )
    layers = [base.mark_rect().encode(color=heat.value)]
    if len(models) <= MOST_NAMED:
        # The number's colour follows its cell, which looks the same on a light and on a dark page.
        colour = alt.when(heat.light_text).then(alt.value("white")).otherwise(alt.value("black"))
        layers.append(base.mark_text(fontSize=min(12, step // 3)).encode(text=heat.number, color=colour))
    return _layered(layers, title=heat.title).properties(width=alt.Step(step), height=alt.Step(step))


def _cell_step(models: int) -> int:
    """Pixels of a cell: readable, no wider than a page in all, and never too narrow for the title above."""
    return max(8, min(max(64, 240 // models), 760 // models))


def _ordered(frame: pd.DataFrame, order: Sequence[str] | None) -> list[str]:
    """Every model of `order` and of the frame, once: first as ordered, then by battles, then by name."""
    totals = pd.concat([frame.groupby(side)["battles"].sum() for side in ("model_a", "model_b")])
    by_battles = totals.groupby(level=0, sort=True).sum().sort_values(ascending=False, kind="stable")
    return list(dict.fromkeys([*(order or ()), *by_battles.index.tolist()]))


def _domain(models: list[str]) -> alt.Scale:
    """Vega refuses an empty domain."""
    return alt.Scale(domain=models) if models else alt.Scale()


def _model_axis(models: list[str], step: int, *, across: bool) -> alt.Axis:
    small = alt.Axis(labelFontSize=min(11, step), labelLimit=200, ticks=False, domain=False, labelOverlap=False)
    if across:
        small.orient = "top"
        small.labelAngle = -45 if len(models) <= MOST_NAMED else -90
    return small


def _named_lines(frame: pd.DataFrame, *, models: list[str], span: pd.Series) -> alt.Chart:
    """A colour and a dash per model; a click in the legend brings one forward."""
    lines = _history_lines(frame, span=span).properties(name="elo_history")
    if not models:  # lines that are grouped and empty have no bounds, and Vega then draws a chart without a size
        return lines
    dashes = [dash for dash in LINE_DASHES for _ in LINE_COLOURS]
    picked = alt.selection_point(name="picked_model", fields=["model"], bind="legend")
    return lines.encode(
        color=alt.Color("model:N", scale=_looks(models, LINE_COLOURS * len(LINE_DASHES)), legend=LINE_LEGEND),
        strokeDash=alt.StrokeDash("model:N", scale=_looks(models, dashes), legend=LINE_LEGEND),
        opacity=alt.when(picked).then(alt.value(1.0)).otherwise(alt.value(0.15)),
    ).add_params(picked)


def _quiet_lines(frame: pd.DataFrame, *, span: pd.Series) -> alt.Chart:
    lines = _history_lines(frame, span=span)
    return lines.encode(detail="model:N", color=alt.value(QUIET), opacity=alt.value(0.4), size=alt.value(1))


def _history_lines(frame: pd.DataFrame, *, span: pd.Series) -> alt.Chart:
    """Lines without colour; `span` holds the times of the whole chart."""
    dates = alt.Axis(format=_time_format(span), labelOverlap=True, tickCount=8)
    # A vote moves a rating at once; points show models that have only one.
    lines: alt.Chart = alt.Chart(frame).mark_line(interpolate="step-after", point=len(span) <= 10 * MOST_NAMED)
    return lines.encode(
        x=alt.X("at:T", title="Time (UTC)", scale=alt.Scale(type="utc"), axis=dates),
        y=alt.Y("elo:Q", title="Elo", scale=alt.Scale(zero=False)),
        tooltip=[
            alt.Tooltip("model:N", title="Model"),
            alt.Tooltip("elo:Q", title="Elo", format=".0f"),
            alt.Tooltip("at:T", timeUnit="utcyearmonthdatehoursminutes", format="%Y-%m-%d %H:%M", title="UTC"),
        ],
    )


def _time_format(span: pd.Series) -> str:
    """As short as tells eight ticks within the span apart."""
    length = span.max() - span.min() if len(span) else pd.Timedelta(0)
    if length > pd.Timedelta(days=2):
        return "%Y-%m-%d"
    return "%m-%d %H:%M" if length > pd.Timedelta(minutes=10) else "%H:%M:%S"


def _looks(models: list[str], looks: Sequence[object]) -> alt.Scale:
    """The first look for the first model, and so on."""
    scale = _domain(models)
    scale.range = list(looks[: len(models)])
    return scale


def _pairs(names: tuple[str, ...], *, battles: NDArray[np.int64], **more: NDArray[np.int64]) -> pd.DataFrame:
    """One row per cell with battles: both names, the battles, and what `more` matrices hold there."""
    rows, columns = np.nonzero(battles)
    labels = np.array(names, dtype=object)
    cells = {what: matrix[rows, columns] for what, matrix in {"battles": battles, **more}.items()}
    return pd.DataFrame({"model_a": labels[rows], "model_b": labels[columns], **cells})


def _with_columns(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The columns that the chart needs; an empty frame may come without them."""
    return frame.reindex(columns=list(columns)) if frame.empty else frame[list(columns)]


def _layered(layers: Sequence[alt.Chart], *, title: str) -> alt.LayerChart:
    return alt.LayerChart(layer=list(layers), title=alt.Title(title, anchor="start"), background="transparent")
