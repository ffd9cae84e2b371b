"""Votes of other arenas as values: what a file of a public format says, before and after it is in the database."""

from datetime import datetime
from typing import NamedTuple

from arena.domain import LeftOut
from leaderboard.verdicts import Verdict

# Votes of a battle whose models were not hidden are kept, but count nowhere.
NAMED = LeftOut.NAMED.value


class Conversation(NamedTuple):
    """What was said: per turn one prompt and one answer of each side; the three are equally long."""

    prompts: tuple[str, ...]
    answers_a: tuple[str, ...]
    answers_b: tuple[str, ...]


class StyleFigures(NamedTuple):
    """What a file counted in all answers of one side; None for what it did not count."""

    tokens: int | None = None
    headings: int | None = None
    lists: int | None = None
    bold: int | None = None


NO_STYLE = StyleFigures()


class ForeignVote(NamedTuple):
    """One vote of a file; a tuple, because millions are made.

    Args:
        line: where in the file it stands, from 1: the line of text, or the row of a Parquet file.
        model_a: the model on side A, as the file names it; never the one on side B.
        cast_at: in UTC, None when the file does not say.
        voter: opaque, exactly as in the file.
        id: the vote's own id in the file, of which a file has no two alike.
        language: ISO 639-1 code of the prompts, None when unknown.
        left_out: why the vote does not count, None when it does.
        turns: how many prompts it judged, None when the file does not say.
    """

    line: int
    model_a: str
    model_b: str
    verdict: Verdict
    cast_at: datetime | None = None
    voter: str | None = None
    id: str | None = None
    language: str | None = None
    left_out: str | None = None
    turns: int | None = None
    conversation: Conversation | None = None
    style_a: StyleFigures = NO_STYLE
    style_b: StyleFigures = NO_STYLE


class ForeignTally(NamedTuple):
    """`n` votes of a file that holds only counts; `line` as in `ForeignVote`."""

    line: int
    model_a: str
    model_b: str
    verdict: Verdict
    n: int


class RejectedRow(NamedTuple):
    """A row that cannot be a vote; `raw` is what stands in the file, as far as it can be shown."""

    line: int
    reason: str
    raw: str
