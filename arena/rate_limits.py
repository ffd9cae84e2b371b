"""How often one voter, one network and everybody together may ask, vote and read. Nothing is dropped in silence."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from threading import Lock
from time import monotonic, time
from typing import Any, Final, NamedTuple

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerMinute
from limits.errors import ConfigurationError, StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from arena.errors import LimitReached
from arena.roles import Role

log = logging.getLogger(__name__)

STEP_SECONDS: Final = 5.0  # by which a clock may go back without anybody's noticing
PATIENCE_SECONDS: Final = 1.0
REST_SECONDS: Final = 5.0
SCHEMES: Final = ("redis://", "rediss://", "redis+unix://")


class Act(StrEnum):
    """What is counted."""

    PROMPT = "prompt"
    VOTE = "vote"
    READ = "read"


_DONE = {Act.PROMPT: "asked", Act.VOTE: "voted", Act.READ: "read from the API"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """The most of each within any minute, or any 24 hours; 0 sets no limit."""

    voter_prompts_per_minute: int = 20
    voter_votes_per_minute: int = 30
    voter_votes_per_day: int = 1_000
    network_prompts_per_minute: int = 120
    network_votes_per_minute: int = 120
    network_votes_per_day: int = 5_000
    network_reads_per_minute: int = 120
    all_prompts_per_minute: int = 0
    all_votes_per_minute: int = 0
    all_votes_per_day: int = 0
    all_reads_per_minute: int = 0


class Visitor(NamedTuple):
    """Who asks: the voter, and a keyed hash of the network that the request came from (None when nobody knows).

    `role` is None for who has not logged in.
    """

    voter: str
    network: str | None = None
    role: Role | None = None


class _Rule(NamedTuple):
    item: RateLimitItem
    scope: str
    key: str
    words: str


class Outage(NamedTuple):
    """Since when the shared limits cannot be reached, and how many acts this process has counted for itself since."""

    since: datetime
    acts: int


class RateLimits:
    """Counts acts over moving windows; safe to call from many threads.

    Args:
        rates: the bounds.
        redis_url: where several replicas count together; without it each process counts for itself. While the server
            cannot be reached each process counts for itself, too, and `outages` tells how many acts that were.
        clock: seconds since 1970.
        on_outage: told of each act that was counted here because the server could not be reached; must not block.
        patience_seconds: how long one act waits for the server at most.
        rest_seconds: how long a server that kept somebody waiting is left alone.
    """

    def __init__(
        self,
        rates: Rates | None = None,
        *,
        redis_url: str | None = None,
        clock: Callable[[], float] = time,
        on_outage: Callable[[Act], object] | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
        rest_seconds: float = REST_SECONDS,
    ) -> None:
        self._rates = rates or Rates()
        self._clock = clock
        self._seen = clock()
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._shared = None if redis_url is None else _shared(redis_url, patience_seconds)
        self._on_outage = on_outage
        self._patience_seconds = patience_seconds
        self._rest_seconds = rest_seconds
        self._ask_at = 0.0
        self._outage: Outage | None = None
        self._lock = Lock()
        self.outages = 0

    @property
    def is_shared(self) -> bool:
        """Whether several processes count together, or would if the server could be reached."""
        return self._shared is not None

    def outage(self) -> Outage | None:
        """Ask the server for a sign of life; None when it gives one, or when nothing is shared."""
        if self._shared is None:
            return None
        try:
            self._shared.storage.get("sign of life")
        except StorageError as error:
            with self._lock:
                if self._outage is None:
                    self._silent(error)
                return self._outage
        with self._lock:
            self._answered()
            return None

    def take(self, act: Act, visitor: Visitor) -> None:
        """Count one act of a visitor.

        Raises:
            LimitReached: a bound is reached; nothing is counted, and the sentence says when to come back.
        """
        rules = list(_rules(self._rates, act, visitor))
        if not rules:
            return
        with self._lock:
            if self._shared is not None and self._taken_together(self._shared, act, rules):
                return
            self._forget_the_future()
            _take(self._own, rules)

    def _taken_together(self, shared: MovingWindowRateLimiter, act: Act, rules: list[_Rule]) -> bool:
        """Whether the server has counted the act; one that hangs keeps one visitor waiting, not all in a row."""
        began = monotonic()
        if began >= self._ask_at:
            try:
                _take(shared, rules)
            except StorageError as error:
                self._silent(error)
                if monotonic() - began > self._patience_seconds / 2:  # a refused connection costs nothing: ask again
                    self._ask_at = monotonic() + self._rest_seconds
            except LimitReached:
                self._answered()
                raise
            else:
                self._answered()
                return True
        self.outages += 1
        if self._outage is not None:
            self._outage = self._outage._replace(acts=self._outage.acts + 1)
        if self._on_outage is not None:
            self._on_outage(act)
        return False

    def _silent(self, error: StorageError) -> None:
        if self._outage is None:
            self._outage = Outage(datetime.now(UTC), 0)
            log.warning("the shared limits cannot be reached; this process counts for itself", exc_info=error)
        else:
            log.warning("the shared limits still cannot be reached: %s", error.storage_error)

    def _answered(self) -> None:
        if self._outage is not None:
            log.info("the shared limits can be reached again; %d acts were counted here", self._outage.acts)
        self._outage, self._ask_at = None, 0.0

    def _forget_the_future(self) -> None:
        """What was counted before the clock stepped back would fill the windows until that moment comes again."""
        now = self._clock()
        if now < self._seen - STEP_SECONDS:
            self._own = MovingWindowRateLimiter(MemoryStorage())
        self._seen = now


def checked_redis_url(url: str) -> str:
    """The address, if it is one of a Redis; nobody is asked.

    Raises:
        ValueError: it is none; says what one looks like, and nothing of a password in it.
    """
    try:
        if url.startswith(SCHEMES):
            _shared(url, PATIENCE_SECONDS)
            return url
    except (ConfigurationError, ValueError):
        pass
    raise ValueError("is no address of a Redis, such as redis://127.0.0.1:6379/0 or redis+unix:///run/redis.sock")


def _shared(redis_url: str, patience_seconds: float) -> MovingWindowRateLimiter:
    patience: dict[str, Any] = {"socket_timeout": patience_seconds, "socket_connect_timeout": patience_seconds}
    return MovingWindowRateLimiter(storage_from_string(redis_url, wrap_exceptions=True, **patience))


def _take(limiter: MovingWindowRateLimiter, rules: list[_Rule]) -> None:
    for ask in (limiter.test, limiter.hit):  # another process may take the last place in between: both must say yes
        for rule in rules:
            if not ask(rule.item, rule.scope, rule.key):
                seconds = max(1, round(limiter.get_window_stats(rule.item, rule.scope, rule.key).reset_time - time()))
                raise LimitReached(f"{rule.words} Go on {_in_words(seconds)}.", retry_after_seconds=seconds)


def _rules(rates: Rates, act: Act, visitor: Visitor) -> Iterator[_Rule]:
    minute, day = f"{act}s_per_minute", f"{act}s_per_day"
    who = {
        "voter": (visitor.voter, "You have {done} {times} in the last {span}."),
        "network": (
            visitor.network,
            "Your network has {done} {times} in the last {span}, the most that is taken.",
        ),
        "all": ("", "Everybody together has {done} {times} in the last {span}, the most that is taken."),
    }
    for scope, (key, words) in who.items():
        for name, item, span in ((minute, RateLimitItemPerMinute, "minute"), (day, RateLimitItemPerDay, "24 hours")):
            bound = getattr(rates, f"{scope}_{name}", 0)
            if bound and key is not None:
                said = words.format(done=_DONE[act], times="once" if bound == 1 else f"{bound:,} times", span=span)
                yield _Rule(item(bound), f"{scope}:{act}", key, said)


def _in_words(seconds: int) -> str:
    if seconds < 2 * 60:
        return f"in {seconds} second{'s' * (seconds > 1)}"
    if seconds < 2 * 60 * 60:
        return f"in {-(-seconds // 60)} minutes"
    return f"in {-(-seconds // 3600)} hours"
