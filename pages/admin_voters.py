"""Voters: whose votes are a measure for others', and who wants to be forgotten."""

import pandas as pd
import streamlit as st

from admin_acts import act, ask_reason, page_of, said
from arena.administration import Administration
from arena.desk import VoterLine
from arena.errors import DecisionRefused
from arena.numerals import count, verb
from arena.roles import Person
from arena.store import Erased
from shell import percent
from tables import show_table

MOST = 1_000
VOTERS = {
    "voter": st.column_config.TextColumn("Voter"),
    "votes": st.column_config.NumberColumn("Votes"),
    "held": st.column_config.NumberColumn("Held"),
    "counted": st.column_config.NumberColumn("Counted"),
    "share": st.column_config.TextColumn("Of the board"),
    "trusted": st.column_config.TextColumn("Trusted by"),
    "first": st.column_config.DatetimeColumn("First seen (UTC)", format="YYYY-MM-DD HH:mm"),
    "last": st.column_config.DatetimeColumn("Last seen (UTC)", format="YYYY-MM-DD HH:mm"),
}
ERASING = (
    "What the voter asked and what was answered is removed, and nothing tells any more whose the votes were. The votes "
    "stay, and so do all ratings. **This cannot be taken back.** A large SQLite file is written anew: a minute for "
    "4 GB, in which everybody's clicks wait. Backups made before keep what is in them."
)


def draw_voters(administration: Administration, person: Person) -> None:
    """Who votes, and whose votes are a measure for others'."""
    known = administration.voter_count(person)
    if not known:
        st.caption("Nobody has opened a battle yet.")
        return
    places = page_of(range(min(MOST, known)), key="voters")
    page = administration.voters(person, limit=len(places), offset=places[0] if places else 0)
    show_table(pd.DataFrame([_voter_row(voter) for voter in page], columns=[*VOTERS]), VOTERS)
    st.caption("The votes of trusted voters are what the others' are compared with.")
    st.selectbox("Voter", [voter.voter for voter in page], key="voter-chosen")
    ask_reason("voter-reason")
    with st.container(horizontal=True):
        for decision, label in (("trust", "Trust"), ("untrust", "Do not trust")):
            st.button(label, key=f"voter-{decision}", on_click=_say, args=(decision,))
    with st.expander("Erase this voter"):
        st.markdown(ERASING)
        st.text_input("Type the voter's name to confirm", key="voter-confirmed", max_chars=40)
        st.button("Erase for good", key="voter-erase", on_click=_erase, type="primary")


def _voter_row(voter: VoterLine) -> dict[str, object]:
    return {
        "voter": voter.voter,
        "votes": voter.votes,
        "held": voter.held,
        "counted": voter.counted,
        "share": percent(voter.share),
        "trusted": voter.trusted and voter.trusted.value,
        "first": voter.first_seen_at,
        "last": voter.last_seen_at,
    }


def _say(decision: str) -> None:
    voter, reason = said("voter-chosen"), said("voter-reason")
    done = {"trust": "is trusted now", "untrust": "is not trusted by an administrator any more"}[decision]
    act(f"Voter {voter} {done}.", lambda them, person: getattr(them, decision)(person, voter, reason=reason))


def _erase() -> None:
    act(_erased, _erase_confirmed)


def _erase_confirmed(administration: Administration, person: Person) -> Erased:
    voter = said("voter-chosen")
    if (said("voter-confirmed") or "").strip() != voter:
        raise DecisionRefused(f"To erase {voter}, type this name into the box above the button. Nothing was changed.")
    return administration.erase_voter(person, voter, reason=said("voter-reason"))


def _erased(found: Erased) -> str:
    votes = f"{count(found.votes, 'vote')} {verb(found.votes, 'counts', 'count')} as before"
    done = f"The texts of {count(found.battles, 'battle')} are erased; {votes}."
    return f"{done} {found.kept}" if found.kept else done
