"""A chart as every page shows it: its title, its files, the picture, a note."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from arena.board_charts import Picture, board_pictures, probability_matrix
from arena.chart_export import ChartFormat, ChartPress
from arena.rated_board import RatedBoard
from arena.store import DayVotes, EloPoint


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
    """The charts of one view of the board, kept: Altair takes far longer to make a chart than the page to send it."""
    return board_pictures(_board, history=_history, days=_days, labels=_labels)


@st.cache_resource(show_spinner=False, max_entries=4)
def matrix_chart(
    version: int,  # noqa: ARG001 - the key of the cache, with the method
    method: str,  # noqa: ARG001 - as above
    *,
    _board: RatedBoard,
    _labels: Mapping[str, str],
) -> Picture | None:
    """The matrix of win probabilities, kept as above."""
    return probability_matrix(_board, labels=_labels)


def show_chart(picture: Picture, **options: Any) -> None:  # noqa: ANN401 - the chart's own options
    """Draw the picture below its title, with the same as files beside it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"chart-{picture.key}"):
        st.markdown(f"#### {picture.title}", anchors=False, width="stretch")
        with st.container(horizontal=True, width="content", gap="small"):
            for chart_format in ChartFormat:
                _offer(picture, chart_format)
    # The page's own heading stands above: the chart's would be cut where the window is narrow.
    spec = {key: value for key, value in picture.spec.items() if key != "title"}
    st.vega_lite_chart(spec=spec, width="stretch" if picture.wide else "content", key=picture.key, **options)
    if picture.note:
        st.caption(picture.note)


@st.cache_resource(show_spinner=False)
def press() -> ChartPress:
    """What draws the files, for every visitor."""
    return ChartPress()


def _offer(picture: Picture, chart_format: ChartFormat) -> None:
    """A button that has the file drawn when it is clicked."""
    st.download_button(
        chart_format.upper(),
        lambda: press().draw(picture, chart_format),
        f"{picture.key}.{chart_format}",
        chart_format.media_type,
        key=f"{picture.key}-{chart_format}",
        help=f"Download this figure as {chart_format.upper()}",
        on_click="ignore",
        type="tertiary",
        icon="⬇️",
    )
