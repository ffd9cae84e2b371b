"""A real SQLite file per test, a clock that the test moves, and a desk that plays battles quickly."""

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any, Protocol

import pytest

from arena.domain import Battle, BattleKind, BattleState, EloChange, ModelSpec, Reply, ReplyStatus, Seats, Side, Vote
from arena.store import NewBattle, Store
from arena.store.engine import reading_engine
from arena.store.queue import Job
from leaderboard.verdicts import Verdict

DEADLINE_SECONDS = 30


class MakeSpec(Protocol):
    def __call__(self, name: str, **settings: Any) -> ModelSpec: ...  # noqa: ANN401 - of ModelSpec


class MakeDesk(Protocol):
    def __call__(self) -> "Desk": ...


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


class Desk:
    """Plays battles in a store; ids and draws are the same in every run."""

    def __init__(self, store: Store, *, names: Sequence[str] = ("ant", "bee", "cat", "dog")) -> None:
        self.store = store
        self.names = names
        self.rng = random.Random(7)
        self._ids = count(1)

    def enter(self, *names: str) -> None:
        self.store.write.sync_models([spec(name) for name in names or self.names]).result(DEADLINE_SECONDS)

    def open(
        self,
        *,
        seats: Seats | None = None,
        owner: str = "voter",
        prompt: str = "Why?",
        kind: BattleKind = BattleKind.RANKED,
    ) -> str:
        battle_id = f"battle-{next(self._ids)}"
        seats = seats or Seats(*self.rng.sample(list(self.names), 2))
        new = NewBattle(
            id=battle_id,
            conversation_id=f"conversation of {battle_id}",
            kind=kind,
            seats=seats,
            owner=owner,
            prompt=prompt,
            fingerprints={Side.A: "print a", Side.B: "print b"},
        )
        self.store.write.open_battle(new).result(DEADLINE_SECONDS)
        return battle_id

    def finish(
        self,
        battle_id: str,
        side: Side,
        status: ReplyStatus = ReplyStatus.OK,
        *,
        turn: int = 1,
        attempt: int = 1,
        text: str = "Because.",
    ) -> BattleState:
        reply = Reply(turn=turn, side=side, attempt=attempt, status=status, text=text)
        return self.store.write.finish_reply(battle_id, reply).result(DEADLINE_SECONDS)

    def ready(
        self,
        *,
        seats: Seats | None = None,
        owner: str = "voter",
        prompt: str = "Why?",
        kind: BattleKind = BattleKind.RANKED,
    ) -> str:
        battle_id = self.open(seats=seats, owner=owner, prompt=prompt, kind=kind)
        for side in Side:
            self.finish(battle_id, side)
        return battle_id

    def vote(
        self,
        verdict: Verdict = Verdict.A,
        *,
        seats: Seats | None = None,
        kind: BattleKind = BattleKind.RANKED,
        owner: str = "voter",
    ) -> Vote:
        battle_id = self.ready(seats=seats, kind=kind, owner=owner)
        return self.store.write.cast_vote(battle_id, owner, verdict).result(DEADLINE_SECONDS)

    def votes(self, n: int) -> None:
        """Cast `n` random votes, many in one transaction."""
        waiting: list[Future[Any]] = []
        for _ in range(n):
            battle_id, verdict = f"battle-{next(self._ids)}", self.rng.choice(list(Verdict))
            new = NewBattle(
                id=battle_id,
                conversation_id=battle_id,
                seats=Seats(*self.rng.sample(list(self.names), 2)),
                owner="voter",
                prompt="Why?",
                fingerprints=dict.fromkeys(Side, ""),
            )
            waiting.append(self.store.write.open_battle(new))
            for side in Side:
                reply = Reply(turn=1, side=side, attempt=1, status=ReplyStatus.OK, text="Because.")
                waiting.append(self.store.write.finish_reply(battle_id, reply))
            waiting.append(self.store.write.cast_vote(battle_id, "voter", verdict))
        assert not wait(waiting, DEADLINE_SECONDS).not_done

    def battle(self, battle_id: str) -> Battle:
        battle = self.store.read.battle(battle_id)
        assert battle is not None
        return battle

    def moved(self, vote: Vote, side: Side) -> EloChange:
        assert vote.elo is not None, "it counts"
        return vote.elo[side]

    def ratings(self) -> dict[str, float]:
        return dict(self.store.read.board(now=datetime(2026, 11, 22, tzinfo=UTC)).ratings)

    @contextmanager
    def writer_held(self) -> Iterator[None]:
        """What is queued meanwhile comes into one batch."""
        began, go_on = Event(), Event()

        def wait_for_test(*_args: object) -> None:
            began.set()
            assert go_on.wait(DEADLINE_SECONDS)

        self.store.write._queue.submit(Job(run=wait_for_test))
        assert began.wait(DEADLINE_SECONDS)
        try:
            yield
        finally:
            go_on.set()


def spec(name: str, **settings: Any) -> ModelSpec:  # noqa: ANN401 - whatever a ModelSpec takes
    return replace(ModelSpec(name=name, provider="scripted", display_name=name.title()), **settings)


@pytest.fixture(name="spec")
def spec_fixture() -> MakeSpec:
    return spec


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "arena.db"


@pytest.fixture
def url(database: Path) -> str:
    return f"sqlite:///{database}"


@pytest.fixture
def store(url: str, clock: Clock) -> Iterator[Store]:
    opened = Store.open(url, clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def desk(store: Store) -> Desk:
    desk = Desk(store)
    desk.enter()
    return desk


@pytest.fixture
def make_desk(tmp_path: Path, clock: Clock) -> Iterator[MakeDesk]:
    """Desks on stores of their own, in the same clock."""
    stores: list[Store] = []

    def make() -> Desk:
        stores.append(Store.open(f"sqlite:///{tmp_path / f'other-{len(stores)}.db'}", clock=clock))
        desk = Desk(stores[-1])
        desk.enter()
        return desk

    yield make
    for opened in stores:
        opened.close()


@pytest.fixture
def rows(database: Path) -> Iterator[Callable[[str], int]]:
    """How many rows a table has, looked at by the store's own driver: two copies of SQLite in one process do not see
    each other's locks, and the first to close would take the log away from the other.
    """
    engine = reading_engine(database)

    def count(table: str) -> int:
        with engine.connect() as connection:
            return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())

    yield count
    engine.dispose()
