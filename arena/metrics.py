"""What one process counts and times, for Prometheus. It names the models: none of it may reach a voter.

Whoever sees the counters of two models before and after an answer knows who wrote it. So they are served to the
operator alone, and no page shows them.
"""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, ParamSpec

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from arena.domain import Reply, Vote

P = ParamSpec("P")

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
ANSWER_SECONDS: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
DATABASE_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BATCH_SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """The figures of one process, in a registry of their own; safe to call from many threads.

    It is also the store's `Watch`. Several replicas have one each: sum them where they are collected.
    """

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self._battles = Counter("arena_battles", "Battles opened.", registry=registry)
        self._votes = Counter("arena_votes", "Votes stored.", registry=registry)
        self._left_out = Counter(
            "arena_votes_left_out", "Votes left out of the board when cast.", ["reason"], registry=registry
        )
        self._replies = Counter(
            "arena_replies", "Answers that ended, by model and how.", ["model", "status"], registry=registry
        )
        self._faults = Counter(
            "arena_provider_errors", "Answers that failed, by class of error.", ["model", "fault"], registry=registry
        )
        self._first = _histogram(registry, "arena_first_token_seconds", "From the request to the first text.")
        self._whole = _histogram(registry, "arena_answer_seconds", "From the request to the end of an answer.")
        self._guarded = Counter("arena_guard_events", "What the guards did.", ["event"], registry=registry)
        self._chores = Counter("arena_chores", "Chores done and failed.", ["chore", "outcome"], registry=registry)
        self._database = Histogram(
            "arena_database_seconds",
            "A transaction, its commit included.",
            ["act"],
            buckets=DATABASE_SECONDS,
            registry=registry,
        )
        self._batches = Histogram(
            "arena_database_batch", "Operations committed together.", buckets=BATCH_SIZES, registry=registry
        )
        self._database_errors = Counter(
            "arena_database_errors", "Transactions that ended in an error.", ["act"], registry=registry
        )

    def text(self) -> bytes:
        """All figures in Prometheus's text format, of the type `CONTENT_TYPE`."""
        return generate_latest(self._registry)

    def gauge(self, name: str, about: str, figure: Callable[[], float]) -> None:
        """Ask for a figure whenever the text is made."""
        Gauge(name, about, registry=self._registry).set_function(figure)

    def battle_opened(self) -> None:
        """Both answers of a new battle are on their way."""
        self._battles.inc()

    def counting(self, cast: Callable[P, "Future[Vote]"]) -> Callable[P, "Future[Vote]"]:
        """`cast`, with every vote that it stores counted."""

        def counted(*args: P.args, **kwargs: P.kwargs) -> "Future[Vote]":
            vote = cast(*args, **kwargs)
            vote.add_done_callback(self._voted)
            return vote

        return counted

    def answered(self, model: str, reply: Reply) -> None:
        """An attempt has ended."""
        self._replies.labels(model, reply.status.value).inc()
        if reply.fault is not None:
            self._faults.labels(model, reply.fault.value).inc()
        if reply.figures.first_token_ms is not None:
            self._first.labels(model).observe(reply.figures.first_token_ms / 1000)
        if reply.figures.duration_ms is not None:
            self._whole.labels(model).observe(reply.figures.duration_ms / 1000)

    def guarded(self, event: str) -> None:
        """A guard refused something, rested a model, or could not ask."""
        self._guarded.labels(event).inc()

    def chore(self, name: str, *, done: bool) -> None:
        """A chore beside the visitors' wishes was done, or failed."""
        self._chores.labels(name, "done" if done else "failed").inc()

    def read(self, seconds: float) -> None:
        """As `Watch`."""
        self._database.labels("read").observe(seconds)

    def wrote(self, seconds: float, jobs: int) -> None:
        """As `Watch`."""
        self._database.labels("write").observe(seconds)
        self._batches.observe(jobs)

    def failed(self, act: str) -> None:
        """As `Watch`."""
        self._database_errors.labels(act).inc()

    def _voted(self, vote: "Future[Vote]") -> None:
        if vote.cancelled() or vote.exception() is not None:
            return
        self._votes.inc()
        if (reason := vote.result().left_out) is not None:
            self._left_out.labels(reason).inc()


def _histogram(registry: CollectorRegistry, name: str, about: str) -> Histogram:
    return Histogram(name, about, ["model"], buckets=ANSWER_SECONDS, registry=registry)
