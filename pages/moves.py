"""What a click on the battle page does; always to the battle that the tab is on, and always as its voter."""

import streamlit as st

from arena.domain import Side
from arena.roles import Action
from leaderboard import Verdict
from people import acting, me, network
from shell import noticed, session, the_arena


def go_to(battle_id: str) -> None:
    """Make this the tab's battle."""
    session().battle_id = st.query_params["battle"] = battle_id


def new_round() -> None:
    """Leave the battle; it stays as it is."""
    session().battle_id = None
    st.query_params.pop("battle", None)


def ask(prompt: str | None = None) -> None:
    """Open a battle, or write on in the open one; without `prompt`, what the prompt box holds."""
    prompt = prompt or st.session_state["prompt"]
    battle_id = session().battle_id
    with noticed():
        person = acting(Action.ASK)
        if battle_id is None:
            go_to(the_arena().open_battle(person.voter, prompt, network=network(), role=person.role))
        else:
            the_arena().write_on(battle_id, person.voter, prompt, network=network(), role=person.role)


def vote(verdict: Verdict) -> None:
    """Hold a verdict for a few seconds."""
    with noticed():
        person = acting(Action.VOTE)
        the_arena().hold(_battle_id(), person.voter, verdict, network=network(), role=person.role)


def undo() -> None:
    """Take the held verdict back."""
    if not the_arena().undo(_battle_id(), me().voter):
        session().notice = "Too late to undo: your vote is counted."


def reveal_now() -> None:
    """Make the held verdict final."""
    with noticed():
        the_arena().reveal_now(_battle_id(), me().voter)


def stop() -> None:
    """Stop what is still being written."""
    with noticed():
        the_arena().stop(_battle_id(), me().voter)


def retry(side: Side) -> None:
    """Ask one side again."""
    with noticed():
        person = acting(Action.ASK)
        the_arena().retry(_battle_id(), person.voter, side, network=network(), role=person.role)


def _battle_id() -> str:
    return session().battle_id or ""
