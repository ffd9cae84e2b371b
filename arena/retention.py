"""Prompts and answers are kept for so many days, when the operator says so; what was counted from them stays."""

import logging
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

from arena.store import Store

log = logging.getLogger(__name__)

CHORE = "retention"
SECONDS = 3600.0
REST_SECONDS = 0.05
LISTED_AT_ONCE = 5_000
REMOVED_AT_ONCE = 50


class Retention:
    """Removing old texts as a chore of this process, on a thread of its own; with several processes one does all.

    Args:
        store: open for writing.
        days: how long texts are kept; None keeps them for ever.
        clock: tells the time in UTC.
    """

    def __init__(
        self, store: Store, *, days: int | None, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._store = store
        self._days = days
        self._clock = clock
        self._holder = secrets.token_urlsafe(8)
        self._closing = Event()
        self._thread = Thread(target=self._keep_removing, name="arena-retention", daemon=True)

    def start(self) -> None:
        """Begin, at once and then every hour; does nothing when texts are kept for ever."""
        if self._days is not None:
            self._thread.start()

    def close(self) -> None:
        """End the thread; may be called twice, and without a start."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()

    def remove_old(self) -> int:
        """Remove what is too old, in steps between which others write; from how many battles."""
        if self._days is None:
            return 0
        removed = 0
        before = self._clock() - timedelta(days=self._days)
        while battles := self._store.read.texts.older_than(before, limit=LISTED_AT_ONCE):
            for first in range(0, len(battles), REMOVED_AT_ONCE):
                if self._closing.wait(REST_SECONDS if removed else 0.0):
                    return removed
                some = battles[first : first + REMOVED_AT_ONCE]
                self._store.write.remove_texts(some).result()
                removed += len(some)
        return removed

    def _keep_removing(self) -> None:
        while not self._closing.is_set():
            try:
                if self._store.write.take_lease(CHORE, holder=self._holder, seconds=SECONDS * 1.5).result():
                    removed = self.remove_old()
                    log.info("old texts were removed", extra={"battles": removed})
            except Exception:
                log.exception("old texts could not be removed; the next hour tries again")
            self._closing.wait(SECONDS)
