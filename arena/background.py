"""What takes long to rate: one thread makes it anew, and until then the last result that was finished serves."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Condition, Lock, Thread
from time import monotonic
from typing import Any, Generic, TypeVar

from arena.errors import BeingRated, CannotRate

log = logging.getLogger(__name__)

KEPT = 64
LOCKS = 16
# Whoever still wants a result asks again every second or so.
FORGET_SECONDS = 10.0
RETRY_SECONDS = 30.0
CLOSE_SECONDS = 1.0
FAILED = "This could not be computed: the administrator's log says why. It is tried again in half a minute."

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(Generic[T]):
    """Something to make.

    Args:
        key: what it is; a result replaces the one of the same key.
        version: of the board that it is to be made from.
        make: returns it, or raises CannotRate, which is an answer like any other.
        seconds: how long that will take, roughly; 0 for no time worth mentioning.
        title: what people call it.
        rest: a result of an older version serves for so many times as long as it took; for what a vote hardly changes.
    """

    key: Hashable
    version: int
    make: Callable[[], T]
    seconds: float
    title: str
    rest: float = 0.0


class Background:
    """Results by key, the newest of each; safe to ask from many threads.

    What takes no longer than `patience_seconds` is made at once, by the thread that asks for it, one thread for all who
    ask. Longer work waits for one background thread, which takes the newest request first and forgets those that nobody
    repeats for `forget_seconds`. After a result it leaves that key alone for `rest` times as long as it took: a board
    that is watched while votes come in costs a fifth of a processor at most.
    """

    def __init__(
        self, *, patience_seconds: float = 0.3, rest: float = 4.0, forget_seconds: float = FORGET_SECONDS
    ) -> None:
        self._patience_seconds = patience_seconds
        self._rest = rest
        self._forget_seconds = forget_seconds
        self._done: OrderedDict[Hashable, _Done] = OrderedDict()
        self._waiting: dict[Hashable, _Request] = {}
        self._running: _Request | None = None
        self._changed = Condition()
        self._one_by_one = [Lock() for _ in range(LOCKS)]
        self._thread: Thread | None = None
        self._closed = False

    def get(self, order: Order[T], *, wait: bool = False) -> T:
        """The result of the order; while a longer one is being made the one of an older version; `wait` makes it now.

        Raises:
            CannotRate: that is the result.
            BeingRated: there is none yet; ask again within a few seconds.
        """
        with self._changed:
            done = self._fresh(order)
            if done is None and not (wait or self._is_quick(order)):
                self._request(order)
                done = self._done.get(order.key)
                if done is None:
                    raise BeingRated(f"{order.title} is being computed.", share=self._share(order))
        if done is None:
            done = self._made_at_once(order)
        result: T = done.result()
        return result

    def close(self) -> None:
        """Forget what waits. What is being made ends unheard, if need be with the process."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)

    def _fresh(self, order: Order[Any]) -> "_Done | None":
        done = self._done.get(order.key)
        rests = done is not None and monotonic() - done.at < order.rest * done.seconds
        if done is None or (done.version < order.version and not rests):
            return None
        self._done.move_to_end(order.key)
        return done

    def _is_quick(self, order: Order[Any]) -> bool:
        """By the estimate, or by experience."""
        done = self._done.get(order.key)
        seconds = order.seconds if done is None or done.failed else min(order.seconds, done.seconds)
        return seconds <= self._patience_seconds

    def _made_at_once(self, order: Order[Any]) -> "_Done":
        with self._one_by_one[hash(order.key) % LOCKS]:
            with self._changed:
                done = self._fresh(order)
            if done is None:
                done = _made(order)
                with self._changed:
                    self._keep(order.key, done)
            return done

    def _keep(self, key: Hashable, done: "_Done") -> None:
        self._done[key] = done
        self._done.move_to_end(key)
        while len(self._done) > KEPT:
            self._done.popitem(last=False)

    def _request(self, order: Order[Any]) -> None:
        running = self._running
        if running is not None and running.order.key == order.key and running.order.version >= order.version:
            return
        self._waiting[order.key] = _Request(order, at=monotonic())
        self._changed.notify_all()
        if self._thread is None and not self._closed:
            self._thread = Thread(target=self._work, name="arena-background", daemon=True)
            self._thread.start()

    def _share(self, order: Order[Any]) -> float:
        """How far the first result of the order is, by the clock: 0 to 1."""
        running = self._running
        if running is None or running.order.key != order.key:
            return 0.0
        return min(1.0, (monotonic() - running.at) / order.seconds)

    def _work(self) -> None:
        while (order := self._next()) is not None:
            done = self._made_somehow(order)
            with self._changed:
                self._running = None
                self._keep(order.key, done)

    def _next(self) -> Order[Any] | None:
        """The order to make next, as soon as there is one; None when it is time to end."""
        with self._changed:
            while not self._closed:
                now = monotonic()
                late = now - self._forget_seconds
                self._waiting = {key: request for key, request in self._waiting.items() if request.at > late}
                due = [request for request in self._waiting.values() if self._rests_until(request) <= now]
                if due:
                    order = max(due, key=lambda request: request.at).order
                    del self._waiting[order.key]
                    self._running = _Request(order, at=now)
                    return order
                soonest = min(map(self._rests_until, self._waiting.values()), default=None)
                self._changed.wait(None if soonest is None else soonest - now)
            return None

    def _rests_until(self, request: "_Request") -> float:
        done = self._done.get(request.order.key)
        return 0.0 if done is None else done.at + max(self._rest * done.seconds, RETRY_SECONDS if done.failed else 0.0)

    def _made_somehow(self, order: Order[Any]) -> "_Done":
        try:
            return _made(order)
        except Exception:
            if not self._closed:
                log.exception("what was to be computed failed", extra={"title": order.title})
            return _Done(version=-1, value=None, refusal=FAILED, seconds=0.0, at=monotonic(), failed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """A value or a refusal; `seconds` is what it took, until `at` by the monotonic clock."""

    version: int
    value: Any
    refusal: str | None
    seconds: float
    at: float
    failed: bool = False

    def result(self) -> Any:  # noqa: ANN401 - whatever the order makes
        if self.refusal is not None:
            raise CannotRate(self.refusal)
        return self.value


@dataclass(frozen=True, slots=True)
class _Request:
    """An order and when it was asked for last; of a running one, when it began."""

    order: Order[Any]
    at: float


def _made(order: Order[Any]) -> _Done:
    begun = monotonic()
    value, refusal = None, None
    try:
        value = order.make()
    except CannotRate as error:
        refusal = str(error)
    now = monotonic()
    return _Done(version=order.version, value=value, refusal=refusal, seconds=now - begun, at=now)
