"""Votes that are held or left out: what speaks against them, and what an administrator says."""

import pandas as pd
import streamlit as st

from admin_acts import act, ask_reason, page_of, said
from arena.administration import Administration
from arena.desk import VoteLine
from arena.numerals import count
from arena.roles import Person
from arena.store import Which
from tables import show_table
from words import verdict_label

MOST = 1_000
WHICH = {Which.HELD: "Held", Which.LEFT_OUT: "All that do not count", Which.ALL: "All"}
VOTES = {
    "seq": st.column_config.NumberColumn("Vote"),
    "cast_at": st.column_config.DatetimeColumn("Cast (UTC)", format="YYYY-MM-DD HH:mm"),
    "left": st.column_config.TextColumn("Left"),
    "right": st.column_config.TextColumn("Right"),
    "verdict": st.column_config.TextColumn("Verdict"),
    "voter": st.column_config.TextColumn("Voter"),
    "seconds": st.column_config.NumberColumn("Decided after", format="%.1f s"),
    "risk": st.column_config.NumberColumn("Risk", format="%.2f"),
    "left_out": st.column_config.TextColumn("Left out as"),
    "why": st.column_config.TextColumn("What speaks against it", width="large"),
}
DECIDED = "What is decided here stands: no later sweep changes it. Every decision can be taken back by another."


def draw_votes(administration: Administration, person: Person) -> None:
    """The votes, and what to do with some of them."""
    which = st.segmented_control("Which", [*WHICH], default=Which.HELD, format_func=WHICH.__getitem__, required=True)
    votes = administration.votes(person, which or Which.HELD, limit=MOST)
    if not votes:
        st.caption("There are none.")
        return
    page = page_of(votes, key=f"votes-{which}")
    show_table(pd.DataFrame([_vote_row(vote) for vote in page], columns=[*VOTES]), VOTES)
    st.markdown(DECIDED)
    seqs = st.multiselect("Votes", [vote.seq for vote in page], key="vote-seqs", placeholder="Choose by number")
    ask_reason("vote-reason")
    with st.container(horizontal=True):
        for verb, label in (("confirm", "Leave out for good"), ("restore", "Let count"), ("exclude", "Exclude")):
            st.button(label, key=f"vote-{verb}-chosen", disabled=not seqs, on_click=_decide, args=(verb,))


def _vote_row(vote: VoteLine) -> dict[str, object]:
    return {
        "seq": vote.seq,
        "cast_at": vote.cast_at,
        "left": vote.models.a,
        "right": vote.models.b,
        "verdict": verdict_label(vote.verdict),
        "voter": vote.voter,
        "seconds": None if vote.decide_ms is None else vote.decide_ms / 1000,
        "risk": vote.risk,
        "left_out": vote.left_out,
        "why": " ".join(vote.reasons) or None,
    }


def _decide(verb: str) -> None:
    seqs, reason = said("vote-seqs"), said("vote-reason")
    done = {"confirm": "left out for good", "restore": "counted again", "exclude": "excluded"}[verb]
    listed = ", ".join(map(str, seqs))
    act(
        f"{count(len(seqs), 'vote')} {done}: {listed}.",
        lambda them, person: getattr(them, verb)(person, seqs, reason=reason),
    )
