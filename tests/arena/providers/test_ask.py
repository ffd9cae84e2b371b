import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

import pytest

from arena.domain import Fault, FinishReason, Message, ModelSpec, Role
from arena.errors import ProviderFault
from arena.providers import Chunk, Provider, StreamEnd, StreamLimits, TextDelta, ask
from arena.providers.scripted import Scripted

KEY = "sk-planted-secret-0123456789"
SPEC = ModelSpec(name="m", provider="scripted", display_name="M")
PROMPT = (Message(Role.USER, "hi"),)
END = StreamEnd(finish_reason=FinishReason.STOP)
PATIENT = StreamLimits(first_token_seconds=30, silence_seconds=30, total_seconds=60)
# One short deadline each, so that a busy machine does not meet another first.
HASTY = {
    Fault.NO_FIRST_TOKEN: replace(PATIENT, first_token_seconds=0.2),
    Fault.SILENT: replace(PATIENT, silence_seconds=0.1),
    Fault.OVERTIME: replace(PATIENT, total_seconds=0.3),
}


class Acting:
    """A provider that does what an async function says, and counts how often it was asked and closed."""

    def __init__(self, act: Callable[[int], AsyncIterator[Chunk]]) -> None:
        self.act = act
        self.messages: list[Sequence[Message]] = []
        self.closed = 0

    async def stream(
        self,
        spec: ModelSpec,  # noqa: ARG002
        messages: Sequence[Message],
        *,
        base_url: str,  # noqa: ARG002
        api_key: str | None,  # noqa: ARG002
        limits: StreamLimits,  # noqa: ARG002
    ) -> AsyncIterator[Chunk]:
        self.messages.append(messages)
        try:
            async for chunk in self.act(len(self.messages)):
                yield chunk
        finally:
            self.closed += 1

    async def close(self) -> None:
        pass


def saying(*chunks: Chunk | Exception) -> Acting:
    """A provider that yields these chunks and raises these errors."""

    async def act(_: int) -> AsyncIterator[Chunk]:
        for chunk in chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    return Acting(act)


def failing_once(fault: ProviderFault) -> Acting:
    async def act(nth: int) -> AsyncIterator[Chunk]:
        if nth == 1:
            raise fault
        yield TextDelta("hello")
        yield END

    return Acting(act)


def heard(provider: Provider, *, spec: ModelSpec = SPEC, limits: StreamLimits | None = None) -> list[Chunk]:
    """All that the guard lets through."""

    async def listen() -> list[Chunk]:
        stream = ask(provider, spec, PROMPT, base_url="", api_key=KEY, limits=limits or StreamLimits())
        return [chunk async for chunk in stream]

    return asyncio.run(listen())


def fault_of(provider: Provider, *, spec: ModelSpec = SPEC, limits: StreamLimits | None = None) -> ProviderFault:
    with pytest.raises(ProviderFault) as caught:
        heard(provider, spec=spec, limits=limits)
    return caught.value


def test_the_system_prompt_speaks_first() -> None:
    provider = saying(TextDelta("a"), END)

    heard(provider, spec=replace(SPEC, system_prompt="Be kind."))

    assert provider.messages == [(Message(Role.SYSTEM, "Be kind."), *PROMPT)]


def test_nothing_is_heard_after_the_end() -> None:
    provider = saying(TextDelta("a"), END, TextDelta("b"))

    assert heard(provider) == [TextDelta("a"), END]
    assert provider.closed == 1


def test_surrogate_halves_are_joined_over_pieces() -> None:
    chunks = heard(saying(TextDelta("a\ud83d"), TextDelta("\ude00b"), TextDelta("\udc00c\ud800"), END))

    assert chunks == [TextDelta("a"), TextDelta("😀b"), TextDelta("\N{REPLACEMENT CHARACTER}c"), END]


def test_a_waiting_half_is_no_text_of_its_own() -> None:
    chunks = heard(saying(TextDelta("\ud83d"), TextDelta("\ude00"), END))

    assert chunks == [TextDelta("😀"), END]


def test_control_characters_are_replaced_but_newline_and_tab() -> None:
    chunks = heard(saying(TextDelta("a\x00\x1b\r\n\tb\x85\x7f"), replace(END, model_seen="gpt\x00")))

    gone = "\N{REPLACEMENT CHARACTER}"
    assert chunks == [TextDelta(f"a{gone}{gone}\n\tb{gone}{gone}"), replace(END, model_seen=f"gpt{gone}")]


@pytest.mark.parametrize("chunks", [[END], [TextDelta(""), END], [TextDelta(" \n\t"), END]])
def test_a_blank_answer_is_empty(chunks: list[Chunk]) -> None:
    assert fault_of(saying(*chunks)).fault is Fault.EMPTY


def test_a_stream_without_an_end_is_cut_off() -> None:
    assert fault_of(saying(TextDelta("a"))).fault is Fault.CUT_OFF


def test_an_answer_may_be_as_long_as_the_limit() -> None:
    chunks = heard(saying(TextDelta("12345"), END), limits=StreamLimits(max_characters=5))

    assert chunks == [TextDelta("12345"), END]


def test_a_longer_answer_is_cut_at_the_limit() -> None:
    seen: list[Chunk] = []

    async def listen() -> None:
        limits = StreamLimits(max_characters=5)
        provider = saying(TextDelta("1234"), TextDelta("5678"), END)
        async for chunk in ask(provider, SPEC, PROMPT, base_url="", api_key=None, limits=limits):
            seen.append(chunk)  # noqa: PERF401 - what came before the fault is looked at

    with pytest.raises(ProviderFault) as caught:
        asyncio.run(listen())

    assert caught.value.fault is Fault.TOO_LARGE
    assert seen == [TextDelta("1234"), TextDelta("5")]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ({"first_token_ms": 60_000}, Fault.NO_FIRST_TOKEN),
        ({"text": "a b", "tokens_per_second": 0.01}, Fault.SILENT),
        ({"text": "a " * 1000, "tokens_per_second": 50}, Fault.OVERTIME),
    ],
)
def test_each_deadline_has_its_fault(script: dict[str, object], expected: Fault) -> None:
    assert fault_of(Scripted(), spec=replace(SPEC, script=script), limits=HASTY[expected]).fault is expected


def test_empty_pieces_do_not_count_as_text() -> None:
    async def act(_: int) -> AsyncIterator[Chunk]:
        while True:
            yield TextDelta("")
            await asyncio.sleep(0.01)

    assert fault_of(Acting(act), limits=HASTY[Fault.NO_FIRST_TOKEN]).fault is Fault.NO_FIRST_TOKEN


def test_a_retriable_fault_is_asked_again_once() -> None:
    provider = failing_once(ProviderFault(Fault.OVERLOADED, retriable=True, retry_after_seconds=0))

    assert heard(provider) == [TextDelta("hello"), END]
    assert len(provider.messages) == 2


def test_a_scripted_fault_heals_with_the_retry() -> None:
    script = {"text": "hello", "fault": "overloaded", "fault_times": 1, "fault_retriable": True}

    chunks = heard(Scripted(), spec=replace(SPEC, script=script))

    assert chunks[0] == TextDelta("hello")


def test_no_more_than_two_requests_are_made() -> None:
    provider = saying(ProviderFault(Fault.OVERLOADED, retriable=True, retry_after_seconds=0))

    assert fault_of(provider).fault is Fault.OVERLOADED
    assert len(provider.messages) == 2


@pytest.mark.parametrize(
    "fault",
    [
        ProviderFault(Fault.BAD_REQUEST),
        ProviderFault(Fault.RATE_LIMITED, retriable=True, retry_after_seconds=6),
    ],
)
def test_what_no_short_wait_heals_is_not_asked_again(fault: ProviderFault) -> None:
    provider = failing_once(fault)

    assert fault_of(provider).fault is fault.fault
    assert len(provider.messages) == 1


def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    provider = failing_once(ProviderFault(Fault.RATE_LIMITED, retriable=True, retry_after_seconds=3))

    assert fault_of(provider, limits=HASTY[Fault.NO_FIRST_TOKEN]).fault is Fault.RATE_LIMITED
    assert len(provider.messages) == 1


def test_nothing_is_asked_again_once_text_came() -> None:
    provider = saying(TextDelta("a"), ProviderFault(Fault.CUT_OFF, retriable=True, retry_after_seconds=0))

    assert fault_of(provider).fault is Fault.CUT_OFF
    assert len(provider.messages) == 1


@pytest.mark.parametrize("error", [RuntimeError(f"leaks {KEY}"), TimeoutError(KEY), KeyError(KEY)])
def test_any_other_error_is_internal_and_tells_no_key(error: Exception) -> None:
    fault = fault_of(saying(TextDelta("a"), error))

    assert fault.fault is Fault.INTERNAL
    assert type(error).__name__ in fault.detail
    assert KEY not in fault.detail


def test_the_key_is_cut_out_of_a_faults_detail() -> None:
    fault = fault_of(saying(ProviderFault(Fault.REFUSED_KEY, f"Incorrect API key provided: {KEY}.")))

    assert fault.detail == "Incorrect API key provided: [redacted]."


def test_closing_the_answer_closes_the_provider() -> None:
    provider = saying(TextDelta("a"), TextDelta("b"), END)

    async def leave() -> None:
        stream = ask(provider, SPEC, PROMPT, base_url="", api_key=None, limits=StreamLimits())
        await anext(stream)
        await stream.aclose()
        assert provider.closed == 1

    asyncio.run(leave())


def test_a_provider_may_return_any_iterator() -> None:
    class Plain:
        def __init__(self) -> None:
            self.chunks: list[Chunk] = [TextDelta("a"), END]

        def stream(self, *_: object, **__: object) -> AsyncIterator[Chunk]:
            return self

        def __aiter__(self) -> AsyncIterator[Chunk]:
            return self

        async def __anext__(self) -> Chunk:
            return self.chunks.pop(0)

        async def close(self) -> None:
            pass

    assert heard(Plain()) == [TextDelta("a"), END]
