"""Every few minutes one process looks at all voters, and holds back or releases their votes."""

import logging
import secrets
from threading import Event, Thread

from arena.errors import ArenaError
from arena.store import Store
from leaderboard.integrity import Findings, IntegritySettings, sweep

log = logging.getLogger(__name__)

CHORE = "sweep"


class Sweeps:
    """The sweep as a chore of this process, on a thread of its own: a sweep of a million votes takes seconds.

    Args:
        store: open for writing.
        hold_above: votes of this risk or more are held.
        seconds: between two sweeps; with several processes one of them does all.
    """

    def __init__(self, store: Store, *, hold_above: float, seconds: float) -> None:
        self._store = store
        self._settings = IntegritySettings(hold_at=hold_above)
        self._seconds = seconds
        self._holder = secrets.token_urlsafe(8)
        self._closing = Event()
        self._seen_version: int | None = None
        self._thread = Thread(target=self._keep_sweeping, name="arena-sweeps", daemon=True)

    def start(self) -> None:
        """Begin; the first sweep comes after one pause."""
        self._thread.start()

    def close(self) -> None:
        """End the thread; a sweep on its way is finished first. May be called twice."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()

    def sweep(self) -> Findings:
        """Look at everything now and do what follows from it."""
        seen = self._store.read.examined()
        findings = sweep(seen.ballots, seen.voters, settings=self._settings)
        self._store.write.settle_sweep(
            hold=frozenset(seen.seqs[findings.hold & seen.counted].tolist()),
            release=frozenset(seen.seqs[seen.held & ~findings.hold].tolist()),
            alarms={alarm.model: alarm.reason.sentence for alarm in findings.alarms},
        ).result()
        return findings

    def _keep_sweeping(self) -> None:
        while not self._closing.wait(self._seconds):
            try:
                self._sweep_if_due()
            except ArenaError:
                log.exception("the sweep failed")
            except Exception:
                log.exception("the sweep broke")

    def _sweep_if_due(self) -> None:
        version = self._store.read.board_version()
        if version == self._seen_version:
            return  # nothing has come since
        if self._store.write.take_lease(CHORE, holder=self._holder, seconds=self._seconds * 1.5).result():
            self.sweep()
            self._seen_version = self._store.read.board_version()
