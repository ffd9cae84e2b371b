from datetime import datetime
from traceback import format_exception

import pytest
from sqlalchemy import Connection, insert
from sqlalchemy.exc import IntegrityError

from arena.domain import Seats
from arena.errors import StoreError
from arena.store import Store
from arena.store.queue import Job
from arena.store.schema import TurnRow
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import Desk

NOT_NOW = {
    "sqlite": "SELECT * FROM missing",
    "postgresql": "DO $$ BEGIN RAISE serialization_failure; END $$",
}


@pytest.mark.usefixtures("desk")
def test_a_write_is_tried_again_while_the_engine_cannot(store: Store, engine_name: str) -> None:
    calls: list[None] = []

    def fail_twice(connection: Connection, _now: datetime) -> int:
        calls.append(None)
        connection.exec_driver_sql(NOT_NOW[engine_name] if len(calls) < 3 else "UPDATE board_state SET version = 77")
        return len(calls)

    assert store.write._queue.submit(Job(run=fail_twice)).result(30) == 3
    assert store.read.board_version() == 77


def test_what_can_never_be_written_fails_alone_and_says_so(
    desk: Desk, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    ready = desk.ready()
    with desk.writer_held():
        doomed = store.write._queue.submit(Job(run=lambda connection, _: connection.exec_driver_sql("SELECT nonsense")))
        vote = store.write.cast_vote(ready, "voter", Verdict.A)

    with pytest.raises(StoreError, match="try again"):
        doomed.result(30)
    assert vote.result(30).seq == 1
    assert "a write failed" in caplog.text


@pytest.mark.sqlite_only
def test_a_full_disk_loses_no_acknowledged_vote(desk: Desk, store: Store) -> None:
    desk.vote(seats=Seats("ant", "bee"))
    ready = desk.ready()
    with store._engines[1].connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    big = store.write._queue.submit(
        Job(run=lambda connection, _: connection.exec_driver_sql("UPDATE turn SET prompt = hex(zeroblob(500000))"))
    )
    refused = big.exception(30)
    with store._engines[1].connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    vote = store.write.cast_vote(ready, "voter", Verdict.A).result(30)

    assert isinstance(refused, StoreError)
    assert "full" in str(refused.__cause__)
    assert vote.seq == 2
    assert store.read.verify().votes == 2


def test_an_error_carries_no_text_of_a_prompt(desk: Desk, store: Store) -> None:
    def insert_double(connection: Connection, now: datetime) -> None:
        row = {"battle": battle_id, "ordinal": 1, "prompt": secret, "created_at": now}
        connection.execute(insert(TurnRow), row)

    battle_id = desk.open()
    secret = "my " + "secret" + " prompt"

    error = store.write._queue.submit(Job(run=insert_double)).exception(30)

    assert isinstance(error, StoreError)
    assert isinstance(error.__cause__, IntegrityError)
    assert secret not in "".join(format_exception(error))


def test_a_write_that_was_cancelled_in_time_is_not_done(desk: Desk, store: Store) -> None:
    ready = desk.ready()
    with desk.writer_held():
        vote = store.write.cast_vote(ready, "voter", Verdict.A)
        assert vote.cancel()

    assert desk.vote().seq == 1
    assert len(store.read.votes()) == 1


def test_more_than_a_batch_is_written_in_order(desk: Desk, store: Store) -> None:
    battles = desk.many_ready(300)
    with desk.writer_held():
        waiting = [store.write.cast_vote(battle_id, "voter", Verdict.A) for battle_id in battles]

    assert [future.result(30).seq for future in waiting] == list(range(1, 301))
