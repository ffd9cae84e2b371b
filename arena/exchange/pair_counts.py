"""Counts per pair instead of votes: a source of tallies only, without order and hence without Elo."""

from arena.exchange.containers import Kind
from arena.exchange.fields import Memo, each, model_name, require_pairs, whole
from arena.exchange.format import Format, columns_of
from arena.exchange.tables import Chunk, Sample
from arena.foreign import ForeignTally
from leaderboard.verdicts import Verdict

_VERDICTS = {"a_wins": Verdict.A, "b_wins": Verdict.B, "ties": Verdict.TIE, "both_bad": Verdict.BOTH_BAD}
COLUMN = {verdict: column for column, verdict in _VERDICTS.items()}


def _recognise(sample: Sample) -> bool:
    return columns_of(sample, "model_a", "model_b", *_VERDICTS)


def _tallies(chunk: Chunk) -> list[ForeignTally]:
    names = Memo(model_name)
    models_a, models_b = each(names, chunk["model_a"]), each(names, chunk["model_b"])
    require_pairs(models_a, models_b)
    counts = zip(*(map(whole, chunk[column]) for column in _VERDICTS), strict=True)
    return [
        ForeignTally(line, a, b, verdict, n)
        for line, a, b, row in zip(chunk.lines, models_a, models_b, counts, strict=True)
        for verdict, n in zip(_VERDICTS.values(), row, strict=True)
    ]


FORMAT = Format(
    title="pair counts",
    kinds=(Kind.CSV, Kind.TSV, Kind.JSON_LINES, Kind.PARQUET),
    columns={"model_a": "text", "model_b": "text", **dict.fromkeys(_VERDICTS, "whole")},
    wants=frozenset({"model_a", "model_b", *_VERDICTS}),
    carries=frozenset(),
    loses="everything but the numbers: order, seats, times, voters, texts; votes that are left out are not counted",
    recognise=_recognise,
    tallies=_tallies,
)
