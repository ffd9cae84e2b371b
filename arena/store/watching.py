"""How long the database takes, told to whoever wants to know."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Protocol


class Watch(Protocol):
    """Is told of every transaction, on the thread that ran it; must be quick and raise nothing."""

    def read(self, seconds: float) -> None:
        """A look at the database was over, after so long."""
        ...

    def wrote(self, seconds: float, jobs: int) -> None:
        """So many operations were committed together, after so long."""
        ...

    def failed(self, act: str) -> None:
        """A transaction ended in an error: "read" or "write"."""
        ...


class Unwatched:
    """Nobody wants to know."""

    def read(self, seconds: float) -> None:
        """Forget it."""

    def wrote(self, seconds: float, jobs: int) -> None:
        """Forget it."""

    def failed(self, act: str) -> None:
        """Forget it."""


@contextmanager
def reading(watch: Watch) -> Iterator[None]:
    """One look at the database."""
    begun = perf_counter()
    try:
        yield
    except Exception:
        watch.failed("read")
        raise
    watch.read(perf_counter() - begun)


@contextmanager
def writing(watch: Watch, *, jobs: int) -> Iterator[None]:
    """One transaction that writes, its commit included."""
    begun = perf_counter()
    try:
        yield
    except Exception:
        watch.failed("write")
        raise
    watch.wrote(perf_counter() - begun, jobs)
