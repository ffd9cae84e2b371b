"""The leaderboard: who stands where, how sure that is, and how it came about."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import pandas as pd
import streamlit as st

from arena.board import labels
from arena.errors import CannotRate
from arena.rated_board import RatedBoard
from arena.selection import ARENA
from board_filters import View, offer_of
from board_header import summary
from board_json import board_json
from board_links import to_link
from board_table import Line, columns, found, lines, row, written
from chart_panel import board_charts, show_chart
from filter_widgets import choose_view, show_today
from leaderboard.over_time import has_history
from rating_watch import Watch
from score_chart import score_chart
from shell import footer, plain, the_arena
from style_block import show_style
from tables import safe_csv, show_table

EMPTY = "No vote has been counted yet: every model stands at its start rating. Cast the first one!"
NONE_FIT = "No vote fits these filters. Clear one of them to see more."
NO_ELO = "These votes have no Elo, which follows the order of this arena's own votes: the score orders the board."
NO_TIMES = "These votes carry no times, so nothing can be shown over time."
NOTE = (
    "Elo follows the votes one by one, so it depends on their order: two models within some 30 points are about level. "
    "Models marked *preliminary* have too few battles to trust their place."
)

arena = the_arena()


def rate(view: View) -> RatedBoard:
    """The board of the view; when there is none, or none yet, the page ends here and comes back when there is."""
    board = None
    try:
        ask = partial(arena.rated_board, method=view.method, selection=view.selection, order_by_elo=view.by_elo)
        board = watch.ask(ask)
    except CannotRate as error:
        st.error(plain(str(error)), icon="🛑")
    if board is None:
        watch.follow()
        footer()
        st.stop()
    return board


def remark(board: RatedBoard, view: View) -> None:
    """What the reader must know about this board."""
    if view.until and view.until < datetime.now(UTC).date():
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(f"🕰️ **Board as of the end of {view.until}** (UTC), by the votes that count now")
            st.button("Back to today", on_click=show_today)
    watch.note(board)
    if not newest.votes and not board.counts.votes:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(EMPTY)
            st.page_link("battle.py", label="Start a battle", icon="⚔️")
    elif not board.counts.votes:
        st.info(NONE_FIT, icon="🔎")
    elif view.by_elo and not board.elo:
        st.caption(NO_ELO)
    for sentence in board.remarks:
        st.caption(plain(sentence))


def show_lines(board: RatedBoard, shown: Sequence[Line], names: Mapping[str, str], view: View) -> None:
    """The table, and the same as files."""
    changes = {standing.model: standing.change_day for standing in live.standings} if board.elo else {}
    rows = [row(line, board.specs[line.model], names[line.model], change=changes.get(line.model)) for line in shown]
    head = columns(board.method)
    frame = pd.DataFrame(found(rows, view.search), columns=[*head])
    show_table(written(frame), head)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(NOTE, width="stretch")
        st.download_button("⬇️ CSV", lambda: safe_csv(frame), "leaderboard.csv", "text/csv", on_click="ignore")
        st.download_button(
            "⬇️ JSON", lambda: board_json(board, shown, view), "leaderboard.json", "application/json", on_click="ignore"
        )


def show_charts(board: RatedBoard, shown: Sequence[Line], names: Mapping[str, str], view: View) -> None:
    """The same in pictures."""
    link = json.dumps(to_link(replace(view, search="")))
    drawn = {line.model: names[line.model] for line in shown if line.battles}
    pictures = board_charts(
        board.version,
        link,
        _board=board,
        _history=arena.elo_history(until=view.until) if ARENA in view.selection.sources else (),
        _days=arena.votes_per_day(view.selection),
        _labels=drawn,
    )
    for picture in pictures:
        show_chart(picture)
    scores = None
    if has_history(view.method):
        scores = watch.ask(partial(arena.score_history, method=view.method, selection=view.selection))
    if scores and (
        lines := score_chart(board.version, scores.version, link, _board=board, _scores=scores, _labels=drawn)
    ):
        show_chart(lines)
    if board.last_vote_day is None:
        st.caption(NO_TIMES)


newest = arena.board()
watch = Watch(newest.version)
st.title("🏆 Leaderboard", anchor=False)
header = st.container()
view = choose_view(offer_of(newest, arena.facets()))
live = arena.board(until=view.until)
board = rate(view)
names = labels(board.specs.values())
shown = lines(board, live, view)
header.markdown(summary(board, len(shown)))
remark(board, view)
show_lines(board, shown, names, view)
show_style(board)
if board.counts.votes:
    show_charts(board, shown, names, view)
watch.follow()
footer()
