import json
import stat
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest
from alembic import command
from postgresql_server import PostgresServer

from arena.archive import SUMS, new_archive
from arena.backup import back_up, restore
from arena.domain import Reply, ReplyStatus, Seats, Side
from arena.errors import ArchiveRefused, RestoreRefused, StoreCorrupt, StoreError, StoreLocked, StoreTooNew
from arena.store import NewBattle, Store, VerifyReport
from arena.store.engine import database_of
from arena.store.migrating import alembic_config
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import DEADLINE_SECONDS, Clock, Desk
from tests.conftest import MakeDatabase

pytestmark = pytest.mark.both_engines
SEATS = Seats("ant", "bee")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """The SQLite file of `url`; a test that asks for it runs on SQLite alone."""
    return tmp_path / "arena.db"


@pytest.fixture
def desk(url: str, clock: Clock) -> Iterator[Desk]:
    with closing(Store.open(url, clock=clock)) as store:
        desk = Desk(store)
        desk.enter()
        yield desk


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "arena.backup"


@pytest.fixture
def elsewhere(url: str, make_database: MakeDatabase) -> str:  # noqa: ARG001 - the first is made first
    return make_database(blank=True)


def _read(url: str) -> VerifyReport:
    with closing(Store.open_to_read(url)) as store:
        return store.read.verify()


def _about(file: Path) -> dict[str, object]:
    with zipfile.ZipFile(file) as packed:
        about: dict[str, object] = json.loads(packed.read("about.json"))
    return about


def test_a_running_arena_comes_back_elsewhere_as_it_was(desk: Desk, url: str, file: Path, elsewhere: str) -> None:
    desk.votes(30)
    desk.store.write.exclude_votes([3], reason="farm", actor="root").result(DEADLINE_SECONDS)
    battle_id = desk.open(prompt="On its way?")

    report = back_up(url, file)
    restored = restore(elsewhere, file)

    assert restored == desk.store.read.verify() == _read(elsewhere)
    assert report.facts.votes == 30
    with closing(Store.open_to_read(elsewhere)) as store:
        assert store.read.battle(battle_id) == desk.battle(battle_id)


def test_it_says_what_it_is_and_where_the_audit_log_stood(desk: Desk, url: str, engine_name: str, file: Path) -> None:
    desk.votes(3)
    desk.store.write.exclude_votes([3], reason="farm", actor="root").result(DEADLINE_SECONDS)

    back_up(url, file)

    about, head = _about(file), desk.store.read.admin.audit_page(before=None, limit=1).head
    assert about["audit"] == {"seq": head.seq, "digest": head.digest}
    assert head.seq == len(desk.store.read.audit())
    assert (about["kind"], about["engine"], about["votes"]) == ("backup", engine_name, 3)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_every_vote_acknowledged_before_is_in_it_while_others_are_written(
    desk: Desk, url: str, file: Path, elsewhere: str
) -> None:
    enough, stop = Event(), Event()
    acknowledged: list[int] = []

    def write(writer: int) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            acknowledged.append(_vote(desk.store, f"{writer}-{number}"))
            if len(acknowledged) > 100:
                enough.set()

    with ThreadPoolExecutor() as pool:
        writers = [pool.submit(write, writer) for writer in range(4)]
        try:
            assert enough.wait(DEADLINE_SECONDS)
            before = len(acknowledged)
            report = back_up(url, file)
            after = desk.store.read.board_version()
        finally:
            stop.set()
        assert [writer.result(DEADLINE_SECONDS) for writer in writers] == [None] * 4

    assert before <= report.facts.votes <= len(acknowledged)
    assert report.facts.board_version <= after
    assert restore(elsewhere, file).votes == report.facts.votes


def _vote(store: Store, battle_id: str) -> int:
    new = NewBattle(
        id=battle_id,
        conversation_id=battle_id,
        seats=SEATS,
        owner="voter",
        prompt="Why?",
        fingerprints=dict.fromkeys(Side, ""),
    )
    store.write.open_battle(new)
    for side in Side:
        store.write.finish_reply(battle_id, Reply(turn=1, side=side, attempt=1, status=ReplyStatus.OK, text="So."))
    return store.write.cast_vote(battle_id, "voter", Verdict.A).result(DEADLINE_SECONDS).seq


def test_votes_are_not_replaced_without_force(desk: Desk, url: str, file: Path) -> None:
    desk.votes(3)
    back_up(url, file)
    desk.votes(4)
    desk.store.close()

    with pytest.raises(RestoreRefused, match="holds 7 votes: nothing was changed"):
        restore(url, file)

    assert _read(url).votes == 7
    assert restore(url, file, force=True).votes == _read(url).votes == 3


def test_nothing_is_restored_under_a_running_arena(desk: Desk, url: str, file: Path) -> None:
    desk.votes(3)
    back_up(url, file)

    with pytest.raises((StoreLocked, RestoreRefused), match=r"in use by the arena|users: stop"):
        restore(url, file, force=True)


def test_the_log_of_a_killed_arena_is_not_added_to_the_backup(desk: Desk, url: str, database: Path, file: Path) -> None:
    desk.votes(3)
    back_up(url, file)
    desk.votes(3)
    log = database.with_name("arena.db-wal")
    left_behind = log.read_bytes()
    desk.store.close()
    log.write_bytes(left_behind)

    restore(url, file, force=True)

    assert _read(url).votes == 3


def test_a_database_that_cannot_be_read_is_replaced_only_with_force(
    desk: Desk, url: str, database: Path, file: Path
) -> None:
    desk.votes(3)
    back_up(url, file)
    desk.store.close()
    database.write_bytes(b"no database at all" * 1000)

    with pytest.raises(RestoreRefused, match="cannot be read as it is"):
        restore(url, file)

    assert restore(url, file, force=True).votes == 3


def _flip(file: Path, at: int) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)


def test_a_damaged_backup_is_not_restored(desk: Desk, url: str, file: Path, elsewhere: str) -> None:
    desk.votes(3)
    back_up(url, file)
    _flip(file, file.stat().st_size // 2)

    with pytest.raises(StoreCorrupt, match=r"arena\.(sqlite3|dump)"):
        restore(elsewhere, file)


def test_half_a_backup_is_not_restored(desk: Desk, url: str, file: Path, elsewhere: str) -> None:
    desk.votes(3)
    back_up(url, file)
    file.write_bytes(file.read_bytes()[:-100])

    with pytest.raises(ArchiveRefused, match="is no backup, or is damaged"):
        restore(elsewhere, file)


@pytest.mark.sqlite_only  # on PostgreSQL it is found afterwards
def test_a_backup_that_is_not_sound_replaces_nothing(desk: Desk, url: str, file: Path, elsewhere: str) -> None:
    desk.votes(3)
    desk.store.close()
    engine = database_of(url).writing_engine()
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE rating SET elo = elo + 1 WHERE model = 'ant'")
    engine.dispose()
    back_up(url, file)
    Store.open(elsewhere).close()

    with pytest.raises(StoreCorrupt, match="'ant'"):
        restore(elsewhere, file)

    assert _read(elsewhere).votes == 0


def _repacked(file: Path, **changes: object) -> None:
    with zipfile.ZipFile(file) as packed:
        about = json.loads(packed.read("about.json")) | changes
        member = packed.read("arena.sqlite3")
    with new_archive(file, overwrite=True, about=about) as archive:
        archive.add("arena.sqlite3", member)


REFUSED: list[tuple[dict[str, object], type[Exception], str]] = [
    ({"schema": "9999"}, StoreTooNew, "has schema 9999, which this version does not know"),
    ({"kind": "bundle"}, ArchiveRefused, "is no backup"),
    ({"member": "arena.dump"}, ArchiveRefused, "a copy of a sqlite database, and this is another"),
    ({"member": "other.sqlite3"}, StoreCorrupt, "other.sqlite3 is missing"),
]


@pytest.mark.sqlite_only
@pytest.mark.parametrize("refused", REFUSED, ids=[words for _, _, words in REFUSED])
def test_what_is_no_backup_for_this_program_is_refused(
    desk: Desk, url: str, file: Path, elsewhere: str, refused: tuple[dict[str, object], type[Exception], str]
) -> None:
    changes, error, words = refused
    desk.votes(3)
    back_up(url, file)
    _repacked(file, **changes)

    with pytest.raises(error, match=words):
        restore(elsewhere, file)


@pytest.mark.sqlite_only
def test_a_backup_of_an_older_program_is_brought_up_to_date(tmp_path: Path, file: Path, elsewhere: str) -> None:
    old = tmp_path / "old.db"
    engine = database_of(f"sqlite:///{old}").writing_engine()
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "0004")
        connection.exec_driver_sql("INSERT INTO board_state VALUES (1, 0, 0, NULL, 32.0, 1000.0, 400.0)")
    engine.dispose()
    with new_archive(
        file, overwrite=False, about={"kind": "backup", "schema": "0004", "member": "arena.sqlite3"}
    ) as archive:
        archive.add_file("arena.sqlite3", old)

    assert restore(elsewhere, file).votes == 0


def test_a_file_that_is_there_is_kept(desk: Desk, url: str, file: Path) -> None:
    desk.votes(1)
    file.write_text("precious")

    with pytest.raises(ArchiveRefused, match="is there already"):
        back_up(url, file)

    assert file.read_text() == "precious"
    assert back_up(url, file, overwrite=True).facts.votes == 1


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(Path.exists, id="no file"),
        pytest.param(lambda file: file.write_text("hello"), id="text"),
        pytest.param(lambda file: zipfile.ZipFile(file, "w").close(), id="an empty archive"),
    ],
)
def test_what_is_no_archive_is_refused(file: Path, elsewhere: str, make: Callable[[Path], object]) -> None:
    make(file)

    with pytest.raises(ArchiveRefused, match=r"arena\.backup"):
        restore(elsewhere, file)


def test_a_member_that_was_added_or_taken_away_is_named(desk: Desk, url: str, file: Path, elsewhere: str) -> None:
    desk.votes(1)
    back_up(url, file)
    with zipfile.ZipFile(file, "a") as packed:
        packed.writestr("more.txt", "!")

    with pytest.raises(StoreCorrupt, match=rf"{SUMS} lists: see more\.txt"):
        restore(elsewhere, file)


@pytest.mark.sqlite_only
def test_without_a_database_nothing_is_written(tmp_path: Path, make_database: MakeDatabase, file: Path) -> None:
    url = make_database(blank=True)

    with pytest.raises(StoreError, match="There is no database"):
        back_up(url, file)

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_named(desk: Desk, url: str, tmp_path: Path) -> None:
    desk.votes(1)

    with pytest.raises(ArchiveRefused, match="nowhere"):
        back_up(url, tmp_path / "nowhere" / "arena.backup")


@pytest.fixture
def on_postgresql(postgres: PostgresServer, migrated_template: str) -> str:
    return str(postgres.url(postgres.create(template=migrated_template)))


def _tool(folder: Path, name: str, *, prints: str) -> None:
    tool = folder / name
    tool.write_text(f"#!/bin/sh\necho '{prints}'\n")
    tool.chmod(0o755)


@pytest.mark.parametrize(
    ("prints", "words"),
    [(None, "pg_dump is not installed here: install"), ("pg_dump (PostgreSQL) 9.6.24", "pg_dump is of version 9, the")],
)
def test_a_tool_that_is_missing_or_too_old_is_named(
    on_postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prints: str | None, words: str
) -> None:
    Store.open(on_postgresql).close()
    monkeypatch.setenv("PATH", str(tmp_path))
    if prints is not None:
        _tool(tmp_path, "pg_dump", prints=prints)

    with pytest.raises(StoreError, match=words):
        back_up(on_postgresql, tmp_path / "arena.backup")

    assert not (tmp_path / "arena.backup").exists()
