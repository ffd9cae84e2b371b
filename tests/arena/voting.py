"""People who vote all the time, while a test does something else to the store."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Condition, Event

from arena.domain import Vote
from arena.store import Store
from leaderboard.verdicts import Verdict
from tests.arena.store.conftest import DEADLINE_SECONDS, Desk

VOTERS = 4


class Voters:
    """Threads that open battles, let them be answered and vote, one after the other, until the end is told."""

    def __init__(self, store: Store) -> None:
        self.acknowledged: list[Vote] = []
        self._store = store
        self._news = Condition()
        self._end = Event()
        self._pool = ThreadPoolExecutor(VOTERS)
        self._threads = [self._pool.submit(self._vote, number) for number in range(VOTERS)]

    def one_more(self) -> None:
        """Wait until another vote is acknowledged."""
        with self._news:
            before = len(self.acknowledged)
            assert self._news.wait_for(lambda: len(self.acknowledged) > before, DEADLINE_SECONDS)

    def stop(self) -> None:
        self._end.set()
        self._pool.shutdown()
        for thread in self._threads:
            thread.result()  # raises what a voter met

    def _vote(self, number: int) -> None:
        desk = Desk(self._store)
        desk._ids = count(1_000_000 * number)
        while not self._end.is_set():
            vote = desk.vote(desk.rng.choice(list(Verdict)))
            with self._news:
                self.acknowledged.append(vote)
                self._news.notify_all()
