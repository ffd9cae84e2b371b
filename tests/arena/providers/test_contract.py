"""What every provider in the table promises; one spec and one address suit them all."""

import asyncio
from collections.abc import Iterator

import pytest
from fault_server import FaultServer

from arena import providers
from arena.domain import Message, ModelSpec, Role
from arena.providers import PROVIDERS, Chunk, StreamEnd, StreamLimits, TextDelta

PROMPT = (Message(Role.SYSTEM, "Be kind."), Message(Role.USER, "Say hello"))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with FaultServer() as server:
        yield server.url("ok")


def spec(name: str) -> ModelSpec:
    return ModelSpec(name="m", provider=name, display_name="M", script={"text": "Hello world"})


async def answer(name: str, address: str, *, streams: int = 1) -> list[list[Chunk]]:
    provider = PROVIDERS[name]()

    async def one() -> list[Chunk]:
        stream = provider.stream(spec(name), PROMPT, base_url=address, api_key=None, limits=StreamLimits())
        return [chunk async for chunk in stream]

    try:
        return await asyncio.gather(*(one() for _ in range(streams)))
    finally:
        await provider.close()


def text(chunks: list[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks if isinstance(chunk, TextDelta))


@pytest.mark.parametrize("name", PROVIDERS)
def test_text_comes_first_and_exactly_one_end_comes_last(name: str, address: str) -> None:
    [chunks] = asyncio.run(answer(name, address))

    *texts, end = chunks
    assert isinstance(end, StreamEnd)
    assert all(isinstance(piece, TextDelta) and piece.text for piece in texts)
    assert text(chunks) == "Hello world"


@pytest.mark.parametrize("name", PROVIDERS)
def test_tokens_are_counted(name: str, address: str) -> None:
    [[*_, end]] = asyncio.run(answer(name, address))

    assert isinstance(end, StreamEnd)
    assert end.tokens_in
    assert end.tokens_out


@pytest.mark.parametrize("name", PROVIDERS)
def test_one_instance_serves_many_streams_at_once(name: str, address: str) -> None:
    answers = asyncio.run(answer(name, address, streams=5))

    assert [text(chunks) for chunks in answers] == ["Hello world"] * 5


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_stream_can_be_left_early(name: str, address: str) -> None:
    async def leave() -> None:
        provider = PROVIDERS[name]()
        stream = provider.stream(spec(name), PROMPT, base_url=address, api_key=None, limits=StreamLimits())
        await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]
        await provider.close()

    asyncio.run(leave())


def test_the_door_lists_what_it_has() -> None:
    assert all(hasattr(providers, name) for name in providers.__all__)
    assert list(providers.__all__) == sorted(providers.__all__, key=lambda name: (not name.isupper(), name))
