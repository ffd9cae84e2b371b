import multiprocessing
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest

from arena.domain import Seats
from arena.errors import StoreError, StoreLocked, StoreTooNew
from arena.store import Store
from arena.store.store import utc_now
from leaderboard.ratings import EloSettings
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import Clock, Desk
from tests.conftest import MakeDatabase

ROOT = Path(__file__).parents[3]


@pytest.mark.sqlite_only
@pytest.mark.usefixtures("store")
def test_a_second_store_is_told_who_holds_the_database(url: str) -> None:
    with pytest.raises(StoreLocked, match=r"process id \d+: stop that process"):
        Store.open(url)


@pytest.mark.sqlite_only
@pytest.mark.usefixtures("store")
def test_another_process_is_told_who_holds_the_database(url: str) -> None:
    code = f"from arena.store import Store\nStore.open({url!r})"

    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert "StoreLocked" in run.stderr
    assert f"process id {multiprocessing.current_process().pid}" in run.stderr


@pytest.mark.sqlite_only
def test_of_ten_that_start_at_once_on_nothing_one_makes_the_file_and_nine_are_told_who_does(
    make_database: MakeDatabase,
) -> None:
    """As ten processes do: a lock of the operating system's knows no threads."""
    url, at_once = make_database(blank=True), Barrier(10)

    def start(_number: int) -> Store | str:
        at_once.wait(30)
        try:
            return Store.open(url)
        except StoreLocked as refused:
            return str(refused)

    with ThreadPoolExecutor(10) as pool:
        started = list(pool.map(start, range(10)))

    [store] = [each for each in started if isinstance(each, Store)]
    refused = [each for each in started if isinstance(each, str)]
    assert all("is in use by the arena with process id" in each for each in refused)
    assert store.read.verify().votes == 0
    store.close()
    Store.open(url).close()


def test_a_closed_store_can_be_opened_again(url: str, clock: Clock) -> None:
    Store.open(url, clock=clock).close()

    again = Store.open(url, clock=clock)

    assert again.read.verify().votes == 0
    again.close()


def test_closing_stores_what_is_still_queued_and_may_be_done_twice(desk: Desk, store: Store) -> None:
    battles = [desk.ready() for _ in range(5)]
    waiting = [store.write.cast_vote(battle_id, "voter", Verdict.A) for battle_id in battles]

    store.close()
    store.close()

    assert [future.result(30).seq for future in waiting] == [1, 2, 3, 4, 5]


@pytest.mark.usefixtures("desk")
def test_a_write_after_closing_says_so(store: Store) -> None:
    store.close()

    error = store.write.cast_vote("battle", "voter", Verdict.A).exception(30)

    assert isinstance(error, StoreError)
    assert "closed" in str(error)


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    Store.open(f"sqlite:///{tmp_path / 'deep' / 'down' / 'arena.db'}").close()

    assert (tmp_path / "deep" / "down" / "arena.db").is_file()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite://", "not a file"),
        ("sqlite:///:memory:", "not a file"),
        ("sqlite:///file:x?mode=memory&uri=true", "not a file"),
        ("mysql://root:hunter2@localhost/arena", "neither SQLite nor PostgreSQL"),
        ("mysql://localhost/arena?password=hunter2", "neither SQLite nor PostgreSQL"),
        ("mysql//root:hunter2@localhost/arena", "no database URL"),
        ("arena.db", "no database URL"),
    ],
)
def test_a_url_that_cannot_hold_votes_is_refused(url: str, said: str) -> None:
    with pytest.raises(StoreError, match=said) as caught:
        Store.open(url)

    assert "hunter2" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused_and_kept(database: Path, url: str) -> None:
    database.write_text("my diary, " * 500)

    for opening in (Store.open, Store.open, Store.open_to_read):
        with pytest.raises(StoreError, match="database"):
            opening(url)

    assert database.read_text().startswith("my diary")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match="cannot be written"):
        Store.open(f"sqlite:///{tmp_path / 'file' / 'arena.db'}")


def test_a_database_of_a_newer_program_is_refused(database: Path, url: str) -> None:
    Store.open(url).close()
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()

    for opening in (Store.open, Store.open_to_read):
        with pytest.raises(StoreTooNew, match="9999"):
            opening(url)


def test_reading_needs_a_database_that_is_there_and_migrated(database: Path, url: str) -> None:
    database.unlink()
    with pytest.raises(StoreError, match="no database"):
        Store.open_to_read(url)
    sqlite3.connect(database).execute("CREATE TABLE other (x)").connection.close()

    with pytest.raises(StoreError, match="arena migrate"):
        Store.open_to_read(url)


def test_a_reader_beside_the_writer_sees_every_acknowledged_vote(desk: Desk, url: str) -> None:
    reader = Store.open_to_read(url)
    before = reader.read.board_version()

    desk.vote(seats=Seats("ant", "bee"))

    assert reader.read.board_version() == before + 1
    assert len(reader.read.votes()) == 1
    reader.close()


@pytest.mark.usefixtures("desk")
def test_a_store_opened_to_read_writes_nothing(url: str) -> None:
    reader = Store.open_to_read(url)

    with pytest.raises(StoreError, match="opened to read"):
        _ = reader.write
    with (
        pytest.raises(Exception, match=r"readonly database|read-only transaction"),
        reader._engines[0].connect() as connection,
    ):
        connection.exec_driver_sql("DELETE FROM rating")

    reader.close()


def test_the_board_keeps_the_elo_settings_it_was_begun_with(
    url: str, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    Store.open(url, elo=EloSettings(k=4)).close()

    store = Store.open(url, elo=EloSettings(k=32))

    assert store.read.board(now=clock.now).elo == EloSettings(k=4)
    assert "keeps its Elo settings" in caplog.text
    store.close()


def test_a_database_that_vanishes_is_a_clear_error(store: Store, database: Path) -> None:
    store._engines[0].dispose()
    for file in database.parent.glob("arena.db*"):
        file.unlink()
    database.mkdir()

    with pytest.raises(StoreError, match="cannot be read"):
        store.read.board_version()


@pytest.mark.sqlite_only
def test_commits_reach_the_disk_and_erased_text_leaves_the_file(store: Store) -> None:
    with store._engines[1].connect() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }

    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


def test_readers_see_one_moment_while_others_write(desk: Desk, store: Store, clock: Clock) -> None:
    """Between two looks at the board votes and tallies may grow, within one they agree."""
    with ThreadPoolExecutor(1) as pool:
        voting = pool.submit(desk.votes, 150)
        looks = 0
        while not voting.done() or looks < 3:
            board = store.read.board(now=clock.now)
            looks += 1
            assert sum(board.ratings.values()) == pytest.approx(4000, abs=1e-6)
            store.read.verify()
        voting.result(30)


def test_the_clock_tells_utc() -> None:
    assert utc_now().utcoffset() == timedelta()
