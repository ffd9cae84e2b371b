"""LMArena's 55k set, the training table of a Kaggle contest: both bad is a tie here.

Columns: Hugging Face, lmarena-ai/arena-human-preference-55k.
"""

from collections.abc import Mapping
from typing import Any

from arena.exchange.containers import Kind
from arena.exchange.fields import Memo, RowFault, as_json, each, model_name, opaques, parsed, shown, text
from arena.exchange.format import Format, columns_of, combined
from arena.exchange.tables import Chunk, Sample
from arena.foreign import Conversation, ForeignVote
from leaderboard.verdicts import Verdict

_WINNERS = ("winner_model_a", "winner_model_b", "winner_tie")
_VERDICTS = {("1", "0", "0"): Verdict.A, ("0", "1", "0"): Verdict.B, ("0", "0", "1"): Verdict.TIE}


def _recognise(sample: Sample) -> bool:
    return columns_of(sample, "model_a", "model_b", *_WINNERS)


def _votes(chunk: Chunk) -> list[ForeignVote]:
    names = Memo(model_name)
    marks = zip(*(chunk[name] for name in _WINNERS), strict=True)
    texts = zip(chunk["prompt"], chunk["response_a"], chunk["response_b"], strict=True)
    return combined(
        chunk,
        models_a=each(names, chunk["model_a"]),
        models_b=each(names, chunk["model_b"]),
        verdicts=each(Memo(_verdict), marks),
        ids=opaques(chunk["id"]),
        conversations=[_conversation(*row) for row in texts],
    )


def _verdict(marks: tuple[object, ...]) -> Verdict:
    """One of the three columns is 1, the others are 0."""
    if any(isinstance(mark, bool | float) for mark in marks):
        raise RowFault(f"unknown verdict: {', '.join(_WINNERS)} are {shown(marks)}")
    verdict = _VERDICTS.get((str(marks[0]), str(marks[1]), str(marks[2])))
    if verdict is None:
        raise RowFault(f"unknown verdict: {', '.join(_WINNERS)} are {shown(marks)}, but one is 1 and two are 0")
    return verdict


def _conversation(prompt: object, answer_a: object, answer_b: object) -> Conversation | None:
    columns = [_texts(value) for value in (prompt, answer_a, answer_b)]
    longest = max(len(column) for column in columns)
    if not longest:
        return None
    return Conversation(*(column + ("",) * (longest - len(column)) for column in columns))


def _texts(value: object) -> tuple[str, ...]:
    found = parsed(value, what="a list of texts")
    if found is None:
        return ()
    if not isinstance(found, list):
        raise RowFault(f"{shown(value)} is no JSON list of texts")
    return tuple(text(item) for item in found)


def _record(vote: ForeignVote) -> Mapping[str, Any]:
    said = vote.conversation or Conversation((), (), ())
    tie = vote.verdict in {Verdict.TIE, Verdict.BOTH_BAD}
    return {
        "id": vote.id,
        "model_a": vote.model_a,
        "model_b": vote.model_b,
        "prompt": as_json(said.prompts),
        "response_a": as_json(said.answers_a),
        "response_b": as_json(said.answers_b),
        "winner_model_a": int(vote.verdict is Verdict.A),
        "winner_model_b": int(vote.verdict is Verdict.B),
        "winner_tie": int(tie),
    }


FORMAT = Format(
    title="LMArena human preference 55k",
    kinds=(Kind.CSV, Kind.PARQUET),
    columns={
        "id": "text",
        "model_a": "text",
        "model_b": "text",
        "prompt": "text",
        "response_a": "text",
        "response_b": "text",
        "winner_model_a": "whole",
        "winner_model_b": "whole",
        "winner_tie": "whole",
    },
    wants=frozenset({"id", "model_a", "model_b", *_WINNERS}),
    texts=frozenset({"prompt", "response_a", "response_b"}),
    carries=frozenset({"id", "conversation"}),
    loses="both bad becomes a tie; times, voters, languages, style figures; votes on named models come back as "
    "counting",
    recognise=_recognise,
    votes=_votes,
    record=_record,
)
