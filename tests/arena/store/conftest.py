"""A real database per test, of each engine, a clock that the test moves, and a desk that plays battles quickly."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import wait
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any, Protocol

import pytest
from sqlalchemy import Connection, RowMapping, insert, select

from arena.domain import Battle, BattleKind, BattleState, EloChange, ModelSpec, Reply, ReplyStatus, Seats, Side, Vote
from arena.store import AuditEntry, NewBattle, Store
from arena.store.contestants import CATALOGUE
from arena.store.engine import database_of
from arena.store.queue import Job
from arena.store.schema import BattleRow, ConversationRow, ReplyRow, TurnRow, table_of
from leaderboard.verdicts import Verdict
from tests.conftest import MakeDatabase

DEADLINE_SECONDS = 100


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
        drawn = [(self.rng.choice(list(Verdict)), self._drawn()) for _ in range(n)]
        battles = self.many_ready([seats for _, seats in drawn])
        cast = [
            self.store.write.cast_vote(battle_id, "voter", verdict)
            for battle_id, (verdict, _) in zip(battles, drawn, strict=True)
        ]
        assert not wait(cast, DEADLINE_SECONDS).not_done

    def many_ready(self, seats: int | Sequence[Seats]) -> list[str]:
        """Ready battles, random or in these seats: the first by the verbs, the others as copies of its rows."""
        wanted = [self._drawn() for _ in range(seats)] if isinstance(seats, int) else seats
        first = self.ready(seats=wanted[0])
        copies = {f"battle-{next(self._ids)}": each for each in wanted[1:]}
        copying = Job(run=lambda connection, _: _copy(connection, first, copies))
        self.store.write._queue.submit(copying).result(DEADLINE_SECONDS)
        return [first, *copies]

    def _drawn(self) -> Seats:
        return Seats(*self.rng.sample(list(self.names), 2))

    def decisions(self) -> tuple[AuditEntry, ...]:
        """What stands in the audit log beside the coming and going of models."""
        return tuple(entry for entry in self.store.read.audit() if entry.actor != CATALOGUE)

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


def _copy(connection: Connection, battle_id: str, copies: Mapping[str, Seats]) -> None:
    for row, key in ((ConversationRow, "id"), (BattleRow, "id"), (TurnRow, "battle"), (ReplyRow, "battle")):
        table = table_of(row)
        name = f"conversation of {battle_id}" if row is ConversationRow else battle_id
        found = connection.execute(select(*table.c).where(table.c[key] == name)).mappings().all()
        rows = [{**each, **_named(each, copy, seats)} for copy, seats in copies.items() for each in found]
        if rows:
            connection.execute(insert(table), rows)


def _named(row: RowMapping, battle_id: str, seats: Seats) -> dict[str, str]:
    """What differs in a copy; a conversation is named like its battle."""
    names = {"id": battle_id, "battle": battle_id, "conversation": battle_id, "seat_a": seats.a, "seat_b": seats.b}
    return {name: value for name, value in names.items() if name in row}


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
    """The SQLite file of `url`; a test that asks for it runs on SQLite alone."""
    return tmp_path / "arena.db"


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
def make_desk(make_database: MakeDatabase, clock: Clock) -> Iterator[MakeDesk]:
    """Desks on stores of their own, in the same clock."""
    stores: list[Store] = []

    def make() -> Desk:
        stores.append(Store.open(make_database(), clock=clock))
        desk = Desk(stores[-1])
        desk.enter()
        return desk

    yield make
    for opened in stores:
        opened.close()


@pytest.fixture
def rows(url: str) -> Iterator[Callable[[str], int]]:
    """How many rows a table has, looked at by the store's own driver: two copies of SQLite in one process do not see
    each other's locks, and the first to close would take the log away from the other.
    """
    engine = database_of(url).reading_engine()

    def count(table: str) -> int:
        with engine.connect() as connection:
            return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())

    yield count
    engine.dispose()
