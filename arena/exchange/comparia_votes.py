"""The votes table of compar:IA, the arena of the French Ministry of Culture: it has one kind of tie.

Columns: Hugging Face, ministere-culture/comparia-votes.
"""

from collections.abc import Mapping
from typing import Any

from arena.exchange.containers import Kind
from arena.exchange.conversations import MESSAGE, conversations, messages, tokens_of, turns_of
from arena.exchange.fields import Memo, RowFault, each, instant, model_name, opaques, shown, whole_or_none
from arena.exchange.format import Format, columns_of, combined
from arena.exchange.tables import Chunk, Sample
from arena.foreign import NO_STYLE, ForeignVote, StyleFigures
from leaderboard.verdicts import Verdict

_TRUE = {"True", "true", "t", "1"}
_FALSE = {"False", "false", "f", "0", "", "None", "nan"}


def _recognise(sample: Sample) -> bool:
    return columns_of(sample, "model_a_name", "model_b_name", "chosen_model_name")


def _votes(chunk: Chunk) -> list[ForeignVote]:
    names = Memo(model_name)
    models_a, models_b = each(names, chunk["model_a_name"]), each(names, chunk["model_b_name"])
    choices = zip(models_a, models_b, chunk["chosen_model_name"], chunk["both_equal"], strict=True)
    sides_a, sides_b = chunk["conversation_a"], chunk["conversation_b"]
    return combined(
        chunk,
        models_a=models_a,
        models_b=models_b,
        verdicts=[_verdict(*choice) for choice in choices],
        cast_at=[instant(value) for value in chunk["timestamp"]],
        voters=opaques(chunk["visitor_id"]),
        ids=opaques(chunk["id"]),
        turns=[whole_or_none(value) for value in chunk["conv_turns"]],
        conversations=conversations(sides_a, sides_b),
        styles_a=[_style(side) for side in sides_a],
        styles_b=[_style(side) for side in sides_b],
    )


def _verdict(model_a: str, model_b: str, chosen: object, equal: object) -> Verdict:
    if _flag(equal):
        return Verdict.TIE
    if chosen == model_a:
        return Verdict.A
    if chosen == model_b:
        return Verdict.B
    raise RowFault(f"unknown verdict: chosen_model_name {shown(chosen)} is neither model, and both_equal is not true")


def _flag(value: object) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    if str(value) not in _TRUE | _FALSE:
        raise RowFault(f"both_equal is neither true nor false: {shown(value)}")
    return str(value) in _TRUE


def _style(side: object) -> StyleFigures:
    tokens = tokens_of(side)
    return NO_STYLE if tokens is None else StyleFigures(tokens=tokens)


def _record(vote: ForeignVote) -> Mapping[str, Any]:
    chosen = {Verdict.A: vote.model_a, Verdict.B: vote.model_b}.get(vote.verdict)
    return {
        "id": vote.id,
        "timestamp": vote.cast_at,
        "model_a_name": vote.model_a,
        "model_b_name": vote.model_b,
        "chosen_model_name": chosen,
        "opening_msg": vote.conversation.prompts[0] if vote.conversation else None,
        "both_equal": chosen is None,
        "conversation_a": messages(vote, side_a=True),
        "conversation_b": messages(vote, side_a=False),
        "conv_turns": turns_of(vote),
        "visitor_id": vote.voter,
    }


FORMAT = Format(
    title="compar:IA votes",
    kinds=(Kind.PARQUET, Kind.JSON_LINES, Kind.CSV, Kind.TSV),
    columns={
        "id": "text",
        "timestamp": "time",
        "model_a_name": "text",
        "model_b_name": "text",
        "chosen_model_name": "text",
        "opening_msg": "text",
        "both_equal": "flag",
        "conversation_a": [MESSAGE],
        "conversation_b": [MESSAGE],
        "conv_turns": "whole",
        "visitor_id": "text",
    },
    wants=frozenset(
        {"id", "timestamp", "model_a_name", "model_b_name", "chosen_model_name", "both_equal"}
        | {"conv_turns", "visitor_id"}
    ),
    texts=frozenset({"conversation_a", "conversation_b"}),
    carries=frozenset({"cast_at", "voter", "id", "turns", "conversation"}),
    loses="both bad becomes a tie; languages; style figures but for the tokens; votes on named models come back as "
    "counting",
    recognise=_recognise,
    votes=_votes,
    record=_record,
)
