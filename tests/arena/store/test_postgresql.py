"""What only a server can do: refuse, go away, come back, serve several replicas."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from traceback import format_exception

import psycopg
import pytest
from postgresql_server import PostgresServer
from sqlalchemy import Connection, event, insert, make_url

from arena.domain import Seats
from arena.errors import ImportRefused, StoreError
from arena.foreign import ForeignVote
from arena.store import NewSource, SourceLoad, Store
from arena.store.engine import database_of
from arena.store.postgresql import PostgresDatabase
from arena.store.queue import Job
from arena.store.schema import TurnRow, table_of
from arena.store.sources import LOADING_LEASE
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import DEADLINE_SECONDS, Clock, Desk, spec
from tests.conftest import MakeDatabase

pytestmark = pytest.mark.postgresql_only
ROOT = Path(__file__).parents[3]
ANT_BEE = Seats("ant", "bee")
VOTES = [ForeignVote(1, "ant", "bee", Verdict.A)] * 5_000


@pytest.fixture
def make_replica(url: str, clock: Clock) -> Iterator[Callable[[], Store]]:
    """Stores of their own on one database, as further processes have them."""
    made: list[Store] = []

    def make() -> Store:
        made.append(Store.open(url, clock=clock))
        return made[-1]

    yield make
    for store in made:
        store.close()


# Opening


def test_a_database_that_is_not_there_is_named_with_the_remedy(postgres: PostgresServer) -> None:
    for opening in (Store.open, Store.open_to_read):
        with pytest.raises(StoreError, match=r"There is no database 'nowhere' on .*: make it with `createdb"):
            opening(postgres.url("nowhere"))


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(StoreError, match=r"does not answer \(arena on 127\.0\.0\.1:1: Connection refused\)"):
        Store.open("postgresql://me:hunter2@127.0.0.1:1/arena")


def test_a_wrong_password_is_said_and_not_shown(postgres: PostgresServer) -> None:
    postgres.run("DROP ROLE IF EXISTS locked")
    postgres.run("CREATE ROLE locked LOGIN PASSWORD 'open sesame'")

    with pytest.raises(StoreError, match="refuses the password of 'locked'") as caught:
        Store.open(postgres.url("postgres", user="locked", password="hunter" + "2"))

    assert "hunter2" not in "".join(format_exception(caught.value))


def test_a_password_is_in_no_representation() -> None:
    database = database_of("postgresql://me:hunter2@localhost:5433/arena")
    engine = database.reading_engine()

    assert "hunter2" not in f"{database!r} {database.name} {engine!r}"
    assert database.name == "arena on localhost:5433"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql+psycopg2://me:hunter2@localhost/arena", r"write postgresql\+psycopg://"),
        ("postgresql://me:hunter2@localhost", "names no database"),
    ],
)
def test_a_url_that_names_no_database_of_psycopg_is_refused(url: str, said: str) -> None:
    with pytest.raises(StoreError, match=said) as caught:
        Store.open(url)

    assert "hunter2" not in str(caught.value)


def test_the_short_forms_of_the_url_mean_the_same() -> None:
    names = {database_of(f"{scheme}://me@host/arena") for scheme in ("postgres", "postgresql", "postgresql+psycopg")}

    assert len(names) == 1


def test_a_database_of_another_encoding_is_refused(postgres: PostgresServer) -> None:
    name = postgres.create(options="ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C'")

    with pytest.raises(StoreError, match=r"stores texts as LATIN1: make one with .*--encoding UTF8"):
        Store.open(postgres.url(name))

    postgres.drop(name)


@pytest.mark.parametrize(
    ("version", "said"),
    [
        (90_624, "PostgreSQL 9: the arena needs 15"),
        (140_023, "PostgreSQL 14: the arena needs 15"),
        (150_000, None),
        (180_001, None),
    ],
)
def test_a_server_before_15_is_refused_by_its_number(version: int, said: str | None) -> None:
    database = PostgresDatabase.at(make_url("postgresql://me:hunter2@db.example.com:5433/arena"))

    refusal = database.refusal(version=version, encoding="UTF8")

    assert (refusal is None) == (said is None)
    assert refusal is None or refusal == f"db.example.com:5433 is {said} or newer. Upgrade it."


def test_a_user_who_may_make_no_tables_is_told_the_remedy(postgres: PostgresServer) -> None:
    name = postgres.create()
    postgres.run("DROP ROLE IF EXISTS guest")
    postgres.run("CREATE ROLE guest LOGIN")

    with pytest.raises(StoreError, match=r"may make no tables .* the owner of the database"):
        Store.open(postgres.url(name, user="guest"))

    postgres.drop(name)


def test_ten_replicas_that_start_at_once_make_one_database(make_database: MakeDatabase) -> None:
    url = make_database(blank=True)

    def start(_number: int) -> int:
        store = Store.open(url)
        try:
            store.write.sync_models([spec("ant"), spec("bee")]).result(DEADLINE_SECONDS)
            return store.read.board_version()
        finally:
            store.close()

    with ThreadPoolExecutor(10) as pool:
        versions = list(pool.map(start, range(10)))

    assert versions == [1] * 10


# Settings


def test_commits_reach_the_disk_and_nothing_waits_for_ever(store: Store) -> None:
    shown = {}
    for which, engine in zip(("reading", "writing"), store._engines, strict=True):
        with engine.connect() as connection:
            shown[which] = [
                connection.exec_driver_sql(f"SHOW {name}").scalar()
                for name in (
                    "transaction_isolation",
                    "transaction_read_only",
                    "synchronous_commit",
                    "statement_timeout",
                    "lock_timeout",
                    "idle_in_transaction_session_timeout",
                    "application_name",
                )
            ]

    assert shown == {
        "reading": ["repeatable read", "on", "on", "10s", "5s", "1min", "arena"],
        "writing": ["read committed", "off", "on", "10s", "5s", "5s", "arena"],
    }


def test_texts_sort_by_code_point_on_every_server(desk: Desk, store: Store) -> None:
    desk.enter("zebra", "Ant", "ant", "Äffchen", "a-b", "ab")

    names = [model.spec.name for model in store.read.models()]

    assert names == sorted(names)


def test_an_error_quotes_no_row(desk: Desk, store: Store) -> None:
    def break_a_rule(connection: Connection, now: datetime) -> None:
        row = {"battle": battle_id, "ordinal": None, "prompt": "my secret prompt", "created_at": now}
        connection.execute(insert(table_of(TurnRow)), row)

    battle_id = desk.open()

    error = store.write._queue.submit(Job(run=break_a_rule)).exception(DEADLINE_SECONDS)

    assert error is not None
    assert 'null value in column "ordinal"' in str(error.__cause__)
    assert "secret" not in "".join(format_exception(error))


# Several replicas


def test_two_replicas_count_one_battle_once(desk: Desk, store: Store, make_replica: Callable[[], Store]) -> None:
    other = make_replica()
    battles = [desk.ready(seats=ANT_BEE) for _ in range(20)]

    votes = [
        each.write.cast_vote(battle_id, "voter", verdict)
        for battle_id in battles
        for each, verdict in ((store, Verdict.A), (other, Verdict.B))
    ]

    refused = [vote.exception(DEADLINE_SECONDS) for vote in votes]
    assert [type(error).__name__ for error in refused if error is not None] == ["AlreadyVoted"] * 20
    assert store.read.verify().votes == 20


@pytest.mark.parametrize(
    ("processes", "battles"), [(2, 60), pytest.param(4, 1_000, marks=(pytest.mark.slow, pytest.mark.timeout(900)))]
)
def test_processes_that_vote_at_once_leave_the_board_that_a_replay_gives(
    desk: Desk, store: Store, url: str, processes: int, battles: int
) -> None:
    shares = [desk.many_ready(battles) for _ in range(processes)]

    voters = [
        subprocess.Popen(
            [sys.executable, Path(__file__).with_name("voting_process.py"), url],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "PATH": ""},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in shares
    ]
    for voter, share in zip(voters, shares, strict=True):
        assert voter.stdin is not None
        voter.stdin.write(" ".join(share).encode())
        voter.stdin.close()
    acknowledged = [line for voter in voters for line in _lines(voter) if line != b"voting\n"]

    assert [voter.wait(DEADLINE_SECONDS) for voter in voters] == [0] * processes
    assert len(acknowledged) == processes * battles
    assert store.read.verify().counted == processes * battles


def _lines(process: subprocess.Popen[bytes]) -> list[bytes]:
    assert process.stdout is not None
    with process.stdout as out:
        return out.readlines()


def test_a_replica_sees_the_other_ones_votes_at_once(desk: Desk, make_replica: Callable[[], Store]) -> None:
    other = make_replica()
    before = other.read.board_version()

    desk.vote(seats=ANT_BEE)

    assert other.read.board_version() == before + 1
    assert other.read.verify().votes == 1


def test_a_replica_that_starts_leaves_another_ones_import_alone(
    store: Store, make_replica: Callable[[], Store]
) -> None:
    with SourceLoad(store.write, NewSource(name="file", format="plain", sha256="sum")) as loading:
        loading.add(VOTES)
        other = make_replica()
        other.write.discard_unfinished_sources().result(DEADLINE_SECONDS)
        with pytest.raises(ImportRefused, match="is being imported as 'file'"):
            other.write.begin_source(NewSource(name="again", format="plain", sha256="sum")).result(DEADLINE_SECONDS)

        loading.publish(actor="tester")

    assert other.read.verify().sources == 1


def test_an_import_that_paused_for_minutes_has_been_given_up(
    store: Store, make_replica: Callable[[], Store], clock: Clock
) -> None:
    with SourceLoad(store.write, NewSource(name="file", format="plain", sha256="sum")) as loading:
        loading.add(VOTES)
        clock.now += LOADING_LEASE + timedelta(seconds=1)
        make_replica().write.discard_unfinished_sources().result(DEADLINE_SECONDS)

        with pytest.raises(ImportRefused, match="start it again"):
            loading.add(VOTES)

    assert store.read.sources() == ()


# A server that goes away


@contextmanager
def away(postgres: PostgresServer) -> Iterator[None]:
    postgres.stop()
    try:
        yield
    finally:
        postgres.start()


def test_a_vote_waits_for_a_server_that_is_restarted(desk: Desk, store: Store, postgres: PostgresServer) -> None:
    battles = [desk.ready(seats=ANT_BEE) for _ in range(2)]
    with away(postgres):
        vote = store.write.cast_vote(battles[0], "voter", Verdict.A)
        assert not vote.done()

    assert vote.result(DEADLINE_SECONDS).seq == 1
    assert store.write.cast_vote(battles[1], "voter", Verdict.A).result(DEADLINE_SECONDS).seq == 2
    assert store.read.verify().votes == 2


def test_a_server_that_stays_away_is_told_and_loses_nothing(
    desk: Desk, url: str, clock: Clock, postgres: PostgresServer
) -> None:
    ready = desk.ready(seats=ANT_BEE)
    store = Store.open(url, clock=clock, patience_seconds=0.2)
    with away(postgres):
        error = store.write.cast_vote(ready, "voter", Verdict.A).exception(DEADLINE_SECONDS)
        with pytest.raises(StoreError, match="The database does not answer"):
            store.read.board_version()

    vote = store.write.cast_vote(ready, "voter", Verdict.B).result(DEADLINE_SECONDS)
    store.close()
    assert "does not answer, so nothing was stored" in str(error)
    assert vote.seq == 1


@pytest.mark.parametrize("committed", [True, False])
def test_a_commit_without_an_answer_is_done_exactly_once(
    desk: Desk, store: Store, url: str, *, committed: bool
) -> None:
    """The connection is cut at the COMMIT: just after the server has done it, or just before it hears of it."""
    ready = desk.ready(seats=ANT_BEE)
    cut = Event()

    def cut_once(connection: Connection) -> None:
        if not cut.is_set():
            cut.set()
            driver = connection.connection.dbapi_connection
            assert isinstance(driver, psycopg.Connection)
            if committed:
                driver.commit()
                driver.execute("SELECT 1")  # so that there is something to commit, and to fail
            kill_backend(url, driver.info.backend_pid)

    event.listen(store._engines[1], "commit", cut_once)
    vote = store.write.cast_vote(ready, "voter", Verdict.A)
    counted = store.write.count("guard")

    assert vote.result(DEADLINE_SECONDS).seq == 1
    counted.result(DEADLINE_SECONDS)
    assert cut.is_set()
    assert store.read.guard_counts() == {"guard": 1}
    assert store.read.verify().votes == 1


def kill_backend(url: str, pid: int) -> None:
    engine = database_of(url).reading_engine()
    with engine.connect() as connection:
        connection.exec_driver_sql(f"SELECT pg_terminate_backend({pid}, 5000)")
    engine.dispose()


def test_who_hangs_inside_a_transaction_holds_the_others_up_for_seconds_only(
    desk: Desk, make_replica: Callable[[], Store]
) -> None:
    other, ready = make_replica(), desk.ready(seats=ANT_BEE)
    with desk.writer_held():
        vote = other.write.cast_vote(ready, "voter", Verdict.A).result(DEADLINE_SECONDS)

    assert vote.seq == 1
