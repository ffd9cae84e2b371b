"""How often one voter, one network and everybody together may ask, vote and read. Nothing is dropped in silence."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from time import time
from typing import NamedTuple

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from arena.errors import LimitReached
from arena.roles import Role

log = logging.getLogger(__name__)

STEP_SECONDS = 5.0  # by which a clock may go back without anybody's noticing


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


class RateLimits:
    """Counts acts over moving windows; safe to call from many threads.

    Args:
        rates: the bounds.
        redis_url: where several replicas count together; without it each process counts for itself. While the server
            cannot be reached each process counts for itself, too, and `outages` tells how often that was.
        clock: seconds since 1970.
    """

    def __init__(
        self, rates: Rates | None = None, *, redis_url: str | None = None, clock: Callable[[], float] = time
    ) -> None:
        self._rates = rates or Rates()
        self._clock = clock
        self._seen = clock()
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._shared = _shared(redis_url)
        self._lock = Lock()
        self.outages = 0

    @property
    def is_shared(self) -> bool:
        """Whether several processes count together."""
        return self._shared is not None

    def take(self, act: Act, visitor: Visitor) -> None:
        """Count one act of a visitor.

        Raises:
            LimitReached: a bound is reached; nothing is counted, and the sentence says when to come back.
        """
        rules = list(_rules(self._rates, act, visitor))
        if not rules:
            return
        with self._lock:
            if self._shared is not None:
                try:
                    _take(self._shared, rules)
                except StorageError:
                    self.outages += 1
                    log.warning("the shared limits cannot be reached; this process counts for itself", exc_info=True)
                else:
                    return
            self._forget_the_future()
            _take(self._own, rules)

    def _forget_the_future(self) -> None:
        """What was counted before the clock stepped back would fill the windows until that moment comes again."""
        now = self._clock()
        if now < self._seen - STEP_SECONDS:
            self._own = MovingWindowRateLimiter(MemoryStorage())
        self._seen = now


def _shared(redis_url: str | None) -> MovingWindowRateLimiter | None:
    if redis_url is None:
        return None
    storage = storage_from_string(redis_url, wrap_exceptions=True, socket_timeout=1.0, socket_connect_timeout=1.0)
    return MovingWindowRateLimiter(storage)


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
