"""Every few minutes one process looks at all voters, and holds back or releases their votes."""

import logging
import secrets
from threading import Event, Thread

import numpy as np

from arena.errors import ArenaError
from arena.metrics import Metrics
from arena.store import Examined, Store
from leaderboard.integrity import UNKNOWN, Findings, IntegritySettings, Risk, sweep

log = logging.getLogger(__name__)

CHORE = "sweep"


class Sweeps:
    """The sweep as a chore of this process, on a thread of its own: a sweep of a million votes takes seconds.

    Args:
        store: open for writing.
        hold_above: votes of this risk or more are held.
        seconds: between two sweeps; with several processes one of them does all.
        metrics: where sweeps are counted.
    """

    def __init__(self, store: Store, *, hold_above: float, seconds: float, metrics: Metrics | None = None) -> None:
        self._store = store
        self._metrics = metrics or Metrics()
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
        """Look at everything now and do what follows from it; the votes of erased voters stay as they are."""
        seen = self._store.read.examined()
        findings = sweep(seen.ballots, seen.voters, settings=self._settings)
        known = seen.ballots.voter != UNKNOWN
        self._store.write.settle_sweep(
            hold=_grounds(seen, findings),
            release=frozenset(seen.seqs[known & seen.held & ~findings.hold].tolist()),
            alarms={alarm.model: alarm.reason.sentence for alarm in findings.alarms},
        ).result()
        self._metrics.chore(CHORE, done=True)
        return findings

    def _keep_sweeping(self) -> None:
        while not self._closing.wait(self._seconds):
            try:
                self._sweep_if_due()
            except ArenaError:
                self._metrics.chore(CHORE, done=False)
                log.exception("the sweep failed")
            except Exception:
                self._metrics.chore(CHORE, done=False)
                log.exception("the sweep broke")

    def _sweep_if_due(self) -> None:
        version = self._store.read.board_version()
        if version == self._seen_version:
            return  # nothing has come since
        if self._store.write.take_lease(CHORE, holder=self._holder, seconds=self._seconds * 1.5).result():
            self.sweep()
            self._seen_version = self._store.read.board_version()


def _grounds(seen: Examined, findings: Findings) -> dict[int, Risk]:
    """By number, the votes that count until now and are to be held, each with the reasons."""
    alarmed: dict[int, Risk] = {}
    for alarm in findings.alarms:
        for row in alarm.rows.tolist():
            alarmed[row] = alarmed.get(row, Risk()).and_also(Risk.of([alarm.reason]))
    return {
        int(seen.seqs[row]): findings.risks.get(int(seen.ballots.voter[row]), Risk()).and_also(alarmed.get(row, Risk()))
        for row in np.flatnonzero((seen.ballots.voter != UNKNOWN) & findings.hold & seen.counted).tolist()
    }
