"""LMArena's 140k set and its successors (expert 5k): messages of typed parts, several votes in one session.

Fields: Hugging Face, lmarena-ai/arena-human-preference-140k and lmarena-ai/arena-expert-5k.
"""

from collections.abc import Mapping
from typing import Any

from arena.exchange.containers import Kind
from arena.exchange.conversations import METADATA, conversations, messages, metadata_of, style_of, tokens_of
from arena.exchange.fields import (
    Memo,
    each,
    instant,
    language_code,
    model_name,
    opaques,
    parsed,
    verdict_words,
    whole_or_none,
)
from arena.exchange.format import Format, columns_of, combined
from arena.exchange.tables import Chunk, Sample
from arena.foreign import ForeignVote
from leaderboard.verdicts import Verdict

WORDS = {"model_a": Verdict.A, "model_b": Verdict.B, "tie": Verdict.TIE, "both_bad": Verdict.BOTH_BAD}
_WORD = {verdict: word for word, verdict in WORDS.items()}
_MARKS = {"evaluation_session_id", "evaluation_order", "full_conversation"}
_PART = {"type": "text", "text": "text", "image": "text", "mimeType": "text"}
_MESSAGE = {"role": "text", "content": [_PART], "num_tokens": "whole"}


def _recognise(sample: Sample) -> bool:
    return columns_of(sample, "model_a", "model_b", "winner") and bool(sample.columns & _MARKS)


def _votes(chunk: Chunk) -> list[ForeignVote]:
    sides_a, sides_b, metadata = chunk["conversation_a"], chunk["conversation_b"], chunk["conv_metadata"]
    names = Memo(model_name)
    return combined(
        chunk,
        models_a=each(names, chunk["model_a"]),
        models_b=each(names, chunk["model_b"]),
        verdicts=each(verdict_words(WORDS), chunk["winner"]),
        cast_at=[instant(value) for value in chunk["timestamp"]],
        ids=opaques(chunk["id"]),
        languages=each(Memo(language_code), chunk["language"]),
        turns=[_turns(counts) for counts in metadata],
        conversations=conversations(sides_a, sides_b),
        styles_a=[
            style_of(counts, "a", otherwise=tokens_of(side)) for counts, side in zip(metadata, sides_a, strict=True)
        ],
        styles_b=[
            style_of(counts, "b", otherwise=tokens_of(side)) for counts, side in zip(metadata, sides_b, strict=True)
        ],
    )


def _turns(metadata: object) -> int | None:
    counts = parsed(metadata, what="conv_metadata")
    return whole_or_none(counts.get("turns")) if isinstance(counts, Mapping) else None


def _record(vote: ForeignVote) -> Mapping[str, Any]:
    return {
        "id": vote.id,
        "model_a": vote.model_a,
        "model_b": vote.model_b,
        "winner": _WORD[vote.verdict],
        "evaluation_session_id": vote.id,
        "evaluation_order": 1,
        "conversation_a": messages(vote, side_a=True, content=_parts),
        "conversation_b": messages(vote, side_a=False, content=_parts),
        "conv_metadata": metadata_of(vote),
        "language": vote.language or "und",
        "timestamp": vote.cast_at,
    }


def _parts(content: str) -> list[dict[str, str | None]]:
    return [{"type": "text", "text": content, "image": None, "mimeType": None}]


FORMAT = Format(
    title="LMArena human preference 140k",
    kinds=(Kind.JSON_LINES, Kind.PARQUET, Kind.JSON),
    columns={
        "id": "text",
        "model_a": "text",
        "model_b": "text",
        "winner": "text",
        "evaluation_session_id": "text",
        "evaluation_order": "whole",
        "conversation_a": [_MESSAGE],
        "conversation_b": [_MESSAGE],
        "conv_metadata": METADATA,
        "language": "text",
        "timestamp": "time",
    },
    wants=frozenset({"id", "model_a", "model_b", "winner", "conv_metadata", "language", "timestamp"}),
    texts=frozenset({"conversation_a", "conversation_b"}),
    carries=frozenset({"cast_at", "id", "language", "turns", "conversation", "style_a", "style_b"}),
    loses="voters; votes on named models come back as counting; pictures; which votes shared a session",
    recognise=_recognise,
    votes=_votes,
    record=_record,
)
