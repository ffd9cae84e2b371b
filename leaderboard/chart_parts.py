"""What charts share: legends and axes that can be read in a narrow window, in a wide one and in a file."""

from collections.abc import Sequence

import altair as alt

NARROW = 640  # pixels of a window that leaves room for short names only, as a phone's


def by_window(*, narrow: float, wide: float) -> alt.ExprRef:
    """A number that follows the reader's window; in a file, where there is none, the one for wide windows."""
    return alt.ExprRef(f"windowSize()[0] < {NARROW} ? {narrow} : {wide}")


# Below the chart, so that names of any length leave it its width; the strokes are so long that every dash shows.
LINE_LEGEND = alt.Legend(
    title=None,
    orient="bottom",
    columns=by_window(narrow=2, wide=4),
    symbolType="stroke",
    symbolSize=500,
    labelLimit=by_window(narrow=130, wide=190),
    rowPadding=1,
)

# Above the cells, where it is seen first: a heat map may be wider than the window.
HEAT_LEGEND = alt.Legend(
    orient="top", direction="horizontal", gradientLength=by_window(narrow=170, wide=220), tickCount=5
)

# Ticks between whole numbers stay without a label: ratings are whole points, and half a vote is none.
ONLY_WHOLE = "datum.value % 1 ? '' : datum.label"
TICKS = by_window(narrow=5, wide=10)
POINTS = alt.Axis(format="d", tickCount=TICKS, labelExpr=ONLY_WHOLE)
VOTES = alt.Axis(format=",d", labelExpr=ONLY_WHOLE)


def model_rows(models: Sequence[str]) -> alt.Y:
    """One row per model, in their order; a phone keeps more than half of its width for the chart."""
    limit = by_window(narrow=130, wide=280)
    names = alt.Axis(labelLimit=limit, labelOverlap=False, ticks=False, domain=False, labelFontSize=11)
    return alt.Y("model:N", title=None, scale=domain_of(models), axis=names)


def cell_names(*, step: int, across: bool, numbered: bool) -> alt.Axis:
    """The models beside the cells of a heat map, or `across` the top of it; `numbered` cells are wide."""
    names = alt.Axis(
        labelFontSize=min(11, step),
        labelLimit=by_window(narrow=110, wide=200),
        ticks=False,
        domain=False,
        labelOverlap=False,
    )
    if across:
        names.orient, names.labelAngle = "top", -45 if numbered else -90
    return names


def domain_of(models: Sequence[str]) -> alt.Scale:
    """A scale with one place per model; Vega refuses an empty domain."""
    return alt.Scale(domain=[*models]) if models else alt.Scale()
