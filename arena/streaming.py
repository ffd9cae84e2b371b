"""Answers that are being written: one background loop serves every battle of the process."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from threading import Lock, Thread
from time import monotonic
from types import MappingProxyType
from typing import Any, TypeVar

from arena.domain import Fault, Message, ModelSpec, Reply, ReplyFigures, ReplyStatus, Side
from arena.errors import ProviderFault
from arena.live import LiveBattle, LiveSide, Mask
from arena.providers import Provider, StreamEnd, StreamLimits, TextDelta, ask, redacted

log = logging.getLogger(__name__)

T = TypeVar("T")

RENEW_SECONDS = 2.0
REAP_SECONDS = 0.5
CLOSE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is asked, and with which key."""

    base_url: str
    api_key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamJob:
    """One reply to fetch. `messages` end with the prompt and do not hold the system prompt.

    `resolve` is called on the loop, so it must not block; it raises ProviderFault when the model cannot be asked now.
    Readers see the text through a mask that `mask` makes, or as it is; stored is what the model wrote. `inspect` looks
    at the ended attempt before it is recorded, may return another, and may take its time.
    """

    turn: int
    side: Side
    attempt: int
    spec: ModelSpec
    messages: Sequence[Message]
    resolve: Callable[[], Endpoint]
    mask: Callable[[], Mask] | None = None
    inspect: Callable[["StreamJob", Reply], Awaitable[Reply]] | None = None


class Timer:
    """A call that has not happened yet."""

    def __init__(self, action: Callable[[], object]) -> None:
        self._action = action
        self._cancelled = False

    def cancel(self) -> None:
        """Prevent it, from any thread; does nothing once it happened."""
        self._cancelled = True

    def fire(self) -> None:
        """Make the call; for the loop."""
        if not self._cancelled:
            with _logged("a delayed call failed"):
                self._action()


class Streams:
    """Runs streams on an asyncio loop in a daemon thread of its own; every method may be called from any thread.

    Args:
        providers: the providers by name; they are used on the loop only and closed with it.
        record: stores an ended attempt of a battle. It must not block; the side shows its end when the future
            resolves, so a page that sees the end can read it from the database.
        renew: tells the store which battles are still being written, every 2 s. It must not block.
        limits: what one reply may take.
        lease_seconds: how long a battle goes on after the last `touch`.
    """

    def __init__(
        self,
        providers: Mapping[str, Provider],
        *,
        record: Callable[[str, Reply], Future[Any]],
        renew: Callable[[Sequence[str]], object],
        limits: StreamLimits | None = None,
        lease_seconds: float = 5.0,
    ) -> None:
        self._providers = dict(providers)
        self._record = record
        self._renew = renew
        self._limits = limits or StreamLimits()
        self._lease_seconds = lease_seconds
        self._lock = Lock()
        self._battles: dict[str, LiveBattle] = {}
        self._running: dict[str, set[_RunningReply]] = {}
        self._closed = False
        self._loop = asyncio.new_event_loop()
        self._closing = asyncio.Event()
        self._thread = Thread(target=self._serve, name="arena-streams", daemon=True)
        self._thread.start()

    def start(self, battle_id: str, jobs: Iterable[StreamJob], *, hidden: bool = False) -> LiveBattle:
        """Begin to write the replies of `jobs`, which join those of the battle that are still on their way.

        Of hidden ones nothing can be read before they are stored.

        Raises:
            RuntimeError: the streams are closed.
        """
        replies = [_RunningReply(battle_id, job, hidden=hidden) for job in jobs]
        with self._lock:
            if self._closed:
                raise RuntimeError("The streams are closed: no reply can be started.")
            battle = self._battles.get(battle_id) or LiveBattle(battle_id, stop=partial(self._stop, battle_id))
            battle.touch()
            battle.sides = MappingProxyType({**battle.sides, **{reply.job.side: reply.live for reply in replies}})
            self._battles[battle_id] = battle
            self._running.setdefault(battle_id, set()).update(replies)
            self._post(lambda: self._launch(replies))  # under the lock: so that nothing starts after `close`
        return battle

    def get(self, battle_id: str) -> LiveBattle | None:
        """The battle while at least one of its replies is on its way."""
        with self._lock:
            return self._battles.get(battle_id)

    def live_count(self) -> int:
        """How many battles are being written."""
        with self._lock:
            return len(self._battles)

    def reply_count(self) -> int:
        """How many answers are being written."""
        with self._lock:
            return sum(map(len, self._running.values()))

    def call_later(self, seconds: float, action: Callable[[], object]) -> Timer:
        """Call `action` on the loop after `seconds`, unless cancelled or closed before; it must not block."""
        timer = Timer(action)
        self._post(lambda: self._loop.call_later(seconds, timer.fire))
        return timer

    def run(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run something on the loop, as what keeps connections there must; RuntimeError once it is closed."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def close(self) -> None:
        """Interrupt and record every reply, close the providers, end the thread; waits for it. May be called twice.

        Calls that were to happen later are dropped.
        """
        with self._lock:
            self._closed = True
            self._post(self._closing.set)
        self._thread.join()

    def _stop(self, battle_id: str, side: Side | None) -> None:
        self._post(lambda: self._cancel(battle_id, side, ReplyStatus.STOPPED))

    def _post(self, action: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: there is nothing left to act on
            self._loop.call_soon_threadsafe(action)

    # What follows runs on the loop.

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._live())

    async def _live(self) -> None:
        chores = [
            asyncio.create_task(_every(min(REAP_SECONDS, self._lease_seconds / 4), self._reap)),
            asyncio.create_task(_every(RENEW_SECONDS, self._renew_leases)),
        ]
        await self._closing.wait()
        for chore in chores:
            chore.cancel()
        await self._interrupt_all()
        for provider in self._providers.values():
            with _logged("a provider did not close"):
                await provider.close()

    async def _interrupt_all(self) -> None:
        with self._lock:
            ends = [reply.end for replies in self._running.values() for reply in replies if reply.end]
            battle_ids = list(self._battles)
        for battle_id in battle_ids:
            self._cancel(battle_id, None, ReplyStatus.INTERRUPTED)
        if ends:
            await asyncio.wait(ends, timeout=CLOSE_SECONDS)

    def _launch(self, replies: Iterable["_RunningReply"]) -> None:
        for reply in replies:
            reply.pump = asyncio.create_task(reply.write(self._providers, self._limits))
            reply.end = asyncio.create_task(self._see_to_the_end(reply, reply.pump))

    async def _see_to_the_end(self, reply: "_RunningReply", pump: "asyncio.Task[StreamEnd]") -> None:
        status: ReplyStatus = ReplyStatus.FAILED
        fault: Fault | None = Fault.INTERNAL  # what readers see when the reply cannot be stored
        try:
            await asyncio.wait([pump])
            ended = reply.ended(pump)
            if reply.job.inspect is not None:
                ended = await reply.job.inspect(reply.job, ended)
            await asyncio.wrap_future(self._record(reply.battle_id, ended))
            status, fault = ended.status, ended.fault
        except Exception:
            log.exception("a reply could not be stored", extra=reply.where())
        finally:
            self._forget(reply, status, fault)

    def _forget(self, reply: "_RunningReply", status: ReplyStatus, fault: Fault | None) -> None:
        with self._lock:
            reply.live.end(status, fault)
            running = self._running[reply.battle_id]
            running.discard(reply)
            if not running:
                del self._running[reply.battle_id], self._battles[reply.battle_id]

    def _cancel(self, battle_id: str, side: Side | None, status: ReplyStatus) -> None:
        with self._lock:
            replies = [r for r in self._running.get(battle_id, ()) if side in (None, r.job.side)]
        for reply in replies:
            reply.cancel(status)

    def _reap(self) -> None:
        with self._lock:
            left = [b.battle_id for b in self._battles.values() if b.untouched_seconds > self._lease_seconds]
        for battle_id in left:
            self._cancel(battle_id, None, ReplyStatus.INTERRUPTED)

    def _renew_leases(self) -> None:
        with self._lock:
            battle_ids = list(self._battles)
        if battle_ids:
            self._renew(battle_ids)


class _RunningReply:
    """One attempt on the loop: the task that writes it, and what it took."""

    def __init__(self, battle_id: str, job: StreamJob, *, hidden: bool) -> None:
        self.battle_id = battle_id
        self.job = job
        self.live = LiveSide(turn=job.turn, attempt=job.attempt, hidden=hidden)
        self._mask = job.mask() if job.mask is not None else None
        self._written: list[str] = []
        self.pump: asyncio.Task[StreamEnd] | None = None
        self.end: asyncio.Task[None] | None = None
        self._started_at = datetime.now(UTC)
        self._started = monotonic()
        self._first_text: float | None = None
        self._cancelled_as: ReplyStatus | None = None

    async def write(self, providers: Mapping[str, Provider], limits: StreamLimits) -> StreamEnd:
        """Ask the model and let the answer grow; cancelling it ends the upstream request."""
        job = self.job
        endpoint = job.resolve()
        chunks = ask(
            providers[job.spec.provider],
            job.spec,
            job.messages,
            base_url=endpoint.base_url,
            api_key=endpoint.api_key,
            limits=limits,
        )
        async with contextlib.aclosing(chunks):
            async for chunk in chunks:
                match chunk:
                    case TextDelta(text):
                        self._grow(text)
                    case StreamEnd() as end:
                        return end
        raise ProviderFault(Fault.CUT_OFF, "the guard ended without a word")

    def _grow(self, text: str) -> None:
        self._first_text = self._first_text or monotonic()
        self._written.append(text)
        self.live.grow(text if self._mask is None else self._mask.feed(text))

    def cancel(self, status: ReplyStatus) -> None:
        """End the answer as `status`; the first wish counts, because a second would disturb the closing."""
        if self.pump is not None and self._cancelled_as is None:
            self._cancelled_as = status
            self.pump.cancel()

    def ended(self, pump: "asyncio.Task[StreamEnd]") -> Reply:
        """The attempt as it is to be stored, once `pump` is done."""
        if self._mask is not None:
            self.live.grow(self._mask.finish())
        if pump.cancelled():
            return self._reply(self._cancelled_as or ReplyStatus.INTERRUPTED)
        match pump.exception():
            case None:
                return self._reply(ReplyStatus.OK, end=pump.result())
            case ProviderFault() as fault:
                log.warning("a model failed: %s", fault, extra={**self.where(), "fault": fault.fault.value})
                return self._reply(ReplyStatus.FAILED, fault=fault.fault)
            case error:
                log.error("a reply broke: %s", redacted(repr(error)), extra=self.where())
                return self._reply(ReplyStatus.FAILED, fault=Fault.INTERNAL)

    def where(self) -> Mapping[str, object]:
        """Which reply a log line is about."""
        job, battle_id = self.job, self.battle_id
        return {"battle_id": battle_id, "turn": job.turn, "side": job.side.value, "model": job.spec.name}

    def _reply(self, status: ReplyStatus, *, end: StreamEnd | None = None, fault: Fault | None = None) -> Reply:
        return Reply(
            turn=self.job.turn,
            side=self.job.side,
            attempt=self.job.attempt,
            status=status,
            text="".join(self._written),
            fault=fault,
            finish_reason=end.finish_reason if end else None,
            figures=self._figures(end),
            model_seen=end.model_seen if end else None,
            fingerprint=self.job.spec.fingerprint,
            started_at=self._started_at,
        )

    def _figures(self, end: StreamEnd | None) -> ReplyFigures:
        first = self._first_text
        return ReplyFigures(
            tokens_in=end.tokens_in if end else None,
            tokens_out=end.tokens_out if end else None,
            first_token_ms=None if first is None else round((first - self._started) * 1000),
            duration_ms=round((monotonic() - self._started) * 1000),
            cost_usd=self.job.spec.cost_usd(end.tokens_in, end.tokens_out) if end else None,
        )


async def _every(seconds: float, chore: Callable[[], object]) -> None:
    while True:
        await asyncio.sleep(seconds)
        with _logged("a chore of the streams failed"):
            chore()


@contextlib.contextmanager
def _logged(message: str) -> Iterator[None]:
    try:
        yield
    except Exception:
        log.exception(message)
