"""The leaderboard: who stands where, and how it came about."""

import pandas as pd
import streamlit as st

from arena.board import Board
from arena.domain import ModelState
from board_charts import board_charts
from leaderboard import Standing
from shell import count, footer, moment, the_arena
from tables import labels, price, safe_csv, show_table
from words import left_out_reason

COLUMNS = {
    "rank": st.column_config.NumberColumn("Rank", width=55),
    "model": st.column_config.TextColumn("Model"),
    "elo": st.column_config.NumberColumn("Elo", format="%.0f", width=60),
    "change": st.column_config.NumberColumn("24 h", format="%+.0f", width=60, help="Change of the Elo over a day"),
    "battles": st.column_config.NumberColumn("Battles", format="localized", width=70),
    "wins": st.column_config.NumberColumn("Wins", format="localized", width=60),
    "losses": st.column_config.NumberColumn("Losses", format="localized", width=65),
    "ties": st.column_config.NumberColumn("Ties", format="localized", width=60, help="Both good, or both bad"),
    "win_rate": st.column_config.ProgressColumn("Win rate", format="percent", width=130, help="Ties are half a win"),
    "organisation": st.column_config.TextColumn("Organisation"),
    "licence": st.column_config.TextColumn("Licence"),
    "price": st.column_config.TextColumn("Price", help="USD per million tokens, input / output"),
    "link": st.column_config.LinkColumn("Page", display_text="open ↗", width=75),
}
EMPTY = "No vote has been counted yet: every model stands at its start rating. Cast the first one!"
NOTE = (
    "Elo follows the votes one by one, so it depends on their order: two models within some 30 points are about level. "
    "Models marked *new* have few battles."
)

arena = the_arena()


def row(standing: Standing, board: Board, label: str) -> dict[str, object]:
    """One line of the table."""
    spec = board.specs[standing.model]
    marks = [label, *["retired"] * (spec.state is ModelState.RETIRED), *["new"] * standing.preliminary]
    return {
        "rank": standing.rank,
        "model": " · ".join(marks),
        "elo": standing.elo,
        "change": standing.change_day,
        "battles": standing.battles,
        "wins": standing.wins,
        "losses": standing.losses,
        "ties": standing.ties + standing.both_bad,
        "win_rate": standing.win_rate,
        "organisation": spec.organisation,
        "licence": spec.licence,
        "price": price(spec),
        "link": spec.link,
    }


def summary(board: Board) -> str:
    """How many models and votes, what is left out and why, and when the last vote came."""
    parts = [f"**{count(len(board.standings), 'model')}**", f"**{count(board.votes, 'vote')}**"]
    parts += [f"{number:,} left out ({left_out_reason(reason)})" for reason, number in board.left_out.items()]
    parts.append(f"last vote {moment(board.last_vote_at)}" if board.last_vote_at else "no vote yet")
    return " · ".join(parts)


@st.fragment(run_every=1.0)
def follow_board(version: int) -> None:
    """Draw the page anew as soon as the board moves; draws nothing itself."""
    if arena.board_version() != version:
        st.rerun()


board = arena.board()
names = labels(board.specs.values())
st.title("🏆 Leaderboard", anchor=False)
st.markdown(summary(board))
if not board.votes:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(EMPTY)
        st.page_link("battle.py", label="Start a battle", icon="⚔️")
rows = [row(standing, board, names[standing.model]) for standing in board.standings]
frame = pd.DataFrame(rows, columns=[*COLUMNS])
show_table(frame, COLUMNS)
with st.container(horizontal=True, vertical_alignment="center"):
    st.caption(NOTE, width="stretch")
    st.download_button("⬇️ CSV", lambda: safe_csv(frame), "leaderboard.csv", "text/csv", on_click="ignore")
if board.votes:
    pictures = board_charts(board.version, _board=board, _history=arena.elo_history(), _labels=names)
    st.vega_lite_chart(spec=pictures.elo_history, height=420, key="elo-history")
    st.vega_lite_chart(spec=pictures.battle_counts, width="content", key="battle-counts")
follow_board(board.version)
footer()
