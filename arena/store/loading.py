"""From values to rows: the half of an import that runs in the importer's own thread."""

import json
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, Self

from arena.errors import StoreError
from arena.foreign import NO_STYLE, ForeignTally, ForeignVote
from arena.language import UNDETERMINED
from arena.store.board import COUNTED
from arena.store.foreign_schema import EPOCH, MICROSECOND, US_PER_DAY, day_text
from arena.store.rows import ForeignChunk, NewSource, Source
from arena.store.writer import Writer
from arena.strata import NO_STRATUM, Stratum, classify
from leaderboard.verdicts import Verdict

log = logging.getLogger(__name__)

# Some 20 ms of the writer's time: voters on a running arena hardly feel it.
CHUNK = 4_000
# Tallies are summed in memory up to so many cells (some 50 MB), then added to the table.
CELLS = 200_000
_STRATUM = tuple(Stratum.__slots__)


# What the votes of one tally share: the day since 1970, the stratum, why left out, models by number, the verdict.
_Cell = tuple[int | None, tuple[Any, ...], str | None, int, int, str]
# The values of an enum's members are looked up a million times: a dictionary is five times as fast as `.value`.
_WORDS = {verdict: verdict.value for verdict in Verdict}


class SourceLoad:
    """An import on its way, as a context: what is not published when the context ends is removed again.

    `add` and `add_tallies` return when their chunks are stored. Preparing one while another is stored gains nothing:
    the two threads would only take turns at the interpreter's lock.
    """

    def __init__(self, writer: Writer, new: NewSource) -> None:
        self._writer = writer
        self._new = new
        self._keys: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._waiting: list[ForeignVote] = []
        self._cells: Counter[_Cell] = Counter()
        self._votes = 0
        self._published = False

    def __enter__(self) -> Self:
        """Begin; remnants of imports that were killed are removed first.

        Raises:
            ImportRefused: the name is taken, or this very file was imported before.
        """
        self._writer.discard_unfinished_sources().result()
        self._id = self._writer.begin_source(self._new).result()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if not self._published:
            try:
                self._writer.discard_source(self._id).result()
            except StoreError:  # the next import removes it; until then nobody sees it
                log.warning("an import that failed is still to be removed", extra={"source": self._new.name})

    def add(self, votes: Sequence[ForeignVote]) -> None:
        """Load votes, which come after all that were added before."""
        self._waiting += votes
        while len(self._waiting) >= CHUNK:
            self._load(self._waiting[:CHUNK])
            del self._waiting[:CHUNK]

    def add_tallies(self, tallies: Iterable[ForeignTally]) -> None:
        """Load counts, of a source that has no votes."""
        counted = [tally for tally in tallies if tally.n]
        self._number(name for tally in counted for name in (tally.model_a, tally.model_b))
        for tally in counted:
            seats = self._keys[tally.model_a], self._keys[tally.model_b]
            self._cells[None, _stratum_key(NO_STRATUM), None, *seats, _WORDS[tally.verdict]] += tally.n
            self._votes += tally.n
        self._load_tallies(keep=CELLS)

    def publish(self, *, actor: str) -> Source:
        """Make everything visible at one stroke."""
        self._load(self._waiting)
        self._load_tallies(keep=0)
        source = self._writer.publish_source(self._id, votes=self._votes, actor=actor).result()
        self._published = True
        return source

    def _load(self, votes: Sequence[ForeignVote]) -> None:
        self._number(name for vote in votes for name in (vote.model_a, vote.model_b))
        keys, source = self._keys, self._id
        rows: list[tuple[Any, ...]] = []
        cells: list[_Cell] = []
        for position, vote in enumerate(votes, start=self._votes):
            a, b, verdict = keys[vote.model_a], keys[vote.model_b], _WORDS[vote.verdict]
            at_us = None if vote.cast_at is None else (vote.cast_at - EPOCH) // MICROSECOND
            stratum = _stratum_of(vote)
            left_out = vote.left_out
            rows.append((source, position, a, b, verdict, at_us, vote.voter, vote.id, left_out, *stratum))
            cells.append((None if at_us is None else at_us // US_PER_DAY, stratum, left_out, a, b, verdict))
        self._cells.update(cells)
        numbered = list(enumerate(votes, start=self._votes))
        texts = [(source, at, *map(json.dumps, vote.conversation)) for at, vote in numbered if vote.conversation]
        styles = [
            (source, at, *vote.style_a, *vote.style_b)
            for at, vote in numbered
            if vote.style_a != NO_STYLE or vote.style_b != NO_STYLE
        ]
        self._votes += len(votes)
        self._send(ForeignChunk(votes=rows, texts=texts, styles=styles))
        self._load_tallies(keep=CELLS)

    def _load_tallies(self, *, keep: int) -> None:
        if len(self._cells) <= keep:
            return
        # In the order of the table's key, which is how a tree is filled fastest.
        rows = sorted(self._tally(cell, n) for cell, n in self._cells.items())
        self._cells.clear()
        for start in range(0, len(rows), CHUNK):
            self._send(ForeignChunk(tallies=rows[start : start + CHUNK]))

    def _tally(self, cell: _Cell, n: int) -> tuple[Any, ...]:
        day, stratum, left_out, a, b, verdict = cell
        seats = self._names[a], self._names[b]
        return (self._new.name, day_text(day), *stratum, left_out or COUNTED, *seats, verdict, n)

    def _number(self, names: Iterable[str]) -> None:
        if new := set(names) - self._keys.keys():
            self._keys.update(self._writer.name_foreign_models(new).result())
            self._names = {key: name for name, key in self._keys.items()}

    def _send(self, chunk: ForeignChunk) -> None:
        self._writer.load_foreign(self._id, chunk).result()


def _stratum_of(vote: ForeignVote) -> tuple[Any, ...]:
    """The categories as stored; without the texts only the number of turns tells.

    A language that the file does not state is told afterwards: that takes as long as all the rest of the loading.
    """
    said = vote.conversation
    if said is None:
        return (int((vote.turns or 1) > 1), 0, 0, 0, vote.language or UNDETERMINED)
    return _stratum_key(
        classify(said.prompts, (*said.answers_a, *said.answers_b), language=vote.language or UNDETERMINED)
    )


def _stratum_key(stratum: Stratum) -> tuple[Any, ...]:
    *flags, language = (getattr(stratum, name) for name in _STRATUM)
    return (*map(int, flags), language)
