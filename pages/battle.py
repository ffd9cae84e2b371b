"""The battle page: ask two anonymous models, compare, vote, see who they were."""

import time
from collections.abc import Mapping

import streamlit as st

import moves
from arena.catalogue import Catalogue
from arena.domain import BattleState, Pace, Side
from arena.errors import UnknownBattle
from arena.numerals import count
from arena.views import BattleView
from leaderboard import Verdict
from panes import Answer, draw_pane, write_out
from people import me as who
from shell import breathe, footer, session, settings, show_notice, the_arena
from waiting import ENOUGH, is_settled, wait_for_models, watch_models
from words import HOW_IT_WORKS, NOT_COUNTED, SAMPLE_PROMPTS, prompt_hint, removed_after, verdict_label

POLL_SECONDS = 0.08  # what looks smooth; faster costs the browser more than it shows
SLOW_POLL_SECONDS = 0.2  # a long text is sent whole at every tick, and many of them share the processor
LONG_CHARACTERS = 8_000
MANY_BATTLES = 30

arena, me = the_arena(), who().voter


def current() -> BattleView | None:
    """The battle in the address, or else the one this tab left to look at another page."""
    battle_id = st.query_params.get("battle") or session().battle_id
    if battle_id is None:
        return None
    try:
        view = arena.view(battle_id, me)
    except UnknownBattle as error:
        session().notice = str(error)
        moves.new_round()
        return None
    moves.go_to(battle_id)
    return view


def head(view: BattleView | None, ready_count: int) -> None:
    """The title, how many fight, and the way out of a battle."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("⚔️ Which answer is better?", anchor=False)
        if view and view.votable:
            st.button("⏭️ Skip this battle", key="skip", on_click=moves.new_round, type="tertiary")
        st.page_link("models.py", label=f"{count(ready_count, 'model')} in the arena", icon="📚")


def introduction(catalogue: Catalogue) -> None:
    """How it works, and prompts for who does not know what to ask."""
    st.markdown(HOW_IT_WORKS)
    if catalogue.ready_count < ENOUGH:
        wait_for_models()
        return
    st.caption("Not sure what to ask? Start with one of these:")
    for number, (sign, prompt) in enumerate(SAMPLE_PROMPTS.items()):
        st.button(f"{sign} {prompt}", key=f"sample-{number}", on_click=moves.ask, args=(prompt,), wrap=True)
    if not is_settled(catalogue):
        watch_models(catalogue)


def actions(view: BattleView) -> None:
    """What can be done now, under the panes."""
    with st.empty().container(horizontal=True, horizontal_alignment="center", vertical_alignment="center"):
        if view.state is BattleState.STREAMING:
            st.button("⏹️ Stop", key="stop", on_click=moves.stop)
        elif view.votable:
            for number, verdict in enumerate(Verdict, start=1):
                key, shortcut = f"vote-{verdict}", str(number)
                st.button(verdict_label(verdict), key, None, moves.vote, (verdict,), width="stretch", shortcut=shortcut)
        elif view.state is BattleState.STUCK:
            st.button("🎲 New round", key="new-round", on_click=moves.new_round)
        else:
            st.button("🎲 New round", key="new-round", on_click=moves.new_round, type="primary", shortcut="n")
            st.page_link("standings.py", label="See the leaderboard", icon="🏆")


@st.fragment(run_every=0.5)
def held_bar(battle_id: str) -> None:
    """The choice that can still be undone, with the seconds counting down."""
    held = arena.view(battle_id, me).held
    if held is None:
        st.rerun()
    when = f"final in {held.seconds_left:.0f} s" if held.seconds_left else "being counted"
    with st.container(horizontal=True, horizontal_alignment="center", vertical_alignment="center"):
        st.markdown(f"**{verdict_label(held.verdict)}**, {when}", width="content")
        st.button("Undo", key="undo", on_click=moves.undo, shortcut="u")
        st.button("Reveal now", key="reveal", on_click=moves.reveal_now, type="primary", shortcut="n")


def follow(battle_id: str, pace: Pace, answers: Mapping[Side, Answer]) -> None:
    """Draw the answers as they grow, and the page anew when they have ended."""
    live = arena.live(battle_id, me)
    while live is not None:
        live.touch()
        done = live.done  # before the texts: then they are whole
        texts = {side: growing.text for side, growing in live.sides.items()}
        for side, text in texts.items():
            answers[side].draw(text, growing=not done)
        if done:
            if pace is Pace.REPLAY:
                write_out(arena.view(battle_id, me), answers)
            st.rerun()
        breathe()
        is_slow = sum(map(len, texts.values())) > LONG_CHARACTERS or arena.live_count() >= MANY_BATTLES
        time.sleep(SLOW_POLL_SECONDS if is_slow else POLL_SECONDS)
    time.sleep(SLOW_POLL_SECONDS)  # written elsewhere, or about to be marked as interrupted
    st.rerun()


view = current()
catalogue = arena.catalogue()
hint = prompt_hint(view, enough_models=catalogue.ready_count >= ENOUGH)
longest = settings().max_prompt_characters
show_notice()
head(view, catalogue.ready_count)
with st.bottom:
    bar = st.container()
    st.chat_input(hint.text, key="prompt", on_submit=moves.ask, disabled=hint.locked, max_chars=longest)
    footer()
# What a run does not draw stays on the page until the run ends, which takes as long as the answers: hence the slot.
slot = st.empty()
if view is None:
    with slot.container():
        introduction(catalogue)
else:
    answers = {}
    for side, column in zip(Side, st.columns(2), strict=True):
        with column:
            answers[side] = draw_pane(view, side)
    if view.texts_removed_after_days is not None:
        st.info(removed_after(view.texts_removed_after_days), icon="🧹")
    if view.problem:
        st.error(view.problem, icon="🛑")
    with bar:
        if view.reveal and view.reveal.left_out:
            st.info(NOT_COUNTED.get(view.reveal.left_out, "This vote moves no rating."), icon="⚖️")
        if view.held:
            held_bar(view.id)
        else:
            actions(view)
    if view.state is BattleState.STREAMING:
        follow(view.id, view.pace, answers)
