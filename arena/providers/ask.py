"""One guard around every provider: deadlines, caps, clean text and the single retry."""

import asyncio
import contextlib
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import replace
from typing import assert_never, cast

from arena.domain import Fault, Message, ModelSpec, Role
from arena.errors import ProviderFault
from arena.providers.base import Chunk, Provider, StreamEnd, StreamLimits, TextDelta
from arena.providers.hygiene import Cleaner, clean
from arena.providers.redaction import redacted

LONGEST_PAUSE_SECONDS = 5.0
USUAL_PAUSE_SECONDS = 0.5
MODEL_SEEN_CHARACTERS = 200


async def ask(
    provider: Provider,
    spec: ModelSpec,
    messages: Sequence[Message],
    *,
    base_url: str,
    api_key: str | None,
    limits: StreamLimits,
) -> AsyncGenerator[Chunk]:
    """The answer of `spec` to `messages`, after its system prompt: clean pieces of text, then exactly one `StreamEnd`.

    A fault that another attempt may heal is asked again once, if no text came yet and the upstream wants to be left
    alone for at most 5 s: never more than two upstream requests. Close the generator, or cancel the task that reads
    it, to end the upstream request at once.

    Raises:
        ProviderFault: whatever else goes wrong, also inside the provider; its detail is free of `api_key`.
    """
    guard = _Guard(limits)
    spoken = _with_system_prompt(spec, messages)
    while not guard.ended:
        upstream = provider.stream(spec, spoken, base_url=base_url, api_key=api_key, limits=limits)
        try:
            async with _closing(upstream):
                while not guard.ended:
                    yield await guard.next_chunk(upstream)
        except ProviderFault as fault:
            pause = guard.pause_before_retry(fault)
            if pause is None:
                raise _without_key(fault, api_key) from None
            await asyncio.sleep(pause)
        except Exception as exc:  # noqa: BLE001 - whatever a client library raises ends one reply, not the program
            raise ProviderFault(Fault.INTERNAL, redacted(_story(exc), api_key)) from None


class _Guard:
    """What one answer may still take: time, characters, a retry."""

    def __init__(self, limits: StreamLimits) -> None:
        self._limits = limits
        self._clock = asyncio.get_running_loop().time
        started = self._clock()
        self._total_deadline = started + limits.total_seconds
        self._text_deadline = started + limits.first_token_seconds
        self._clean = Cleaner()
        self._characters = 0
        self._blank = True
        self._overflowing = False
        self._retried = False
        self.ended = False

    async def next_chunk(self, upstream: AsyncIterator[Chunk]) -> Chunk:
        while True:
            if self._overflowing:
                raise ProviderFault(Fault.TOO_LARGE, f"more than {self._limits.max_characters} characters")
            match await self._read(upstream):
                case TextDelta(text):
                    if kept := self._keep(text):
                        return TextDelta(kept)
                case StreamEnd() as end:
                    return self._end(end)
                case unreachable:
                    assert_never(unreachable)

    def pause_before_retry(self, fault: ProviderFault) -> float | None:
        """How many seconds to wait before asking again; None when there is no asking again."""
        if self._retried or self._characters or not fault.retriable:
            return None
        self._retried = True
        wanted = fault.retry_after_seconds
        pause = USUAL_PAUSE_SECONDS if wanted is None else wanted
        if pause > LONGEST_PAUSE_SECONDS or self._clock() + pause >= self._deadline:
            return None
        return pause

    async def _read(self, upstream: AsyncIterator[Chunk]) -> Chunk:
        try:
            async with asyncio.timeout_at(self._deadline) as timeout:
                return await anext(upstream)
        except StopAsyncIteration:
            raise ProviderFault(Fault.CUT_OFF, "the stream ended without saying why") from None
        except TimeoutError:
            if not timeout.expired():
                raise
            raise self._late() from None

    @property
    def _deadline(self) -> float:
        return min(self._text_deadline, self._total_deadline)

    def _late(self) -> ProviderFault:
        if self._total_deadline <= self._text_deadline:
            return ProviderFault(Fault.OVERTIME, f"not finished after {self._limits.total_seconds:g} s")
        if self._characters:
            return ProviderFault(Fault.SILENT, f"no text for {self._limits.silence_seconds:g} s")
        return ProviderFault(Fault.NO_FIRST_TOKEN, f"no text in the first {self._limits.first_token_seconds:g} s")

    def _keep(self, text: str) -> str:
        cleaned = self._clean(text)
        kept = cleaned[: self._limits.max_characters - self._characters]
        self._overflowing = len(kept) < len(cleaned)
        if kept:
            self._characters += len(kept)
            self._text_deadline = self._clock() + self._limits.silence_seconds
            self._blank = self._blank and not kept.strip()
        return kept

    def _end(self, end: StreamEnd) -> StreamEnd:
        if self._blank:
            raise ProviderFault(Fault.EMPTY, f"finished ({end.finish_reason.value}) without text")
        self.ended = True
        return replace(end, model_seen=clean(end.model_seen[:MODEL_SEEN_CHARACTERS])) if end.model_seen else end


def _with_system_prompt(spec: ModelSpec, messages: Sequence[Message]) -> tuple[Message, ...]:
    if not spec.system_prompt:
        return tuple(messages)
    return (Message(Role.SYSTEM, spec.system_prompt), *messages)


def _closing(upstream: AsyncIterator[Chunk]) -> contextlib.AbstractAsyncContextManager[object]:
    if hasattr(upstream, "aclose"):
        return contextlib.aclosing(cast("AsyncGenerator[Chunk]", upstream))
    return contextlib.nullcontext()


def _without_key(fault: ProviderFault, api_key: str | None) -> ProviderFault:
    return ProviderFault(
        fault.fault,
        redacted(fault.detail, api_key),
        retry_after_seconds=fault.retry_after_seconds,
        retriable=fault.retriable,
    )


def _story(exc: Exception) -> str:
    """What happened and where, last things first, because the end of a long text is cut."""
    frames = reversed(traceback.extract_tb(exc.__traceback__))
    places = " < ".join(f"{frame.name}:{frame.lineno}" for frame in frames)
    return f"{type(exc).__name__}: {exc} ({places})"
