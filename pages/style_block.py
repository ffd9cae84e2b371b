"""What the way of writing is worth, beside a board that takes it off."""

import streamlit as st

from arena.rated_board import RatedBoard
from leaderboard import style_effects

TITLE = "**What the way of writing is worth here.** The scores are what is left without it."
NOTE = (
    "Points that an answer gains at the usual difference between two answers, whichever model wrote it. "
    "In brackets the range that holds the true value that often; one with 0 in it may be chance."
)


def show_style(board: RatedBoard) -> None:
    """A line per feature of style; nothing for a method that does not control it."""
    if effects := style_effects(board.rated):
        with st.container(border=True):
            st.markdown(TITLE)
            st.markdown("\n".join(f"- {effect}" for effect in effects))
            st.caption(NOTE)
