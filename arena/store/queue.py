"""One fair queue and one thread: how every write of a process reaches the database."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from arena.domain import Vote
from arena.errors import ArenaError, StoreError
from arena.store.board import lock_board
from arena.store.votes import Ballot, cast_votes

log = logging.getLogger(__name__)

BATCH = 128
TRIES = 5
FIRST_PAUSE_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One operation and who waits for it: either a ballot, which is counted together with its neighbours, or `run`.

    `changes_board` makes the transaction take the board's lock before anything else, so that all transactions take
    their locks in one order.
    """

    run: Callable[[Connection, datetime], object] | None = None
    ballot: Ballot | None = None
    changes_board: bool = False
    future: Future[Any] = field(default_factory=Future)


class WriteQueue:
    """Runs jobs in the order in which they came, many in one transaction; answers only after COMMIT.

    A refusal (`ArenaError`) is one job's own. Any other error rolls the batch back: an engine that cannot write just
    now is tried again; a job that breaks the transaction is found by running the batch's jobs one by one.
    """

    def __init__(self, engine: Engine, *, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._closed = False
        self._closing = Lock()
        self._stop = Event()
        self._thread = Thread(target=self._work, name="arena-store-writer", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> Future[Any]:
        """Queue a job; on a closed queue its future fails at once."""
        with self._closing:
            if not self._closed:
                self._jobs.put(job)
                return job.future
        job.future.set_exception(StoreError("The database is closed: the arena is shutting down."))
        return job.future

    def close(self) -> None:
        """Finish what is queued, then end the thread; may be called twice."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        open_ = True
        while open_:
            taken = self._take()
            open_ = taken[-1] is not None
            batch = [job for job in taken if job is not None and job.future.set_running_or_notify_cancel()]
            if batch:
                self._process(batch)

    def _take(self) -> list[Job | None]:
        """Wait for a job and take what else is there; a None at the end closes the queue."""
        taken = [self._jobs.get()]
        while taken[-1] is not None and len(taken) < BATCH:
            try:
                taken.append(self._jobs.get_nowait())
            except Empty:
                break
        return taken

    def _process(self, batch: Sequence[Job], *, tries: int = TRIES) -> None:
        try:
            outcomes = self._persist(batch, tries=tries)
        except Exception as exc:  # whatever a job raises must not end the only writer
            if len(batch) > 1:
                for job in batch:
                    self._process([job], tries=1)
                return
            log.exception("a write failed", extra={"jobs": len(batch)})
            outcomes = [_not_stored(exc)] * len(batch)
        for job, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Exception):
                job.future.set_exception(outcome)
            else:
                job.future.set_result(outcome)

    def _persist(self, batch: Sequence[Job], *, tries: int) -> list[object]:
        """Run and commit a batch, again when the engine is busy: a transaction that failed left nothing behind."""
        pause_seconds = FIRST_PAUSE_SECONDS
        for _ in range(tries - 1):
            try:
                return self._transact(batch)
            except DBAPIError as exc:
                if not (isinstance(exc, OperationalError) or exc.connection_invalidated):
                    raise
            self._stop.wait(pause_seconds)
            pause_seconds *= 2
        return self._transact(batch)

    def _transact(self, batch: Sequence[Job]) -> list[object]:
        with self._engine.begin() as connection:
            if any(job.changes_board or job.ballot for job in batch):
                lock_board(connection)
            return list(_outcomes(connection, batch, now=self._clock()))


def _outcomes(connection: Connection, batch: Sequence[Job], *, now: datetime) -> Iterator[object]:
    for _, neighbours in groupby(batch, key=lambda job: job.ballot is None):
        jobs = list(neighbours)
        ballots = [job.ballot for job in jobs if job.ballot is not None]
        if ballots:
            votes: list[Vote | ArenaError] = cast_votes(connection, ballots, now=now)
            yield from votes
        else:
            yield from (_outcome(job, connection, now=now) for job in jobs)


def _outcome(job: Job, connection: Connection, *, now: datetime) -> object:
    try:
        return job.run(connection, now) if job.run is not None else None
    except ArenaError as refusal:
        return refusal


def _not_stored(exc: Exception) -> StoreError:
    error = StoreError("The database could not store this: try again; the log says what is wrong.")
    error.__cause__ = exc
    return error
