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
        ("UPDATE reply SET status = 'failed' WHERE battle = 'battle-3' AND side = 'b'", "about battle 'battle-3'"),
        ("DELETE FROM reply WHERE battle = 'battle-3' AND side = 'b'", "about battle 'battle-3'"),
        (
            """INSERT INTO reply (battle, turn, side, attempt, status, text, fingerprint, started_at)
            VALUES ('battle-9', 1, 'a', 2, 'stopped', '', '', '2026-11-22T12:00:00.000000+00:00')""",
            "about battle 'battle-9'",
        ),
        ("UPDATE vote SET voter = 'stranger' WHERE seq = 8", "Vote 8 is not of the voter"),
        ("UPDATE battle SET owner = NULL WHERE id = 'battle-8'", "Vote 8 is not of the voter"),
        ("UPDATE battle SET leaked = 1 WHERE id = 'battle-5'", "Vote 5 on battle 'battle-5' is counted or left out"),
        ("UPDATE battle SET kind = 'named' WHERE id = 'battle-5'", "Vote 5 on battle 'battle-5'"),
        ("UPDATE vote SET left_out = 'leaked' WHERE left_out = 'aa'", "tally"),
        (
            "UPDATE battle SET texts_removed_at = '2026-11-22T12:00:00.000000+00:00' WHERE id = 'battle-2'",
            "'battle-2' still has texts",
        ),
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


def test_a_packed_answer_where_texts_were_removed_is_named(played: Store, tamper: Callable[[str], None]) -> None:
    played.write.remove_texts(["battle-2"]).result(30)
    played.read.verify()
    tamper("UPDATE reply SET packed = x'00' WHERE battle = 'battle-2'")

    with pytest.raises(StoreCorrupt, match="'battle-2' still has texts"):
        played.read.verify()


def test_an_exclusion_without_a_reason_is_named(desk: Desk, store: Store) -> None:
    desk.vote()
    store.write.exclude_votes([1], reason=" ", actor="root").result(30)

    with pytest.raises(StoreCorrupt, match="Vote 1 was left out without a reason"):
        store.read.verify()


def test_two_votes_on_a_battle_are_named_where_the_constraint_is_gone(played: Store, database: Path) -> None:
    played.close()
    with sqlite3.connect(database) as connection:
        connection.executescript(
            """PRAGMA foreign_keys = OFF; CREATE TABLE votes AS SELECT * FROM vote; DROP TABLE vote;
            ALTER TABLE votes RENAME TO vote; UPDATE vote SET battle = 'battle-6' WHERE seq = 7;"""
        )
    connection.close()
    reader = Store.open_to_read(f"sqlite:///{database}")

    with pytest.raises(StoreCorrupt, match="Battle 'battle-6' has 2 votes"):
        reader.read.verify()

    reader.close()


def test_verifying_needs_no_writing_process(played: Store, url: str) -> None:
    reader = Store.open_to_read(url)

    assert reader.read.verify() == played.read.verify()
    reader.close()


def test_all_verdicts_verify(desk: Desk, store: Store) -> None:
    for verdict in Verdict:
        desk.vote(verdict)

    assert store.read.verify().counted == len(Verdict)
