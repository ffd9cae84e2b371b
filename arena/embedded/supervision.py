"""The embedded models of one arena: fetched one after the other, each served as soon as it is here."""

import logging
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event, Lock, Thread

from arena.embedded.fetch import FetchProgress, FetchState, default_cache_dir, fetch_weights
from arena.embedded.process import ModelProcess, Served, child_command
from arena.embedded.weights import CONTEXT_TOKENS, WEIGHTS, Weights
from arena.errors import EmbeddedError, UnknownModel

log = logging.getLogger(__name__)

# Two, because a model may meet itself under another setting, and then both answers stream at once.
SLOTS = 2
RETRY_SECONDS = (30.0, 120.0, 600.0)
STOP_SECONDS = 5.0

Command = Callable[[Weights, Path, int], tuple[str, ...]]


class EmbeddedModels:
    """Fetches and serves the weights called `names`; the smallest first, so that battles open early.

    Ask `supported()` first.

    Args:
        names: weights from the table; none is fine.
        cache_dir: where the weights are kept, the user's cache folder by default.
        on_change: called, in any thread and quickly please, when a model becomes ready, ceases to be or cannot be had,
            and when a fetch begins or ends; not for every byte.
        table, command: other weights, and another server program (weights, file, threads) for them.
        retry_seconds: the pauses after which what cannot be fetched is tried again.

    Raises:
        UnknownModel: there are no such weights.
    """

    def __init__(
        self,
        names: Collection[str],
        *,
        cache_dir: Path | None = None,
        on_change: Callable[[], object] = lambda: None,
        table: Mapping[str, Weights] = WEIGHTS,
        command: Command | None = None,
        retry_seconds: Sequence[float] = RETRY_SECONDS,
    ) -> None:
        unknown = [name for name in names if name not in table]
        if unknown:
            raise UnknownModel(f"There is no embedded model {unknown[0]!r}; there are {', '.join(table)}.")
        self._weights = sorted((table[name] for name in dict.fromkeys(names)), key=lambda weights: weights.size_bytes)
        self._cache_dir = cache_dir or default_cache_dir()
        self._on_change = on_change
        self._command = command or _command
        self._retry_seconds = tuple(retry_seconds)
        self._closing = Event()
        self._lock = Lock()
        self._progress = {weights.name: _waiting(weights) for weights in self._weights}
        self._processes: dict[str, ModelProcess] = {}
        self._thread = Thread(target=self._fetch_all, name="embedded-fetch", daemon=True)

    def start(self) -> None:
        """Begin to fetch and serve, in the background."""
        self._thread.start()

    def endpoint(self, name: str) -> Served | None:
        """Where the weights `name` are served right now; None while they are not."""
        process = self._process(name)
        return process.served if process else None

    def ready_names(self) -> tuple[str, ...]:
        """The weights that are served, smallest first; one whose child is being replaced stays among them."""
        return tuple(w.name for w in self._weights if (process := self._process(w.name)) and process.ready)

    def progress(self) -> tuple[FetchProgress, ...]:
        """How far each fetch has come, smallest first. A model that is here but does not start has failed, too."""
        return tuple(self._progress_of(weights) for weights in self._weights)

    def close(self) -> None:
        """End the fetch and every child; without effect the second time."""
        self._closing.set()
        with self._lock:
            processes = tuple(self._processes.values())
        for process in processes:
            process.stop()
        for process in processes:
            process.close()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def _process(self, name: str) -> ModelProcess | None:
        with self._lock:
            return self._processes.get(name)

    def _progress_of(self, weights: Weights) -> FetchProgress:
        with self._lock:
            progress = self._progress[weights.name]
        process = self._process(weights.name)
        if process is None or process.error is None:
            return progress
        sentence = f"{weights.spec.display_name} does not start: {process.error}."
        return replace(progress, state=FetchState.FAILED, error=sentence)

    def _fetch_all(self) -> None:
        wanted = self._weights
        for pause in (*self._retry_seconds, None):
            wanted = [weights for weights in wanted if not self._closing.is_set() and not self._bring(weights)]
            if not wanted or pause is None or self._closing.wait(pause):
                return

    def _bring(self, weights: Weights) -> bool:
        try:
            gguf = fetch_weights(weights, cache_dir=self._cache_dir, progress=self._note, cancelled=self._closing)
        except EmbeddedError as exc:
            if not self._closing.is_set():
                log.warning("An embedded model cannot be fetched.", extra={"weights": weights.name, "reason": str(exc)})
            return False
        self._serve(weights, gguf)
        return True

    def _note(self, progress: FetchProgress) -> None:
        with self._lock:
            before = self._progress[progress.name]
            self._progress[progress.name] = progress
        if sentence := _news(before, progress):
            log.info(sentence)
        if before.state is not progress.state and not self._closing.is_set():
            self._on_change()

    def _serve(self, weights: Weights, gguf: Path) -> None:
        command = self._command(weights, gguf, max(1, _cores() // len(self._weights)))
        process = ModelProcess(command, log_path=self._cache_dir / f"{weights.name}.log", on_change=self._on_change)
        with self._lock:
            if self._closing.is_set():
                return
            self._processes[weights.name] = process
            process.start()


def _command(weights: Weights, gguf: Path, threads: int) -> tuple[str, ...]:
    return child_command(gguf, alias=weights.name, threads=threads, slots=SLOTS, context_tokens=CONTEXT_TOKENS)


def _cores() -> int:
    """The cores this process may use; more threads than that starve each other."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _news(before: FetchProgress, now: FetchProgress) -> str | None:
    """What the terminal is told: every tenth of a fetch, and its end; nothing of a model that was here already."""
    if now.state is FetchState.FETCHING and _tenth(now) > (_tenth(before) if before.state is now.state else -1):
        return f"Fetching {now.name}: {_tenth(now) * 10} % of {now.bytes_total / 1e6:.0f} MB."
    if now.state is FetchState.READY and before.state in {FetchState.FETCHING, FetchState.JOINING}:
        return f"{now.name} is here."
    return None


def _tenth(progress: FetchProgress) -> int:
    return progress.bytes_done * 10 // max(1, progress.bytes_total)


def _waiting(weights: Weights) -> FetchProgress:
    return FetchProgress(name=weights.name, state=FetchState.WAITING, bytes_total=weights.download_bytes)
