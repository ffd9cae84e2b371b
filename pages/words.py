"""The pages' wording for what the arena knows as enums: plain sentences that name no model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from arena.domain import BattleState, Fault, ReplyStatus
from arena.numerals import count
from arena.views import BattleView, SideView
from leaderboard import WITHOUT_STYLE, Verdict

HOW_IT_WORKS = """\
**How it works**

1. 🎭 **Blind test.** Ask anything; two anonymous models answer side by side.
2. 🗳️ **Vote for the best.** Write on for as many turns as you like, then say which answer is better.
3. ⚖️ **Play fair.** The names are shown once your vote is final, and the leaderboard moves."""

SAMPLE_PROMPTS = {
    "🐝": "Why do bees dance? Explain it to a ten-year-old in five sentences.",
    "🐍": "Write a Python function that tells whether a text is a palindrome, ignoring case and punctuation.",
    "🧮": "A train leaves at 9:40 and arrives at 13:05. How long does it travel? Show your steps.",
    "✉️": "Write a short, friendly e-mail that moves a meeting from Monday to Wednesday.",
}

_BUSY = "This model is very busy right now. Wait a moment, then retry."
_BROKEN_SETUP = "This model is not set up correctly; the administrator's log says why. Start a new round."
_AWAY = "This model cannot be reached right now. Wait a moment, then retry."
_SLOW = "This model took too long."

FAULTS: Mapping[Fault, str] = {
    Fault.RATE_LIMITED: _BUSY,
    Fault.OVERLOADED: _BUSY,
    Fault.QUOTA: "This model's budget is used up. Start a new round.",
    Fault.BAD_REQUEST: "This model did not accept the prompt. Try other words.",
    Fault.CONTEXT_OVERFLOW: "The conversation has become too long for this model. Start a new round.",
    Fault.MODERATED: "This arena's rules do not allow this answer to be shown. Ask again, or try other words.",
    Fault.CONTENT_FILTER: "A content filter withheld this answer. Try other words.",
    Fault.REFUSED_KEY: _BROKEN_SETUP,
    Fault.NOT_FOUND: _BROKEN_SETUP,
    Fault.TLS: _BROKEN_SETUP,
    Fault.REDIRECTED: _BROKEN_SETUP,
    Fault.UNREACHABLE: _AWAY,
    Fault.NOT_READY: _AWAY,
    Fault.NO_FIRST_TOKEN: _SLOW,
    Fault.SILENT: _SLOW,
    Fault.OVERTIME: _SLOW,
    Fault.CUT_OFF: "The connection broke before the answer was finished.",
    Fault.MALFORMED: "This model's answer could not be read. Retry, or start a new round.",
    Fault.TOO_LARGE: "This answer grew too long and was cut.",
    Fault.EMPTY: "This model gave no answer.",
    Fault.INTERNAL: "Something went wrong in the arena; the administrator's log says what.",
}

LEFT_OUT = {
    "aa": "a model met itself",
    "named": "the names were known",
    "leaked": "an answer named its model",
    "suspicious": "held until somebody has looked",
    "confirmed": "held, and an administrator agreed",
    "excluded": "taken out by an administrator",
    WITHOUT_STYLE: "nobody counted how the answers were written",
}
NOT_COUNTED = {
    "aa": "Both answers came from the same model: this battle gauges chance and moves no rating.",
    "leaked": "An answer gave its model away, so this vote moves no rating.",
    "suspicious": "Your vote is held until an administrator has looked at it; it moves no rating until then.",
}


def verdict_label(verdict: Verdict) -> str:
    """What a button says."""
    match verdict:
        case Verdict.A:
            return "👈 A is better"
        case Verdict.B:
            return "👉 B is better"
        case Verdict.TIE:
            return "🤝 Tie"
        case Verdict.BOTH_BAD:
            return "👎 Both are bad"
    assert_never(verdict)


def trouble(side: SideView) -> str | None:
    """Why a side has no finished answer; None when it has one or is still writing."""
    match side.status:
        case ReplyStatus.OK | ReplyStatus.STREAMING:
            return None
        case ReplyStatus.STOPPED:
            return "Stopped. What came so far stands above." if side.text else "Stopped before an answer came."
        case ReplyStatus.INTERRUPTED:
            return "This answer was interrupted."
        case ReplyStatus.FAILED:
            return FAULTS[side.fault or Fault.INTERNAL]
    assert_never(side.status)


@dataclass(frozen=True, slots=True)
class PromptHint:
    """What stands in the prompt box while it is empty, and whether one may type."""

    text: str
    locked: bool = True


def prompt_hint(view: BattleView | None, *, enough_models: bool) -> PromptHint:
    """What one may type now."""
    if view is None:
        return (
            PromptHint("👉 Enter your prompt and press ENTER", locked=False)
            if enough_models
            else PromptHint("Waiting for two models…")
        )
    if view.held:
        return PromptHint("Undo your vote to write on")
    state = BattleState.VOTED if view.texts_removed_after_days is not None else view.state
    match state:
        case BattleState.STREAMING:
            return PromptHint("The models are writing…")
        case BattleState.READY:
            return PromptHint("Write on, or vote above", locked=False)
        case BattleState.STUCK:
            return PromptHint("Retry the side that has no answer, or start a new round")
        case BattleState.VOTED:
            return PromptHint('Press "🎲 New round" to start over')
    assert_never(state)


def removed_after(days: int) -> str:
    """Why a battle shows no texts."""
    return f"The prompts and answers of this battle were removed after {count(days, 'day')}."


def left_out_reason(reason: str) -> str:
    """Why votes do not count, in a few words."""
    return LEFT_OUT.get(reason, reason.replace("_", " "))
