"""A plain table: two models, a winner, and whatever else is known. Columns go by several names."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any

from arena.exchange.clean_battle import WORDS as FASTCHAT_WORDS
from arena.exchange.containers import Kind
from arena.exchange.fields import (
    Memo,
    each,
    instant,
    iso_of,
    language_code,
    model_name,
    opaque,
    opaques,
    text,
    verdict_words,
)
from arena.exchange.fields import whole_or_none as count
from arena.exchange.format import Format, combined
from arena.exchange.lmarena_140k import WORDS as LMARENA_WORDS
from arena.exchange.tables import Chunk, Sample
from arena.foreign import Conversation, ForeignVote
from leaderboard.verdicts import Verdict

WORDS = {
    **LMARENA_WORDS,
    **FASTCHAT_WORDS,
    "a": Verdict.A,
    "b": Verdict.B,
    "A": Verdict.A,
    "B": Verdict.B,
    "left": Verdict.A,
    "right": Verdict.B,
    "draw": Verdict.TIE,
    "bothbad": Verdict.BOTH_BAD,
}
_WORD = {verdict: word for word, verdict in LMARENA_WORDS.items()}
# The first name is the one that is written.
NAMES = {
    "id": ("id", "vote_id", "battle_id", "question_id"),
    "model_a": ("model_a",),
    "model_b": ("model_b",),
    "winner": ("winner", "verdict"),
    "time": ("time", "timestamp", "tstamp", "cast_at", "created_at"),
    "voter": ("voter", "worker", "judge", "user", "user_id"),
    "language": ("language",),
    "left_out": ("left_out",),
    "turns": ("turns", "turn"),
    "prompt": ("prompt",),
    "response_a": ("response_a", "answer_a"),
    "response_b": ("response_b", "answer_b"),
}
_TEXTS = ("prompt", "response_a", "response_b")


def _recognise(sample: Sample) -> bool:
    return all(sample.columns.intersection(NAMES[name]) for name in ("model_a", "model_b", "winner"))


def _votes(chunk: Chunk) -> list[ForeignVote]:
    names = Memo(model_name)
    texts = [_column(chunk, name) for name in _TEXTS]
    return combined(
        chunk,
        models_a=each(names, chunk["model_a"]),
        models_b=each(names, chunk["model_b"]),
        verdicts=each(verdict_words(WORDS), _column(chunk, "winner")),
        cast_at=[instant(value) for value in _column(chunk, "time")],
        voters=opaques(_column(chunk, "voter")),
        ids=opaques(_column(chunk, "id")),
        languages=each(Memo(language_code), _column(chunk, "language")),
        left_out=each(Memo(opaque), _column(chunk, "left_out")),
        turns=each(Memo(count), _column(chunk, "turns")),
        conversations=_conversations(*texts),
    )


def _column(chunk: Chunk, name: str) -> Sequence[Any]:
    """The column under the first of its names that the file has."""
    return chunk[next((alias for alias in NAMES[name] if alias in chunk.columns), name)]


def _conversations(*columns: Sequence[Any]) -> Iterable[Conversation | None]:
    if not any(map(any, columns)):
        return repeat(None)
    return [_conversation(*row) for row in zip(*columns, strict=True)]


def _conversation(prompt: object, answer_a: object, answer_b: object) -> Conversation | None:
    if not prompt and not answer_a and not answer_b:
        return None
    return Conversation((text(prompt),), (text(answer_a),), (text(answer_b),))


def _record(vote: ForeignVote) -> Mapping[str, Any]:
    said = vote.conversation or Conversation((), (), ())
    return {
        "id": vote.id,
        "model_a": vote.model_a,
        "model_b": vote.model_b,
        "winner": _WORD[vote.verdict],
        "time": iso_of(vote.cast_at),
        "voter": vote.voter,
        "language": vote.language,
        "left_out": vote.left_out,
        "turns": len(said.prompts) or vote.turns,
        "prompt": "\n\n".join(said.prompts),
        "response_a": "\n\n".join(said.answers_a),
        "response_b": "\n\n".join(said.answers_b),
    }


FORMAT = Format(
    title="plain table",
    kinds=(Kind.CSV, Kind.TSV, Kind.JSON_LINES, Kind.PARQUET),
    columns={name: "whole" if name == "turns" else "text" for name in NAMES},
    wants=frozenset(alias for name, aliases in NAMES.items() if name not in _TEXTS for alias in aliases),
    texts=frozenset(alias for name in _TEXTS for alias in NAMES[name]),
    carries=frozenset({"cast_at", "voter", "id", "language", "left_out", "turns"}),
    loses="the turns of a conversation become one text; style figures",
    recognise=_recognise,
    votes=_votes,
    record=_record,
)
