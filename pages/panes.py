"""The two panes of a battle: conversation, growing answers, and after the vote the names above them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import moves
from arena.domain import BattleState, ReplyStatus, Side
from arena.views import BattleView, Reveal, RevealedModel, SideView
from safe_markdown import SafeMarkdown, is_bearable, split_thought
from shell import breathe, plain, rating, signed
from words import trouble

PANE_HEIGHT = 520
ADDRESS_SIGNS = ":/?#[]@!$&'()*+,;=%~"
RETRY = "🔄 Retry this side"

# Some 400 characters a second, and never longer than eight seconds in all.
WRITE_OUT_SECONDS = 0.1
WRITE_OUT_CHARACTERS = 40
WRITE_OUT_TICKS = 80


@dataclass(slots=True)
class Answer:
    """One answer on the page, which can be drawn again as it grows."""

    thought: DeltaGenerator
    body: DeltaGenerator
    prepared: SafeMarkdown = field(default_factory=SafeMarkdown)
    drawn: tuple[str, bool] | None = None

    def draw(self, text: str, *, growing: bool) -> None:
        """Show `text` unless it is what stands there already."""
        if self.drawn == (text, growing):
            return
        self.drawn = (text, growing)
        parts = split_thought(text)
        if parts.answer:
            if is_bearable(parts.answer):
                self.body.markdown(self.prepared.update(parts.answer), anchors=False)
            else:
                self.body.text(parts.answer)
        elif growing:
            self.body.markdown(":shimmer[Thinking…]")
        if parts.thought and not growing:
            self.thought.expander("💭 Thoughts").text(parts.thought)


def draw_pane(view: BattleView, side: Side) -> Answer:
    """One side of a battle with all its turns; returns the latest answer."""
    st.markdown(_heading(side, view.reveal), anchors=False)
    with st.container(height=PANE_HEIGHT, border=True, key=f"pane-{side}", autoscroll=True):
        for turn in view.turns:
            reply, key = turn.sides[side], f"{side}-{turn.ordinal}"
            st.container(key=f"prompt-{key}").text(turn.prompt)
            answer = Answer(thought=st.empty(), body=st.empty())
            answer.draw(reply.text, growing=reply.status is ReplyStatus.STREAMING)
            below = st.empty()
            if reply.status is not ReplyStatus.STREAMING:
                with below.container():
                    _below(reply, key=key)
                    if reply.retryable and turn is view.turns[-1]:
                        waits = view.state is BattleState.STREAMING
                        st.button(RETRY, key=f"retry-{side}", on_click=moves.retry, args=(side,), disabled=waits)
    return answer


def write_out(view: BattleView, answers: Mapping[Side, Answer]) -> None:
    """Write both finished answers out at one pace, so that neither looks faster than the other."""
    texts = {side: reply.text for side, reply in view.turns[-1].sides.items()}
    longest = max(map(len, texts.values()), default=0)
    ticks = min(WRITE_OUT_TICKS, -(-longest // WRITE_OUT_CHARACTERS))
    for tick in range(1, ticks):
        for side, text in texts.items():
            answers[side].draw(text[: longest * tick // ticks], growing=True)
        breathe()
        time.sleep(WRITE_OUT_SECONDS)


def _below(reply: SideView, *, key: str) -> None:
    """A copy button, or what went wrong."""
    problem = trouble(reply)
    if problem is not None:
        st.warning(problem, icon="⚠️")
    elif reply.status is ReplyStatus.OK and reply.text:
        # Of this code block only the copy button is shown (style.css).
        st.container(key=f"copy-{key}").code(split_thought(reply.text).answer, language=None)


def _heading(side: Side, reveal: Reveal | None) -> str:
    seat = f"#### Model {side.upper()}"
    return seat if reveal is None else f"{seat}: {_name(reveal.models[side])}"


def _name(model: RevealedModel) -> str:
    name = plain(model.display_name)
    linked = f"[{name}](<{quote(model.link, safe=ADDRESS_SIGNS)}>)" if model.link else name
    if model.elo is None:
        return linked
    colour = "green" if model.elo.change > 0 else "red" if model.elo.change < 0 else "gray"
    return f"{linked} :gray-badge[Elo {rating(model.elo.after)}] :{colour}-badge[{signed(model.elo.change)}]"
