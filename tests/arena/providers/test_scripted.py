import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.domain import Fault, FinishReason, Message, ModelSpec, Role
from arena.errors import ProviderFault, SettingsError
from arena.providers import Chunk, StreamEnd, StreamLimits, TextDelta, check_script
from arena.providers.scripted import Scripted


def spec(**script: object) -> ModelSpec:
    return ModelSpec(name="m", provider="scripted", display_name="M", script=script)


def chunks(spec: ModelSpec, *prompts: str, provider: Scripted | None = None) -> list[Chunk]:
    messages = [Message(Role.USER, prompt) for prompt in prompts or ("hi",)]

    async def listen() -> list[Chunk]:
        stream = (provider or Scripted()).stream(spec, messages, base_url="", api_key=None, limits=StreamLimits())
        return [chunk async for chunk in stream]

    return asyncio.run(listen())


def pieces(chunks: list[Chunk]) -> list[str]:
    return [chunk.text for chunk in chunks if isinstance(chunk, TextDelta)]


@given(st.text(), st.integers(1, 5))
def test_the_pieces_are_the_text(text: str, size: int) -> None:
    text = text.replace("{prompt}", "")

    assert "".join(pieces(chunks(spec(text=text, words_per_token=size)))) == text


def test_a_piece_is_as_many_words_as_the_script_says() -> None:
    assert pieces(chunks(spec(text="one two three", words_per_token=2))) == ["one two", " three"]


def test_the_prompt_can_be_answered() -> None:
    assert "".join(pieces(chunks(spec(text="You said {prompt}."), "first", "second"))) == "You said second."


def test_without_a_script_a_model_is_an_echo() -> None:
    assert "".join(pieces(chunks(spec(), "echo me"))) == "echo me"


@pytest.mark.parametrize(("turn", "text"), [(1, "one"), (2, "two"), (3, "one")])
def test_texts_take_turns(turn: int, text: str) -> None:
    assert pieces(chunks(spec(text=["one", "two"]), *["hi"] * turn)) == [text]


def test_words_are_counted_as_tokens() -> None:
    end = chunks(spec(text="a b c", finish_reason="length"), "one two")[-1]

    assert end == StreamEnd(finish_reason=FinishReason.LENGTH, tokens_in=2, tokens_out=3, model_seen="m")


def test_a_fault_comes_after_its_tokens() -> None:
    seen: list[Chunk] = []

    async def listen() -> None:
        script = spec(text="a b c", fault="overloaded", fault_after_tokens=2)
        messages = [Message(Role.USER, "hi")]
        async for chunk in Scripted().stream(script, messages, base_url="", api_key=None, limits=StreamLimits()):
            seen.append(chunk)  # noqa: PERF401 - what came before the fault is looked at

    with pytest.raises(ProviderFault) as caught:
        asyncio.run(listen())

    assert caught.value.fault is Fault.OVERLOADED
    assert pieces(seen) == ["a", " b"]


def test_a_model_heals_after_as_many_faults_as_the_script_says() -> None:
    provider = Scripted()
    failing = spec(text="fine", fault="silent", fault_times=2)

    for _ in range(2):
        with pytest.raises(ProviderFault):
            chunks(failing, provider=provider)

    assert pieces(chunks(failing, provider=provider)) == ["fine"]


def test_a_fault_without_a_number_of_times_stays() -> None:
    provider = Scripted()

    for _ in range(3):
        with pytest.raises(ProviderFault):
            chunks(spec(fault="silent"), provider=provider)


def test_the_pace_delays_but_loses_nothing() -> None:
    assert "".join(pieces(chunks(spec(text="a b c", first_token_ms=1, tokens_per_second=1000)))) == "a b c"


def test_an_unknown_key_names_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r'"txet".*"text"'):
        check_script({"txet": "hi"})


@pytest.mark.parametrize(
    "script",
    [
        {"text": 5},
        {"text": []},
        {"text": ["a", 5]},
        {"words_per_token": 0},
        {"words_per_token": 1.5},
        {"first_token_ms": -1},
        {"first_token_ms": float("nan")},
        {"tokens_per_second": "fast"},
        {"tokens_per_second": True},
        {"fault": "sulking"},
        {"fault_after_tokens": -1},
        {"fault_times": 0},
        {"fault_retriable": 1},
        {"finish_reason": "content_filter"},
    ],
)
def test_a_wrong_value_is_refused_with_what_it_should_be(script: dict[str, Any]) -> None:
    [key] = script

    with pytest.raises(SettingsError, match=key):
        check_script(script)
