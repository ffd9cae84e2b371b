"""Voters who remember what was acknowledged to them, while a test takes something away from the store."""

import random
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from threading import Event

from fault_server import wait_until
from sqlalchemy import Engine

from arena.domain import Reply, ReplyStatus, Seats, Side, Vote
from arena.errors import StoreError, UnknownBattle
from arena.store import NewBattle, Store
from arena.store.engine import Database
from arena.store.store import utc_now
from arena.store.writer import Writer
from leaderboard.verdicts import Verdict

RecordProperty = Callable[[str, object], None]  # figures for `--junitxml`
DEADLINE_SECONDS = 30
MODELS = ("ant", "bee", "cat", "dog", "elk")


class Witness:
    """Voters on threads of their own. Each opens a battle, has it answered and votes, again and again, until the end is
    told; who is not patient ends when the store cannot be written, too. `acknowledged` holds the votes of which they
    were told that they are stored.
    """

    def __init__(self, store: Store, *, voters: int, label: str, patient: bool = False) -> None:
        self.acknowledged: dict[str, Vote] = {}
        self._store = store
        self._label = label
        self._patient = patient
        self._end = Event()
        self._pool = ThreadPoolExecutor(voters)
        self._threads = [self._pool.submit(self._vote, number) for number in range(voters)]

    def wait_for_more(self, votes: int) -> None:
        """Return once so many more are acknowledged."""
        aim = len(self.acknowledged) + votes
        wait_until(lambda: len(self.acknowledged) >= aim, seconds=2 * DEADLINE_SECONDS)

    def has_ended(self) -> bool:
        """Whether nobody votes any more."""
        return all(thread.done() for thread in self._threads)

    def stop(self) -> None:
        """Wait until every voter has ended; raises what one of them met beside a refusal."""
        self._end.set()
        self._pool.shutdown()
        for thread in self._threads:
            thread.result()

    def _vote(self, number: int) -> None:
        rng = random.Random(f"{self._label}:{number}")
        for battle in count():
            battle_id = f"{self._label}-{number}-{battle}"
            try:
                self.acknowledged[battle_id] = play(self._store, battle_id, rng)
            except StoreError:
                if not self._patient:
                    return
            except UnknownBattle:  # whether it was opened could not be told
                if not self._patient:
                    raise
            if self._end.is_set():
                return


def play(store: Store, battle_id: str, rng: random.Random, *, owner: str = "voter") -> Vote:
    """A whole battle whose verbs are queued at once; the vote once it is stored."""
    opened = store.write.open_battle(
        NewBattle(
            id=battle_id,
            conversation_id=battle_id,
            seats=Seats(*rng.sample(MODELS, 2)),
            owner=owner,
            prompt="Why?",
            fingerprints=dict.fromkeys(Side, ""),
        )
    )
    for side in Side:
        reply = Reply(turn=1, side=side, attempt=1, status=ReplyStatus.OK, text="Because." * rng.randrange(200))
        store.write.finish_reply(battle_id, reply)
    verdict = rng.choice(list(Verdict))
    voted = store.write.cast_vote(battle_id, owner, verdict)
    opened.result(DEADLINE_SECONDS)
    return voted.result(DEADLINE_SECONDS)


@contextmanager
def store_on(database: Database) -> Iterator[tuple[Store, Engine]]:
    """The store as it is, on a database that exists; and its writing engine, before that has connected."""
    writing = database.writing_engine()
    writer = Writer(writing, database=database, clock=utc_now, lease_seconds=10, patience_seconds=8)
    store = Store(database, reading=database.reading_engine(), writing=writing, writer=writer)
    try:
        yield store, writing
    finally:
        store.close()


def as_stored(votes: Mapping[str, Vote]) -> dict[str, tuple[int, Verdict]]:
    """Battle id -> what identifies its vote."""
    return {battle_id: (vote.seq, vote.verdict) for battle_id, vote in votes.items()}


def stored_exactly(url: str) -> dict[str, tuple[int, Verdict]]:
    """The votes of a database that is sound, where each battle counts once and the figures are those of the votes."""
    store = Store.open(url)
    try:
        store.read.verify()
        votes = store.read.votes()
        with store.read._engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    finally:
        store.close()
    assert len({vote.battle_id for vote in votes}) == len(votes)
    return {vote.battle_id: (vote.seq, vote.verdict) for vote in votes}
