"""FastChat's cleaned battles, as its analysis notebooks read them, and the 33k set that was published in this shape.

Fields: FastChat, fastchat/serve/monitor/clean_battle_data.py; Hugging Face, lmsys/chatbot_arena_conversations.
"""

from collections.abc import Mapping
from typing import Any

from arena.exchange.containers import Kind
from arena.exchange.conversations import MESSAGE, conversations, messages, tokens_of, turns_of
from arena.exchange.fields import (
    Memo,
    RowFault,
    each,
    instant,
    model_name,
    opaques,
    seconds_of,
    shown,
    verdict_words,
    whole_or_none,
)
from arena.exchange.format import Format, columns_of, combined
from arena.exchange.languages import CODES, NAMES
from arena.exchange.tables import Chunk, Sample
from arena.foreign import NAMED, NO_STYLE, ForeignVote, StyleFigures
from leaderboard.verdicts import Verdict

WORDS = {
    "model_a": Verdict.A,
    "model_b": Verdict.B,
    "tie": Verdict.TIE,
    "tie (bothbad)": Verdict.BOTH_BAD,
}
_WORD = {verdict: word for word, verdict in WORDS.items()}
_MARKS = frozenset({"question_id", "judge", "anony", "tstamp", "turn", "conversation_a"})
_MARKS_NEEDED = 3  # a plain table may well have a judge or a tstamp


def _recognise(sample: Sample) -> bool:
    return columns_of(sample, "model_a", "model_b", "winner") and len(sample.columns & _MARKS) >= _MARKS_NEEDED


def votes(chunk: Chunk) -> list[ForeignVote]:
    """The votes of a chunk."""
    sides_a, sides_b = chunk["conversation_a"], chunk["conversation_b"]
    return combined(
        chunk,
        models_a=each(_names(), chunk["model_a"]),
        models_b=each(_names(), chunk["model_b"]),
        verdicts=each(verdict_words(WORDS), chunk["winner"]),
        cast_at=[instant(value) for value in chunk["tstamp"]],
        voters=opaques(chunk["judge"]),
        ids=opaques(chunk["question_id"]),
        languages=each(Memo(_language), chunk["language"]),
        left_out=each(Memo(_left_out), chunk["anony"]),
        turns=[whole_or_none(value) for value in chunk["turn"]],
        conversations=conversations(sides_a, sides_b),
        styles_a=[_style(side) for side in sides_a],
        styles_b=[_style(side) for side in sides_b],
    )


def record(vote: ForeignVote) -> Mapping[str, Any]:
    """A vote as FastChat writes it."""
    return {
        "question_id": vote.id,
        "model_a": vote.model_a,
        "model_b": vote.model_b,
        "winner": _WORD[vote.verdict],
        "judge": vote.voter,
        "conversation_a": messages(vote, side_a=True),
        "conversation_b": messages(vote, side_a=False),
        "turn": turns_of(vote),
        "anony": vote.left_out != NAMED,
        "language": NAMES.get(vote.language or "", "unknown"),
        "tstamp": seconds_of(vote.cast_at),
    }


def _names() -> Memo:
    return Memo(model_name)


def _language(value: object) -> str | None:
    return CODES.get(value) if isinstance(value, str) else None


def _left_out(value: object) -> str | None:
    match value:
        case True | None | "True" | "true" | "":
            return None
        case False | "False" | "false":
            return NAMED
        case _:
            raise RowFault(f"anony is neither true nor false: {shown(value)}")


def _style(side: object) -> StyleFigures:
    tokens = tokens_of(side)
    return NO_STYLE if tokens is None else StyleFigures(tokens=tokens)


FORMAT = Format(
    title="FastChat clean_battle",
    kinds=(Kind.JSON, Kind.JSON_LINES, Kind.PARQUET),
    columns={
        "question_id": "text",
        "model_a": "text",
        "model_b": "text",
        "winner": "text",
        "judge": "text",
        "conversation_a": [MESSAGE],
        "conversation_b": [MESSAGE],
        "turn": "whole",
        "anony": "flag",
        "language": "text",
        "tstamp": "number",
    },
    wants=frozenset({"question_id", "model_a", "model_b", "winner", "judge", "turn", "anony", "language", "tstamp"}),
    texts=frozenset({"conversation_a", "conversation_b"}),
    carries=frozenset({"cast_at", "voter", "id", "language", "left_out", "turns", "conversation"}),
    loses="system prompts; style figures but for the tokens; languages outside the common 45",
    recognise=_recognise,
    votes=votes,
    record=record,
)
