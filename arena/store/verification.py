"""Recomputing everything that is derived, from the votes alone.

Which check covers which invariant; `rows` are the rules of `invariants`:

1. One vote per battle, none lost: numbers 1 to n without a gap, n is the board's; rows: each voted battle has one.
2. Ratings are a fold: every change, the ratings along the way, at checkpoints and now, bit for bit; their sum to 1e-6.
3. No byte tells who answers: nothing that is stored; tests/e2e/test_blindness.py.
4. Only fine answers are voted on; rows: the latest attempt of both sides in the last turn is fine.
5. What is left out stays, with its reason: every tally by reason, the audit log's chain; rows: A/A, named and leaked
   battles count for nothing, every exclusion says why.
6. An import changes no board: the arena's tallies and Elo come from its own votes, a file's tallies from the file's.
7. No keys: nothing that can be recognised in a database; tests/e2e/test_planted_keys.py.

And erased or aged texts are gone; rows: a battle without texts has none, a vote is its battle's owner's or nobody's.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, func, select

from arena.errors import StoreCorrupt
from arena.numerals import count, verb
from arena.store import audit
from arena.store.board import SOURCE, BoardState, TallyKey, fold, read_board, tally_key, votes_now
from arena.store.elo_settings import last_change, settings_when_cast
from arena.store.foreign_reading import first_difference
from arena.store.foreign_schema import ForeignVoteRow
from arena.store.invariants import check_invariants
from arena.store.rows import VerifyReport
from arena.store.schema import CheckpointRow, RatingRow, TallyRow, VoteEventRow
from arena.store.sources import live
from leaderboard.ratings import EloSettings, elo_change
from leaderboard.verdicts import score_a

SUM_TOLERANCE = 1e-6


def verify(connection: Connection) -> VerifyReport:
    """Compare what is stored with what the votes give, bit for bit.

    Raises:
        StoreCorrupt: names the first difference.
    """
    board = read_board(connection)
    stored = {row.model: row.elo for row in connection.execute(select(RatingRow.model, RatingRow.elo))}
    checkpoints = _checkpoints(connection)
    ratings = dict.fromkeys(stored, board.elo.start)
    tallies: Counter[TallyKey] = Counter()
    untouched, settings_of = _untouched(connection, board), settings_when_cast(connection, board)
    seq = 0
    for vote in fold(connection.execute(votes_now()), ratings, settings=board.elo):
        seq += 1
        _same(f"the number of the vote after vote {seq - 1}", stored=vote.seq, recomputed=seq)
        _check_vote(vote, ratings, settings=settings_of(vote.seq), in_place=vote.seq in untouched)
        tallies[tally_key(vote._mapping, left_out=vote.left_out)] += 1  # noqa: SLF001 - public API of Row
        if seq in checkpoints:
            _check_ratings(checkpoints[seq], ratings, what=f"at checkpoint {seq}")
    _same("the number of votes", stored=board.last_seq, recomputed=seq)
    _check_ratings(stored, ratings, what="now")
    _check_tallies(connection, tallies)
    check_invariants(connection)
    audit.check(connection)
    sources = _check_sources(connection)
    _check_sum(stored, start=board.elo.start)
    return VerifyReport(
        votes=seq,
        counted=sum(n for key, n in tallies.items() if not key.left_out),
        models=len(stored),
        tallies=len(tallies),
        checkpoints=len(checkpoints),
        elo_sum=sum(stored.values()),
        sources=sources,
    )


def _checkpoints(connection: Connection) -> dict[int, dict[str, float]]:
    checkpoints: dict[int, dict[str, float]] = {}
    for row in connection.execute(select(CheckpointRow.seq, CheckpointRow.model, CheckpointRow.elo)):
        checkpoints.setdefault(row.seq, {})[row.model] = row.elo
    return checkpoints


def _untouched(connection: Connection, board: BoardState) -> range:
    """Votes whose ratings when cast are those of the fold as it is now: cast after the last event or new settings."""
    last_event = max(connection.scalar(select(func.max(VoteEventRow.after_seq))) or 0, last_change(connection))
    return range(last_event + 1, board.last_seq + 1)


def _check_vote(vote: Row[Any], ratings: Mapping[str, float], *, settings: EloSettings, in_place: bool) -> None:
    """A vote's own change follows from its own ratings; where nothing was re-folded since, those are the board's."""
    if vote.change is None:
        return
    change = elo_change(vote.elo_a, vote.elo_b, score_a(vote.verdict), settings=settings)
    _same(f"the change of vote {vote.seq}", stored=vote.change, recomputed=change)
    if in_place and vote.left_out is None:
        _same(
            f"Elo of {vote.seat_a!r} after vote {vote.seq}", stored=vote.elo_a + change, recomputed=ratings[vote.seat_a]
        )
        _same(
            f"Elo of {vote.seat_b!r} after vote {vote.seq}", stored=vote.elo_b - change, recomputed=ratings[vote.seat_b]
        )


def _check_ratings(stored: Mapping[str, float], ratings: Mapping[str, float], *, what: str) -> None:
    for name in sorted(stored):
        _same(f"Elo of {name!r} {what}", stored=stored[name], recomputed=ratings.get(name))


def _check_tallies(connection: Connection, recounted: Counter[TallyKey]) -> None:
    rows = connection.execute(select(TallyRow).where(TallyRow.n > 0, TallyRow.source == SOURCE))
    stored = {TallyKey(**{name: getattr(row, name) for name in TallyKey._fields}): row.n for row in rows}
    for key in sorted({*stored, *recounted}):
        _same(f"the tally {tuple(key)}", stored=stored.get(key, 0), recomputed=recounted[key])


def _check_sources(connection: Connection) -> int:
    """Each imported file has as many votes as it says, and its tallies are those of its votes; how many files."""
    found = live(connection)
    for source in found:
        if not source.tallies_only:
            votes = select(func.count()).where(ForeignVoteRow.source == source.id)
            _same(f"the votes of {source.name!r}", stored=source.votes, recomputed=connection.scalar(votes))
            wrong = first_difference(connection, source)
            if wrong is not None:
                _same(f"the tally {wrong.key} of {source.name!r}", stored=wrong.stored, recomputed=wrong.given)
        total = connection.scalar(select(func.sum(TallyRow.n)).where(TallyRow.source == source.name)) or 0
        _same(f"the sum of the tallies of {source.name!r}", stored=total, recomputed=source.votes)
    return len(found)


def _check_sum(stored: Mapping[str, float], *, start: float) -> None:
    total, expected = sum(stored.values()), len(stored) * start
    if abs(total - expected) > SUM_TOLERANCE:
        make = verb(len(stored), "makes", "make")
        raise StoreCorrupt(
            f"The sum of all Elo ratings is {total!r}, but {count(len(stored), 'model')} {make} {expected!r}."
        )


def _same(what: str, *, stored: object, recomputed: object) -> None:
    if stored != recomputed:
        raise StoreCorrupt(
            f"The database holds {stored!r} for {what}, but its votes give {recomputed!r}: "
            "restore a backup, or ask who changed the file."
        )
