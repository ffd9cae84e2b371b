"""The port to upstream models: one verb, `stream`."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from arena.domain import FinishReason, Message, ModelSpec


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of answer text, never empty."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEnd:
    """The last thing a complete stream says; `model_seen` is the upstream's own name for what answered."""

    finish_reason: FinishReason
    tokens_in: int | None = None
    tokens_out: int | None = None
    model_seen: str | None = None


Chunk = TextDelta | StreamEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """How long and how large one reply may become.

    `first_token_seconds` runs until the first text, `silence_seconds` between two texts (nothing but text re-arms it),
    `total_seconds` over all; `max_characters` bounds the answer and thereby each event, `max_bytes` what is read from
    the network for it.
    """

    first_token_seconds: float = 60.0
    silence_seconds: float = 30.0
    total_seconds: float = 600.0
    max_characters: int = 200_000
    max_bytes: int = 20_000_000


class Provider(Protocol):
    """A way to ask models: yields text as it comes and one `StreamEnd` at the end, or raises `ProviderFault`.

    One instance serves all models of its kind and all streams at once, on one event loop. Closing the iterator, or
    cancelling the task that reads it, closes the upstream request. `api_key` is handed over by the caller, so that a
    provider reads no environment.
    """

    def stream(
        self,
        spec: ModelSpec,
        messages: Sequence[Message],
        *,
        base_url: str,
        api_key: str | None,
        limits: StreamLimits,
    ) -> AsyncIterator[Chunk]:
        """Ask `spec` to answer `messages` (the system prompt is already in them)."""
        ...

    async def close(self) -> None:
        """Release connections; nothing may be streamed afterwards."""
        ...
