import asyncio
import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest

from arena.domain import FinishReason, ModelSpec
from arena.providers import PROVIDERS, StreamEnd, StreamLimits, ask
from arena.providers.openai_chat import OpenAIChat
from tests.asking import PATIENT, PROMPT, SPEC, Outcome, outcome_of
from tests.fault_cases import HELLO
from tests.fault_server import FaultServer
from tests.faults import KEY, NAME, Exchange


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


def outcome(
    base_url: str, *, limits: StreamLimits = PATIENT, spec: ModelSpec = SPEC, key: str | None = KEY, times: int = 1
) -> Outcome:
    """What the guard and the provider make of an upstream, the last of `times` times."""
    return asyncio.run(_asked(base_url, limits=limits, spec=spec, key=key, times=times))


async def _asked(base_url: str, *, limits: StreamLimits, spec: ModelSpec, key: str | None, times: int) -> Outcome:
    provider = OpenAIChat()
    try:
        for _ in range(times):
            result = await outcome_of(provider, base_url, limits=limits, spec=spec, key=key)
    finally:
        await provider.close()
    return result


def test_what_the_spec_says_is_what_is_sent(server: FaultServer) -> None:
    tuned = replace(
        SPEC, system_prompt="Be brief.", temperature=0.0, top_p=0.5, max_tokens=9, extra_body={"top_k": 3, "seed": 1}
    )

    outcome(server.url("ok"), spec=tuned)

    assert server.asked("ok")[-1].body == {
        "model": NAME,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.0,
        "top_p": 0.5,
        "max_tokens": 9,
        "top_k": 3,
        "seed": 1,
    }


def test_what_the_spec_leaves_open_is_not_sent(server: FaultServer) -> None:
    outcome(server.url("ok"))

    body = server.asked("ok")[-1].body
    assert body.keys() == {"model", "messages", "stream", "stream_options", "max_tokens"}


def test_only_the_given_key_is_sent_and_no_compression_asked_for(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-the-environment")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-from-the-environment")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-from-the-environment")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer from-the-environment")

    outcome(server.url("ok"))
    outcome(server.url("ok"), key=None)

    with_key, without_key = server.asked("ok")[-2:]
    assert with_key.headers["authorization"] == f"Bearer {KEY}"
    assert with_key.headers["accept-encoding"] == "identity"
    assert without_key.headers["authorization"] == "Bearer none"
    assert "from-the-environment" not in f"{with_key.headers} {without_key.headers}"


def test_a_connection_to_this_machine_is_used_once(server: FaultServer) -> None:
    outcome(server.url("ok"), times=2)

    first, second = server.asked("ok")[-2:]
    assert first.headers["connection"] == second.headers["connection"] == "close"
    assert first.connection != second.connection


def test_a_connection_to_another_machine_is_kept(server: FaultServer) -> None:
    not_known_as_this_machine = server.url("kept-open").replace("127.0.0.1", "0.0.0.0")

    result = outcome(not_known_as_this_machine, times=2)

    first, second = server.asked("kept-open")
    assert result.text == HELLO
    assert first.connection == second.connection


@pytest.mark.parametrize("name", ["ok", "late-usage"])
def test_tokens_and_the_upstreams_own_name_are_reported(server: FaultServer, name: str) -> None:
    result = outcome(server.url(name))

    assert result.end == StreamEnd(finish_reason=FinishReason.STOP, tokens_in=7, tokens_out=3, model_seen=NAME)


def test_waiting_for_usage_takes_no_more_than_the_patience_between_texts(server: FaultServer) -> None:
    result = outcome(server.url("finish-then-hang"), limits=replace(PATIENT, silence_seconds=1.0))

    assert result.fault is None
    assert result.text == HELLO


def test_usage_that_is_no_number_is_no_usage(server: FaultServer) -> None:
    async def silly(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.text("hi")
        await exchange.finish("length", usage=False)
        await exchange.event({"choices": [], "usage": {"prompt_tokens": -1, "completion_tokens": 1.5}})

    server.faults["silly-figures"] = silly

    result = outcome(server.url("silly-figures"))

    assert result.end == StreamEnd(finish_reason=FinishReason.LENGTH, model_seen=NAME)


def test_the_longest_answer_may_come_in_one_event(server: FaultServer) -> None:
    smiles = "😀" * StreamLimits().max_characters
    server.faults["at-once"] = lambda exchange: exchange.answer(smiles)

    result = outcome(server.url("at-once"))

    assert result.fault is None
    assert result.text == smiles


def test_a_server_that_refuses_usage_options_is_asked_without_them_from_then_on(server: FaultServer) -> None:
    before = len(server.asked("no-usage-options"))

    result = outcome(server.url("no-usage-options"), times=3)

    assert result.text == HELLO
    assert len(server.asked("no-usage-options")) - before == 4


def test_what_two_requests_learn_at_once_is_both_remembered(server: FaultServer) -> None:
    async def refuse_one_thing_each(exchange: Exchange) -> None:
        while len(server.asked("two-refusals")) < 2:  # noqa: ASYNC110 - the other request comes by itself
            await asyncio.sleep(0.01)
        if exchange.nth <= 2:
            await exchange.refuse(400, "no stream_options" if exchange.nth == 1 else "use max_completion_tokens")
        elif {"stream_options", "max_tokens"} & exchange.request.body.keys():
            await exchange.refuse(400)
        else:
            await exchange.answer()

    server.faults["two-refusals"] = refuse_one_thing_each

    async def ask_two_and_one() -> Outcome:
        provider = OpenAIChat()
        await asyncio.gather(*(outcome_of(provider, server.url("two-refusals")) for _ in range(2)))
        last = await outcome_of(provider, server.url("two-refusals"))
        await provider.close()
        return last

    last = asyncio.run(ask_two_and_one())

    assert last.text == HELLO


def test_cancelling_the_reader_closes_the_upstream_request(server: FaultServer) -> None:
    async def cancel_after_first_text() -> None:
        provider = OpenAIChat()
        stream = ask(provider, SPEC, PROMPT, base_url=server.url("slow"), api_key=KEY, limits=PATIENT)
        await anext(stream)
        await stream.aclose()
        await provider.close()

    asyncio.run(cancel_after_first_text())

    assert server.wait_for_request("slow").gone.wait(30)


def test_cancelling_before_the_head_closes_the_upstream_request(server: FaultServer) -> None:
    async def cancel_while_waiting() -> None:
        provider = OpenAIChat()
        stream = ask(provider, SPEC, PROMPT, base_url=server.url("hang"), api_key=KEY, limits=PATIENT)
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.to_thread(server.wait_for_request, "hang")
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await provider.close()

    asyncio.run(cancel_while_waiting())

    assert server.wait_for_request("hang").gone.wait(30)


def test_no_key_and_no_prompt_is_logged(server: FaultServer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        outcome(server.url("401"))
        outcome(server.url("ok"))

    assert KEY not in caplog.text
    assert "Say hello" not in caplog.text


def test_the_table_builds_it() -> None:
    assert isinstance(PROVIDERS["openai_chat"](), OpenAIChat)
