"""Models that keep failing are rested for a while, and come back once they answered a probe."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from time import monotonic

from arena.domain import Fault

# What another answer cannot heal: the model rests after the first.
HOPELESS = frozenset({Fault.REFUSED_KEY, Fault.QUOTA, Fault.NOT_FOUND, Fault.TLS})
# What the prompt brought about, or nobody did: says nothing of the model.
BLAMELESS = frozenset({Fault.CONTENT_FILTER, Fault.MODERATED, Fault.CONTEXT_OVERFLOW, Fault.TOO_LARGE, Fault.NOT_READY})
LONGEST_PAUSE_SECONDS = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerSettings:
    """How many failures in a row, each within `window_seconds` of the next, rest a model, and for how long at first.

    With 0 `failures` no model ever rests.
    """

    failures: int = 3
    window_seconds: float = 300.0
    pause_seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """A model that is not drawn: since when, why, and when it is probed next. For the administrator: it names it."""

    model: str
    fault: Fault
    failures: int
    since: datetime
    probe_at: datetime


@dataclass(slots=True)
class _Circuit:
    failures: int = 0
    failed_at: float = 0.0
    fault: Fault = Fault.INTERNAL
    rested_at: float | None = None
    probe_at: float = 0.0
    pause_seconds: float = 0.0


class Breakers:
    """One circuit breaker a model, in this process's memory; safe to call from many threads.

    A model rests after `failures` in a row, or after one that no other answer can heal. When its pause is over it is
    `due`: the caller probes it and tells the outcome. A failed probe doubles the pause, up to 15 minutes.
    """

    def __init__(self, settings: BreakerSettings | None = None, *, clock: Callable[[], float] = monotonic) -> None:
        self._settings = settings or BreakerSettings()
        self._clock = clock
        self._lock = Lock()
        self._circuits: dict[str, _Circuit] = {}

    def record(self, model: str, fault: Fault | None) -> bool:
        """Take note of an answer; None for one that was fine. True when the model begins to rest."""
        if fault in BLAMELESS:
            return False
        with self._lock:
            if fault is None:
                self._circuits.pop(model, None)
                return False
            return self._fail(self._circuits.setdefault(model, _Circuit()), fault)

    def probed(self, model: str, fault: Fault | None) -> None:
        """Take note of how a `due` model answered the probe; None lets it play again."""
        with self._lock:
            if fault is None:
                self._circuits.pop(model, None)
            elif (circuit := self._circuits.get(model)) is not None:
                circuit.fault = fault
                circuit.failures += 1
                self._pause(circuit, min(circuit.pause_seconds * 2, LONGEST_PAUSE_SECONDS))

    def resting(self) -> Mapping[str, Rest]:
        """The models that must not be drawn now, by name."""
        with self._lock:
            now, moment = self._clock(), datetime.now(UTC)
            return {
                name: Rest(
                    model=name,
                    fault=circuit.fault,
                    failures=circuit.failures,
                    since=moment - timedelta(seconds=now - circuit.rested_at),
                    probe_at=moment + timedelta(seconds=circuit.probe_at - now),
                )
                for name, circuit in sorted(self._circuits.items())
                if circuit.rested_at is not None
            }

    def due(self) -> tuple[str, ...]:
        """The models whose pause is over; each is told once a pause, so that one caller probes it."""
        with self._lock:
            now = self._clock()
            due = []
            for name, circuit in sorted(self._circuits.items()):
                if circuit.rested_at is not None and now >= circuit.probe_at:
                    circuit.probe_at = now + circuit.pause_seconds
                    due.append(name)
            return tuple(due)

    def _fail(self, circuit: _Circuit, fault: Fault) -> bool:
        if circuit.rested_at is not None or not self._settings.failures:
            return False  # it was asked before it began to rest, or never rests
        now = self._clock()
        is_stale = now - circuit.failed_at > self._settings.window_seconds
        circuit.failures = 1 if is_stale else circuit.failures + 1
        circuit.failed_at, circuit.fault = now, fault
        if circuit.failures < self._settings.failures and fault not in HOPELESS:
            return False
        circuit.rested_at = now
        self._pause(circuit, self._settings.pause_seconds)
        return True

    def _pause(self, circuit: _Circuit, seconds: float) -> None:
        circuit.pause_seconds = seconds
        circuit.probe_at = self._clock() + seconds
