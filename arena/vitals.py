"""What the machinery around an arena asks: may visitors be sent here, and how is it doing?"""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock, Thread

from arena.catalogue import Roster
from arena.guards import Guards
from arena.metrics import Metrics
from arena.store import Store
from arena.streaming import Streams

log = logging.getLogger(__name__)

DATABASE_SECONDS = 1.0
FEWEST_MODELS = 2


@dataclass(frozen=True, slots=True)
class Readiness:
    """Why no visitor should be sent here now, as sentences that name no model; none when all is well."""

    ready_models: int
    reasons: tuple[str, ...]


class Vitals:
    """Whether the arena of this process can serve; safe to ask from many threads.

    Args:
        metrics: the figures of this process.
        ask_database: one short question to it.
        ready_models: how many models could answer now.
        patience_seconds: how long the database may take.
    """

    def __init__(
        self,
        metrics: Metrics,
        *,
        ask_database: Callable[[], object],
        ready_models: Callable[[], int],
        patience_seconds: float = DATABASE_SECONDS,
    ) -> None:
        self.metrics = metrics
        self._ask_database = ask_database
        self._ready_models = ready_models
        self._patience_seconds = patience_seconds
        self._lock = Lock()
        self._asked: Future[None] | None = None
        self._closing = False

    def close(self) -> None:
        """From now on no visitor should come."""
        self._closing = True

    def readiness(self) -> Readiness:
        """Ask the database, within its time, and count the models."""
        ready = self._ready_models()
        found = {
            "The arena is shutting down.": self._closing,
            "The database does not answer.": not self._closing and not self._database_answers(),
            f"Fewer than {FEWEST_MODELS} models are ready.": ready < FEWEST_MODELS,
        }
        return Readiness(ready, tuple(reason for reason, holds in found.items() if holds))

    def _database_answers(self) -> bool:
        """However many ask, one question is on its way: a database that hangs must not take a thread for each."""
        with self._lock:
            if self._asked is None or self._asked.done():
                self._asked = Future()
                Thread(target=self._ask, args=[self._asked], name="arena-vitals", daemon=True).start()
            asked = self._asked
        try:
            asked.result(self._patience_seconds)
        except TimeoutError:
            return False
        except Exception as error:  # noqa: BLE001 - whatever the engine raises; without its traceback, since probes repeat
            log.warning("the database does not answer: %s", error)
            return False
        return True

    def _ask(self, asked: "Future[None]") -> None:
        try:
            self._ask_database()
        except Exception as error:  # noqa: BLE001 - told to whoever waits
            asked.set_exception(error)
        else:
            asked.set_result(None)


def vitals_of(metrics: Metrics, *, store: Store, streams: Streams, roster: Roster, guards: Guards) -> Vitals:
    """The vitals of an arena made of these, whose figures of the moment join its metrics."""

    def ready() -> int:
        return len(roster.ready())

    metrics.gauge("arena_open_streams", "Answers being written.", streams.reply_count)
    metrics.gauge("arena_writes_queued", "Operations that wait to be stored.", store.write.waiting)
    metrics.gauge("arena_models_ready", "Models that could answer now.", ready)
    metrics.gauge("arena_models_resting", "Models that fail and are not drawn.", lambda: len(guards.resting()))
    return Vitals(metrics, ask_database=store.read.board_version, ready_models=ready)
