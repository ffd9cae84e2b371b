"""LMArena's 100k set: clean battles with counted style, without the judge's name.

Fields: Hugging Face, lmarena-ai/arena-human-preference-100k.
"""

from collections.abc import Mapping
from typing import Any

from arena.exchange import clean_battle
from arena.exchange.containers import Kind
from arena.exchange.conversations import METADATA, metadata_of, style_of
from arena.exchange.fields import opaque
from arena.exchange.format import Format, columns_of
from arena.exchange.tables import Chunk, Sample
from arena.foreign import ForeignVote


def _recognise(sample: Sample) -> bool:
    return columns_of(sample, "model_a", "model_b", "winner") and bool(sample.columns & {"judge_hash", "dedup_tag"})


def _votes(chunk: Chunk) -> list[ForeignVote]:
    rows = zip(clean_battle.votes(chunk), chunk["judge_hash"], chunk["conv_metadata"], strict=True)
    return [
        vote._replace(
            voter=opaque(judge),
            style_a=style_of(metadata, "a", otherwise=vote.style_a.tokens),
            style_b=style_of(metadata, "b", otherwise=vote.style_b.tokens),
        )
        for vote, judge, metadata in rows
    ]


def _record(vote: ForeignVote) -> Mapping[str, Any]:
    row = {**clean_battle.record(vote), "judge_hash": vote.voter, "conv_metadata": metadata_of(vote)}
    row.pop("judge")
    return row


_COLUMNS = {name: shape for name, shape in clean_battle.FORMAT.columns.items() if name != "judge"}

FORMAT = Format(
    title="LMArena human preference 100k",
    kinds=(Kind.JSON_LINES, Kind.PARQUET, Kind.JSON),
    columns={**_COLUMNS, "judge_hash": "text", "conv_metadata": METADATA},
    wants=(clean_battle.FORMAT.wants - {"judge"}) | {"judge_hash", "conv_metadata"},
    texts=clean_battle.FORMAT.texts,
    carries=clean_battle.FORMAT.carries | {"style_a", "style_b"},
    loses="system prompts; which kind of heading, list or bold was counted; languages outside the common 45",
    recognise=_recognise,
    votes=_votes,
    record=_record,
)
