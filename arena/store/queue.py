"""One fair queue and one thread: how every write of a process reaches the database."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count, groupby
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from arena.domain import Vote
from arena.errors import ArenaError, StoreError
from arena.store.board import lock_board
from arena.store.engine import Database
from arena.store.marks import CommitMarks
from arena.store.trouble import Trouble
from arena.store.votes import Ballot, cast_votes
from arena.store.watching import Unwatched, Watch, writing

log = logging.getLogger(__name__)

S = TypeVar("S")
T = TypeVar("T")
BATCH = 128
TRIES = 5
FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One operation and who waits for it: a ballot, which is counted together with its neighbours, or `run`; or
    `outside`, which runs by itself between two transactions.
    """

    run: Callable[[Connection, datetime], object] | None = None
    ballot: Ballot | None = None
    outside: Callable[[Engine], object] | None = None
    future: Future[Any] = field(default_factory=Future)


@dataclass(slots=True, eq=False)
class _Attempt:
    """A batch, what the last try came to, and whether its COMMIT is still without an answer."""

    batch: Sequence[Job]
    outcomes: list[object] = field(default_factory=list)
    unanswered: bool = False
    began: float = field(default_factory=monotonic)


def after(first: Future[S], follow: Callable[[S], Future[T]]) -> Future[T]:
    """What `follow` leads to once `first` has succeeded; the error of whichever fails."""
    done: Future[T] = Future()

    def pass_on(ended: Future[T]) -> None:
        if (error := ended.exception()) is not None:
            done.set_exception(error)
        else:
            done.set_result(ended.result())

    def go_on(ended: Future[S]) -> None:
        if (error := ended.exception()) is not None:
            done.set_exception(error)
        else:
            follow(ended.result()).add_done_callback(pass_on)

    first.add_done_callback(go_on)
    return done


class WriteQueue:
    """Runs jobs in the order in which they came, many in one transaction; answers only after COMMIT.

    Every transaction takes the board's lock before anything else, so that those of all processes come one after the
    other: what reads and then writes is right, and nobody waits for two locks. A refusal (`ArenaError`) is one job's
    own. Any other error rolls the batch back: an engine that cannot write just now is tried again; a job that breaks
    the transaction is found by running the batch's jobs one by one.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        database: Database,
        clock: Callable[[], datetime],
        patience_seconds: float,
        watch: Watch | None = None,
    ) -> None:
        self._engine = engine
        self._database = database
        self._watch = watch or Unwatched()
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._marks = CommitMarks() if database.shared else None
        self._away_since: float | None = None
        self._complaint: str | None = None
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

    def waiting(self) -> int:
        """How many jobs wait, roughly."""
        return self._jobs.qsize()

    def repeat(
        self, step: Callable[[Connection, datetime], bool], *, begun: Future[bool] | None = None
    ) -> Future[None]:
        """Queue `step` again and again, behind whatever came meanwhile, until it returns True; `begun` comes first."""
        done: Future[None] = Future()

        def go_on(ended: Future[bool]) -> None:
            if (error := ended.exception()) is not None:
                done.set_exception(error)
            elif ended.result():
                done.set_result(None)
            else:
                self.submit(Job(run=step)).add_done_callback(go_on)

        (begun or self.submit(Job(run=step))).add_done_callback(go_on)
        return done

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
            for outside, jobs in groupby(batch, key=lambda job: job.outside):
                if outside is None:
                    self._process(list(jobs))
                else:
                    for job in jobs:
                        self._step_outside(outside, job)

    def _take(self) -> list[Job | None]:
        """Wait for a job and take what else is there; a None at the end closes the queue."""
        taken = [self._jobs.get()]
        while taken[-1] is not None and len(taken) < BATCH:
            try:
                taken.append(self._jobs.get_nowait())
            except Empty:
                break
        return taken

    def _step_outside(self, outside: Callable[[Engine], object], job: Job) -> None:
        try:
            job.future.set_result(outside(self._engine))
        except Exception as exc:  # as in `_process`
            log.exception("what is done between two transactions failed")
            told = exc if isinstance(exc, ArenaError) else _not_stored(exc, self._trouble(exc), unanswered=False)
            job.future.set_exception(told)

    def _process(self, batch: Sequence[Job], *, tries: int = TRIES) -> None:
        attempt = _Attempt(batch)
        try:
            outcomes = self._persist(attempt, tries=tries)
        except Exception as exc:  # noqa: BLE001 - whatever a job raises must not end the only writer
            trouble = self._trouble(exc)
            if len(batch) > 1 and trouble is not Trouble.AWAY and not attempt.unanswered:
                for job in batch:
                    self._process([job], tries=1)
                return
            self._complain(exc, trouble, jobs=len(batch))
            outcomes = [_not_stored(exc, trouble, unanswered=attempt.unanswered)] * len(batch)
        for job, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Exception):
                job.future.set_exception(outcome)
            else:
                job.future.set_result(outcome)

    def _persist(self, attempt: _Attempt, *, tries: int) -> list[object]:
        """Run and commit a batch, again while the engine is busy or away: a transaction that failed left nothing, and
        one whose COMMIT was not answered left its mark if it was committed.
        """
        pause_seconds = FIRST_PAUSE_SECONDS
        for number in count(1):
            try:
                with writing(self._watch, jobs=len(attempt.batch)):
                    outcomes = self._transact(attempt)
            except SQLAlchemyError as exc:
                if not self._may_pass(self._trouble(exc), began=attempt.began, last=number >= tries):
                    raise
            else:
                self._away_since = None
                self._stop_complaining()
                return outcomes
            self._stop.wait(pause_seconds)
            pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)
        raise AssertionError

    def _may_pass(self, trouble: Trouble, *, began: float, last: bool) -> bool:
        """Whether it is worth to try again. The patience with a server counts from when it began to be away: what is
        queued meanwhile does not wait as long once more.
        """
        match trouble:
            case Trouble.LASTING:
                return False
            case Trouble.BUSY:
                return not last and monotonic() - began < self._patience_seconds
            case Trouble.AWAY:
                since = self._away_since = self._away_since or monotonic()
                return monotonic() - since < self._patience_seconds and not (last and self._stop.is_set())

    def _transact(self, attempt: _Attempt) -> list[object]:
        with self._engine.connect() as connection, connection.begin() as transaction:
            if attempt.unanswered or attempt.batch[0].ballot is None:  # counting ballots begins with the lock
                lock_board(connection)
            if attempt.unanswered and self._marks is not None and self._marks.is_committed(connection):
                return attempt.outcomes
            attempt.unanswered = False
            now = self._clock()
            attempt.outcomes = list(_outcomes(connection, attempt.batch, now=now))
            if self._marks is not None:
                self._marks.leave(connection, now=now)
                attempt.unanswered = True
            transaction.commit()
        attempt.unanswered = False
        return attempt.outcomes

    def _complain(self, exc: Exception, trouble: Trouble, *, jobs: int) -> None:
        """Tell the operator what is wrong: of a trouble that lasts the traceback once, and then a line each time."""
        complaint = None
        if isinstance(exc, SQLAlchemyError) and trouble is not Trouble.LASTING:
            complaint = self._database.in_words(exc)
        is_known = complaint is not None and complaint == self._complaint
        log.error(
            "a write failed: %s", complaint or "see below", exc_info=None if is_known else exc, extra={"jobs": jobs}
        )
        self._complaint = complaint or self._complaint

    def _stop_complaining(self) -> None:
        if self._complaint is not None:
            log.warning("the database can be written again")
            self._complaint = None

    def _trouble(self, exc: Exception) -> Trouble:
        return self._database.trouble(exc) if isinstance(exc, SQLAlchemyError) else Trouble.LASTING


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


def _not_stored(exc: Exception, trouble: Trouble, *, unanswered: bool) -> StoreError:
    if unanswered:
        sentence = "The database stopped answering while it stored this: look in a moment whether it is there."
    elif trouble is Trouble.AWAY:
        sentence = "The database does not answer, so nothing was stored: try again in a moment."
    else:
        sentence = "The database could not store this: try again; the log says what is wrong."
    error = StoreError(sentence)
    error.__cause__ = exc
    return error
