"""The few seconds in which a verdict can still be undone."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import Protocol

from arena.domain import Vote
from arena.errors import AlreadyVoted
from arena.store import PLAIN_CASTING, Casting
from arena.views import HeldVerdict
from leaderboard.verdicts import Verdict

log = logging.getLogger(__name__)


class Timer(Protocol):
    """A call that has not happened yet."""

    def cancel(self) -> None:
        """Prevent it; does nothing once it happened."""
        ...


@dataclass(slots=True, kw_only=True, eq=False)
class _Hold:
    verdict: Verdict
    owner: str
    casting: Casting
    due_at: float
    timer: Timer | None = None
    vote: Future[Vote] | None = field(default=None)


class Holds:
    """Verdicts between the click and the vote, one a battle, in this process's memory.

    A hold ends in exactly one way: `undo` takes it back, or `submit` (by the timer or by **Reveal now**) stores it.
    A held verdict is lost when the process is killed: nobody was told that it counts.

    Args:
        store_vote: stores a verdict for (battle id, owner, verdict, casting); resolves once it is durable.
        call_later: runs a call after some seconds on another thread.
        seconds: how long a verdict is held.
    """

    def __init__(
        self,
        *,
        store_vote: Callable[[str, str, Verdict, Casting], Future[Vote]],
        call_later: Callable[[float, Callable[[], object]], Timer],
        seconds: float,
    ) -> None:
        self._store_vote = store_vote
        self._call_later = call_later
        self._seconds = seconds
        self._lock = Lock()
        self._holds: dict[str, _Hold] = {}
        self._failed: set[str] = set()

    def hold(self, battle_id: str, owner: str, verdict: Verdict, casting: Casting = PLAIN_CASTING) -> None:
        """Hold `verdict`; a battle whose verdict is held already keeps the first one (a double click, a second tab)."""
        with self._lock:
            if battle_id in self._holds:
                return
            self._failed.discard(battle_id)
            held = _Hold(verdict=verdict, owner=owner, casting=casting, due_at=monotonic() + self._seconds)
            self._holds[battle_id] = held
            held.timer = self._call_later(self._seconds, lambda: self._submit(battle_id, held))

    def undo(self, battle_id: str, owner: str) -> bool:
        """Take the held verdict back; False when there is none or when it is being stored already."""
        with self._lock:
            held = self._holds.get(battle_id)
            if held is None or held.owner != owner or held.vote is not None:
                return False
            del self._holds[battle_id]
        if held.timer is not None:
            held.timer.cancel()
        return True

    def submit(self, battle_id: str, owner: str) -> Future[Vote] | None:
        """Store the held verdict now; None when `owner` holds none."""
        with self._lock:
            held = self._holds.get(battle_id)
        return self._submit(battle_id, held) if held is not None and held.owner == owner else None

    def submit_all(self) -> None:
        """Store every held verdict now and wait; for a shutdown, which must not lose what people chose."""
        with self._lock:
            holds = list(self._holds.items())
        votes = [vote for battle_id, held in holds if (vote := self._submit(battle_id, held)) is not None]
        wait(votes)

    def held(self, battle_id: str) -> HeldVerdict | None:
        """What is held for a battle."""
        with self._lock:
            held = self._holds.get(battle_id)
        if held is None:
            return None
        left = 0.0 if held.vote is not None else max(0.0, held.due_at - monotonic())
        return HeldVerdict(verdict=held.verdict, seconds_left=left)

    def failed(self, battle_id: str) -> bool:
        """Whether the last verdict of a battle could not be stored."""
        return battle_id in self._failed

    def _submit(self, battle_id: str, held: _Hold) -> Future[Vote] | None:
        with self._lock:
            if self._holds.get(battle_id) is not held:
                return held.vote
            if held.vote is not None:
                return held.vote
            held.vote = vote = self._store_vote(battle_id, held.owner, held.verdict, held.casting)
        if held.timer is not None:
            held.timer.cancel()
        vote.add_done_callback(lambda done: self._settle(battle_id, done))
        return vote

    def _settle(self, battle_id: str, vote: Future[Vote]) -> None:
        with self._lock:
            self._holds.pop(battle_id, None)
            if not vote.cancelled() and (vote.exception() is None or isinstance(vote.exception(), AlreadyVoted)):
                return  # another replica's hold of this battle may have come first: there is one vote, and it is shown
            self._failed.add(battle_id)
        log.error("a vote could not be stored", extra={"battle_id": battle_id}, exc_info=vote.exception())
