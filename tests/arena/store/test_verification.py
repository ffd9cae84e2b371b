import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from arena.domain import BattleKind, Seats
from arena.errors import StoreCorrupt
from arena.store import Store
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import Clock, Desk


@pytest.fixture
def played(desk: Desk, store: Store, clock: Clock) -> Store:
    """Forty votes over two days with an exclusion among them."""
    desk.votes(15)
    clock.advance(days=1)
    desk.votes(15)
    store.write.exclude_votes([4], reason="farm", actor="root").result(30)
    desk.votes(9)
    desk.vote(kind=BattleKind.AA, seats=Seats("ant", "ant"))
    return store


@pytest.fixture
def tamper(database: Path) -> Callable[[str], None]:
    def run(statement: str) -> None:
        with sqlite3.connect(database) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            assert connection.execute(statement).rowcount > 0, statement
        connection.close()

    return run


def test_a_board_that_was_only_voted_on_passes(played: Store) -> None:
    report = played.read.verify()

    assert (report.votes, report.counted, report.models, report.checkpoints) == (40, 38, 4, 1)
    assert report.tallies > 0
    assert report.elo_sum == pytest.approx(4000, abs=1e-6)


def test_an_empty_board_passes(store: Store) -> None:
    assert store.read.verify().votes == 0


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE rating SET elo = elo + 1e-9 WHERE model = 'bee'", "Elo of 'bee' now"),
        ("UPDATE rating SET elo = elo + 1", "Elo of 'ant' now"),
        ("DELETE FROM rating WHERE model = 'ant'", "sum of all Elo ratings"),
        ("UPDATE tally SET n = n + 1 WHERE rowid = (SELECT min(rowid) FROM tally)", "tally"),
        ("DELETE FROM tally WHERE rowid = (SELECT max(rowid) FROM tally)", "tally"),
        ("UPDATE tally SET left_out = 'whim' WHERE left_out = 'farm'", "tally"),
        ("UPDATE elo_checkpoint SET elo = elo + 1e-9 WHERE model = 'cat'", "Elo of 'cat' at checkpoint 15"),
        ("UPDATE vote SET verdict = CASE verdict WHEN 'a' THEN 'b' ELSE 'a' END WHERE seq = 7", "change of vote 7"),
        ("UPDATE vote SET change = change / 2 WHERE seq = 7", "change of vote 7"),
        (
            """UPDATE vote SET elo_a = 1000, elo_b = 1000,
            change = CASE verdict WHEN 'a' THEN 16 WHEN 'b' THEN -16 ELSE 0 END WHERE seq = 35""",
            "after vote 35",
        ),
        ("UPDATE vote SET cast_at = '2020-01-01T00:00:00.000000+00:00' WHERE seq = 7", "tally"),
        ("UPDATE vote SET seat_a = seat_b, seat_b = seat_a WHERE seq = 7", "database holds"),
        ("DELETE FROM vote WHERE seq = 7", "vote after vote 6"),
        ("DELETE FROM vote WHERE seq = 40", "number of votes"),
        ("DELETE FROM vote_event", "checkpoint"),
        ("UPDATE vote_event SET reason = 'whim'", "tally"),
        ("UPDATE board_state SET last_seq = 41", "number of votes"),
        ("UPDATE board_state SET k = 16", "change of vote"),
        ("UPDATE battle SET state = 'ready' WHERE id = 'battle-3'", "'battle-3'"),
        ("UPDATE vote SET battle = 'nothing' WHERE seq = 7", "battle-7"),
        ("UPDATE audit SET actor = 'nobody'", "audit entry 1"),
        ("UPDATE audit SET digest = 'other'", "audit entry 1"),
    ],
)
def test_a_tampered_row_is_found_and_named(
    played: Store, tamper: Callable[[str], None], statement: str, named: str
) -> None:
    tamper(statement)

    with pytest.raises(StoreCorrupt) as caught:
        played.read.verify()

    assert named in str(caught.value)


def test_verifying_needs_no_writing_process(played: Store, url: str) -> None:
    reader = Store.open_to_read(url)

    assert reader.read.verify() == played.read.verify()
    reader.close()


def test_all_verdicts_verify(desk: Desk, store: Store) -> None:
    for verdict in Verdict:
        desk.vote(verdict)

    assert store.read.verify().counted == len(Verdict)
