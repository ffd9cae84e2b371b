"""A whole arena while its database cannot be written, and afterwards, without a restart."""

import resource
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fault_server import wait_until
from postgresql_server import REMEDY, PostgresServer, binaries

from arena.catalogue import Roster
from arena.domain import BattleState, ReplyStatus
from arena.errors import StoreError
from arena.metrics import Metrics
from arena.service import VOTE_NOT_STORED, Arena
from arena.settings import load_settings
from arena.store import Store
from arena.store.store import utc_now
from leaderboard.verdicts import Verdict

SETTINGS = """
seed = 1
lease_seconds = 60
[[models]]
name = "ant"
provider = "scripted"
script = { text = "an answer" }
[[models]]
name = "bee"
provider = "scripted"
script = { text = "one two three four five six seven eight", tokens_per_second = 40 }
"""
Trouble = Callable[[Store], AbstractContextManager[None]]


@contextmanager
def no_room(_store: Store) -> Iterator[None]:
    """The kernel lets no file of this process grow beyond a page, as when a disk or a quota is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def read_only(store: Store) -> Iterator[None]:
    """SQLite must not write."""
    tell_the_writer(store, "PRAGMA query_only = 1")
    try:
        yield
    finally:
        tell_the_writer(store, "PRAGMA query_only = 0")


def tell_the_writer(store: Store, pragma: str) -> None:
    with closing(store._engines[1].raw_connection()) as connection:
        connection.cursor().execute(pragma)


@pytest.mark.parametrize(
    ("trouble", "said"),
    [(no_room, ["has failed or is full"]), (read_only, ["must be allowed to write", "housekeeping waits"])],
)
def test_an_arena_that_could_not_write_goes_on_without_a_restart(
    trouble: Trouble, said: Sequence[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with arena_on(tmp_path, {}) as running:
        goes_on(running, trouble, refusal="could not store", said=said, caplog=caplog)


@pytest.mark.postgresql_only
def test_an_arena_whose_server_became_a_standby_goes_on_once_it_is_promoted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with own_server() as server:
        database = server.url(server.create())
        said = ["is a standby, or set to read only: promote it", "housekeeping waits"]

        @contextmanager
        def standby(_store: Store) -> Iterator[None]:
            server.restart_as_standby()
            try:
                yield
            finally:
                server.promote()

        with arena_on(tmp_path, {"ARENA_DATABASE_URL": database}, patience_seconds=1) as running:
            goes_on(running, standby, refusal="nothing was stored", said=said, caplog=caplog)


@contextmanager
def own_server() -> Iterator[PostgresServer]:
    found = binaries()
    if found is None:
        pytest.skip(REMEDY)
    server = PostgresServer(found, fsync=False)
    server.start()
    try:
        yield server
    finally:
        server.remove()


def goes_on(
    running: "Running", trouble: Trouble, *, refusal: str, said: Sequence[str], caplog: pytest.LogCaptureFixture
) -> None:
    """What is asked for meanwhile is refused in a sentence, what can be read is read, and afterwards all is done."""
    arena, store, clock = running
    ready = arena.open_battle("me", "Why?")
    wait_until(lambda: arena.view(ready, "me").state is BattleState.READY)
    streaming = arena.open_battle("me", "Why not?")
    with trouble(store):
        arena.hold(ready, "me", Verdict.A)
        with pytest.raises(StoreError, match=refusal):
            arena.reveal_now(ready, "me")
        with pytest.raises(StoreError, match=refusal):
            arena.open_battle("me", "And now?")
        wait_until(lambda: arena.live_count() == 0 and all(words in caplog.text for words in said))
        meanwhile = arena.view(ready, "me")
        assert arena.board().votes == 0, "what can be read can be read"
    arena.hold(ready, "me", Verdict.A)
    arena.reveal_now(ready, "me")
    clock.ahead = timedelta(minutes=2)  # the lease of the answer that could not be stored is over
    wait_until(lambda: arena.view(streaming, "me").state is BattleState.STUCK)
    retry(arena, streaming, "me")

    assert meanwhile.problem == VOTE_NOT_STORED
    assert meanwhile.state is BattleState.READY
    assert "can be written again" in caplog.text
    assert store.read.verify().votes == 1
    assert arena.view(ready, "me").state is BattleState.VOTED
    assert arena.catalogue().complaint is None, "the trouble is over"


class Clock:
    """The real time, and perhaps more."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.ahead


class Running(NamedTuple):
    arena: Arena
    store: Store
    clock: Clock


@contextmanager
def arena_on(folder: Path, variables: Mapping[str, str], **options: Any) -> Iterator[Running]:  # noqa: ANN401 - of Store.open
    """An arena with all its chores, in a clock of the test's."""
    config = folder / "arena.toml"
    config.write_text(SETTINGS)
    settings, clock = load_settings(config=config, environ=variables), Clock()
    store, roster = Store.open(settings.database_url, clock=clock, **options), Roster(settings, environ={})
    store.write.sync_models(roster.specs()).result(30)
    arena = Arena(settings=settings, store=store, roster=roster, environ={}, metrics=Metrics())
    roster.start()
    arena._chores.start()
    try:
        yield Running(arena, store, clock)
    finally:
        arena.close()


def retry(arena: Arena, battle_id: str, voter: str) -> None:
    for side, view in arena.view(battle_id, voter).turns[-1].sides.items():
        if view.status is ReplyStatus.INTERRUPTED:
            arena.retry(battle_id, voter, side)
    wait_until(lambda: arena.view(battle_id, voter).state is BattleState.READY)
