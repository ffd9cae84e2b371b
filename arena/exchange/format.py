"""What every vote format is: how it is recognised, what its columns mean, and how a vote is written in it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from typing import Any

from arena.exchange.containers import Kind
from arena.exchange.fields import require_pairs
from arena.exchange.tables import Chunk, Sample
from arena.foreign import NO_STYLE, Conversation, ForeignTally, ForeignVote, StyleFigures
from leaderboard.verdicts import Verdict

NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One line of the `FORMATS` table.

    Args:
        title: what people call it.
        kinds: how its files are written; the first is what `write_votes` takes for a name without a known ending.
        columns: what a written row has, in order, with the shapes of `parquet.write`.
        wants: the columns that are read, without `texts`.
        texts: the columns that hold prompts and answers, read on demand.
        carries: the fields of `ForeignVote`, beside models and verdict, that survive writing and reading.
        loses: what does not survive, in words for the manual.
        recognise: whether a file is of this format; asked in the order of the table.
        votes: the votes of a chunk, in order; None in the list for a row that compares nothing. Raises `RowFault`
            when any row is no vote. None for a format that holds only counts.
        tallies: the same for a format that holds only counts.
        record: a vote as a row; None for a format that holds only counts.
    """

    title: str
    kinds: tuple[Kind, ...]
    columns: Mapping[str, Any]
    wants: frozenset[str]
    texts: frozenset[str] = NOTHING
    carries: frozenset[str]
    loses: str
    recognise: Callable[[Sample], bool]
    votes: Callable[[Chunk], Sequence[ForeignVote | None]] | None = None
    tallies: Callable[[Chunk], Sequence[ForeignTally]] | None = None
    record: Callable[[ForeignVote], Mapping[str, Any]] | None = None

    @property
    def tallies_only(self) -> bool:
        """Whether its files hold counts and no votes."""
        return self.votes is None


def combined(
    chunk: Chunk,
    *,
    models_a: Sequence[str],
    models_b: Sequence[str],
    verdicts: Sequence[Verdict],
    cast_at: Iterable[datetime | None] = repeat(None),
    voters: Iterable[str | None] = repeat(None),
    ids: Iterable[str | None] = repeat(None),
    languages: Iterable[str | None] = repeat(None),
    left_out: Iterable[str | None] = repeat(None),
    turns: Iterable[int | None] = repeat(None),
    conversations: Iterable[Conversation | None] = repeat(None),
    styles_a: Iterable[StyleFigures] = repeat(NO_STYLE),
    styles_b: Iterable[StyleFigures] = repeat(NO_STYLE),
) -> list[ForeignVote]:
    """Votes out of checked columns; what a format does not know stays unknown."""
    require_pairs(models_a, models_b)
    fields = (models_a, models_b, verdicts, cast_at, voters, ids, languages)
    more = (left_out, turns, conversations, styles_a, styles_b)
    rows = zip(chunk.lines, *fields, *more, strict=False)
    # The constructor of a named tuple is a Python function; this is its body, at a quarter of the time.
    return list(map(tuple.__new__, repeat(ForeignVote), rows))


def columns_of(sample: Sample, *names: str) -> bool:
    """Whether a file has all of these columns."""
    return sample.columns.issuperset(names)
