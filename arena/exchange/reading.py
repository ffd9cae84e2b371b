"""Reading a file of votes: every row is checked, and what is wrong with one is said with its line."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from arena.errors import ImportRefused
from arena.exchange.containers import Layout
from arena.exchange.fields import RowFault, shown
from arena.exchange.formats import format_named, recognised
from arena.exchange.tables import Chunk, Reject, TableReader
from arena.foreign import ForeignTally, ForeignVote, RejectedRow
from leaderboard.verdicts import Verdict

RowT = TypeVar("RowT", ForeignVote, ForeignTally)


class VoteFile:
    """A file of votes, or of counts, that can be read as often as one likes.

    `format_name` is a key of `FORMATS`. While `votes` or `tallies` run, `fraction` says how far they are (0 to 1) and
    `passed_over` how many rows compared nothing (a thumb for a lone answer); they are neither votes nor faults.
    """

    def __init__(self, path: Path, *, format_name: str) -> None:
        self.path = path
        self.format_name = format_name
        self.format = format_named(format_name)
        self.passed_over = 0
        self.fraction = 0.0

    @classmethod
    def open(cls, path: Path, *, format_name: str | None = None) -> Self:
        """Look at a file; without `format_name` its format is recognised by its content.

        Raises:
            ImportRefused: it cannot be read, or is in no known format.
        """
        return cls(path, format_name=format_name or recognised(path))

    def sha256(self) -> str:
        """The sum over the file's bytes (hex), by which it is recognised when it comes again."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def votes(self, *, reject: Reject | None = None, texts: bool = True) -> Iterator[Sequence[ForeignVote]]:
        """The votes in file order, a few thousand at a time, so that memory does not grow with the file.

        Args:
            reject: takes the rows that cannot be votes, in order; without it the first of them ends the reading.
            texts: whether to read prompts and answers.

        Raises:
            ImportRefused: the first bad row, with its line and reason; or the file is damaged as a whole.
        """
        parse = self.format.votes
        if parse is None:
            raise ImportRefused(f"{self.path.name} holds counts, not votes.")
        reject = reject or self._refuse
        seen = _SeenIds()
        for rows in self._parsed(parse, reject, texts=texts):
            votes = [vote for vote in rows if vote is not None]
            self.passed_over += len(rows) - len(votes)
            yield _without_doubles(votes, seen, reject)

    def tallies(self, *, reject: Reject | None = None) -> Iterator[Sequence[ForeignTally]]:
        """The counts of a file that holds only those; a pair in the same seats stands once.

        Raises:
            ImportRefused: as for `votes`.
        """
        parse = self.format.tallies
        if parse is None:
            raise ImportRefused(f"{self.path.name} holds votes, not counts.")
        reject = reject or self._refuse
        pairs: dict[tuple[str, str], int] = {}
        for rows in self._parsed(parse, reject, texts=False):
            yield [row for row in rows if row is not None and not _is_double_pair(row, pairs, reject)]

    def _parsed(
        self, parse: Callable[[Chunk], Sequence[RowT | None]], reject: Reject, *, texts: bool
    ) -> Iterator[Sequence[RowT | None]]:
        self.passed_over, self.fraction = 0, 0.0
        wanted = self.format.wants | (self.format.texts if texts else frozenset())
        with TableReader(self.path, Layout.of(self.path), wanted=wanted) as table:
            for chunk in table.chunks(reject):
                rows = _checked(parse, chunk, reject)
                self.fraction = table.fraction
                yield rows
        self.fraction = 1.0

    def _refuse(self, row: RejectedRow) -> None:
        raise ImportRefused(f"{self.path.name}, line {row.line}: {row.reason}. Nothing was imported.")


def _checked(parse: Callable[[Chunk], Sequence[RowT | None]], chunk: Chunk, reject: Reject) -> Sequence[RowT | None]:
    """Parse whole columns; when a row is bad, halve until it stands alone, so that good files pay nothing for this."""
    try:
        return parse(chunk)
    except RowFault as fault:
        if len(chunk) == 1:
            reject(RejectedRow(chunk.lines[0], str(fault), chunk.raw(0)))
            return ()
    middle = len(chunk) // 2
    halves = (chunk.rows(0, middle), chunk.rows(middle, len(chunk)))
    return [row for half in halves for row in _checked(parse, half, reject)]


class _SeenIds:
    """The ids so far as sorted 64-bit hashes, 8 bytes each instead of 100: of 5 million different ids two share a hash
    once in a million files, and that file is refused by mistake.
    """

    def __init__(self) -> None:
        self._runs: list[NDArray[np.int64]] = []

    def first_double(self, ids: Sequence[str]) -> str | None:
        """An id that was there before, among those or among these; None when all are new and now remembered."""
        hashes = np.fromiter(map(hash, ids), np.int64, len(ids))
        run = np.sort(hashes)
        doubles = set(run[1:][run[1:] == run[:-1]].tolist())
        for known in self._runs:
            places = np.minimum(np.searchsorted(known, run), known.size - 1)
            doubles.update(run[known[places] == run].tolist())
        if doubles:
            return next(id_ for id_ in ids if hash(id_) in doubles)
        self._add(run)
        return None

    def _add(self, run: NDArray[np.int64]) -> None:
        """Runs at least halve in length, so that there are few of them."""
        while self._runs and self._runs[-1].size <= 2 * run.size:
            run = np.sort(np.concatenate([self._runs.pop(), run]), kind="stable")
        if run.size:
            self._runs.append(run)


def _without_doubles(votes: Sequence[ForeignVote], seen: _SeenIds, reject: Reject) -> Sequence[ForeignVote]:
    ids = [vote.id for vote in votes if vote.id is not None]
    if seen.first_double(ids) is None:
        return votes
    kept = []
    for vote in votes:
        if vote.id is not None and seen.first_double([vote.id]) is not None:
            reject(RejectedRow(vote.line, f"the id {shown(vote.id)} stands twice", str(vote[1:7])))
        else:
            kept.append(vote)
    return kept


def _is_double_pair(row: ForeignTally, pairs: dict[tuple[str, str], int], reject: Reject) -> bool:
    first = pairs.setdefault((row.model_a, row.model_b), row.line)
    if first == row.line:
        return False
    if row.verdict is Verdict.A:  # one of the row's four counts speaks for all
        reason = f"the pair {shown(row.model_a)} and {shown(row.model_b)} stands twice (first in line {first})"
        reject(RejectedRow(row.line, reason, ""))
    return True
