import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from fault_server import FaultServer, refused_url
from faults import FAULTS, KEY, NAME, Exchange

from arena.domain import Fault, FinishReason, Message, ModelSpec, Role
from arena.errors import ProviderFault
from arena.providers import PROVIDERS, StreamEnd, StreamLimits, TextDelta, ask
from arena.providers.openai_chat import OpenAIChat

PATIENT = StreamLimits(first_token_seconds=30, silence_seconds=30, total_seconds=60)
HELLO = "Hello world"
PROMPT = (Message(Role.USER, "Say hello"),)
SPEC = ModelSpec(name="m", provider="openai_chat", display_name="M", upstream_id=NAME)


@dataclass(frozen=True)
class Outcome:
    text: str
    end: StreamEnd | None = None
    fault: ProviderFault | None = None


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
            text, end = "", None
            try:
                async for piece in ask(provider, spec, PROMPT, base_url=base_url, api_key=key, limits=limits):
                    match piece:
                        case TextDelta(more):
                            text += more
                        case StreamEnd():
                            end = piece
            except ProviderFault as fault:
                result = Outcome(text, fault=fault)
            else:
                result = Outcome(text, end)
    finally:
        await provider.close()
    return result


HEALED = {
    "ok": (HELLO, 1),
    "429-once": (HELLO, 2),
    "500-once": (HELLO, 2),
    "null-delta": ("Hello", 1),
    "null-content": ("Hello", 1),
    "no-choices": ("Hello", 1),
    "silly-usage": ("Hello", 1),
    "split-utf8": ("Grüße 😀", 1),
    "surrogate-halves": ("a😀b\N{REPLACEMENT CHARACTER}", 1),
    "nul": ("a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}[31m\n", 1),
    "finish-then-hang": (HELLO, 1),
    "late-usage": (HELLO, 1),
    "finish-then-reset": (HELLO, 1),
    "no-usage-options": (HELLO, 2),
    "newer-limit-name": (HELLO, 2),
}


@pytest.mark.parametrize("name", HEALED)
def test_what_can_be_healed_is_a_whole_answer(server: FaultServer, name: str) -> None:
    text, requests = HEALED[name]
    before = len(server.asked(name))

    result = outcome(server.url(name))

    assert result.fault is None
    assert result.text == text
    assert result.end is not None
    assert result.end.finish_reason is FinishReason.STOP
    assert len(server.asked(name)) - before == requests


FAILED = {
    "429-always": (Fault.RATE_LIMITED, 2),
    "429-in-5-minutes": (Fault.RATE_LIMITED, 1),
    "429-quota": (Fault.QUOTA, 1),
    "503-always": (Fault.OVERLOADED, 2),
    "503-no-retry": (Fault.OVERLOADED, 1),
    "400": (Fault.BAD_REQUEST, 1),
    "401": (Fault.REFUSED_KEY, 1),
    "402": (Fault.QUOTA, 1),
    "403": (Fault.REFUSED_KEY, 1),
    "404": (Fault.NOT_FOUND, 1),
    "422": (Fault.BAD_REQUEST, 1),
    "context": (Fault.CONTEXT_OVERFLOW, 1),
    "context-llama": (Fault.CONTEXT_OVERFLOW, 1),
    "filtered-prompt": (Fault.CONTENT_FILTER, 1),
    "error-page": (Fault.OVERLOADED, 2),
    "html": (Fault.MALFORMED, 1),
    "html-as-events": (Fault.MALFORMED, 1),
    "json": (Fault.MALFORMED, 1),
    "json-error": (Fault.OVERLOADED, 2),
    "fin-mid-stream": (Fault.CUT_OFF, 1),
    "half-event": (Fault.CUT_OFF, 1),
    "done-without-reason": (Fault.CUT_OFF, 1),
    "error-event": (Fault.OVERLOADED, 1),
    "error-object": (Fault.OVERLOADED, 1),
    "error-status-in-stream": (Fault.RATE_LIMITED, 2),
    "refusal": (Fault.CONTENT_FILTER, 1),
    "empty-body": (Fault.CUT_OFF, 2),
    "no-text": (Fault.EMPTY, 1),
    "blank-text": (Fault.EMPTY, 1),
    "content-filter": (Fault.CONTENT_FILTER, 1),
    "tool-calls": (Fault.MALFORMED, 1),
    "rst-mid-stream": (Fault.CUT_OFF, 1),
    "rst-at-once": (Fault.UNREACHABLE, 2),
    "chunked-cut": (Fault.CUT_OFF, 1),
    "bad-json": (Fault.MALFORMED, 1),
    "deep-json": (Fault.MALFORMED, 1),
    "bad-utf8": (Fault.MALFORMED, 1),
    "list-event": (Fault.MALFORMED, 1),
    "int-content": (Fault.MALFORMED, 1),
    "text-delta": (Fault.MALFORMED, 1),
    "text-choices": (Fault.MALFORMED, 1),
    "gzip-bomb": (Fault.MALFORMED, 1),
    "redirect-same": (Fault.REDIRECTED, 1),
    "redirect-loop": (Fault.REDIRECTED, 1),
    "not-http": (Fault.MALFORMED, 1),
}
LATE = {
    "no-headers": Fault.NO_FIRST_TOKEN,
    "no-first-token": Fault.NO_FIRST_TOKEN,
    "comments": Fault.NO_FIRST_TOKEN,
    "empty-deltas": Fault.NO_FIRST_TOKEN,
    "reasoning": Fault.NO_FIRST_TOKEN,
    "stall": Fault.SILENT,
    "comments-mid-stream": Fault.SILENT,
    "endless-text": Fault.OVERTIME,
}
# One short deadline each, so that a busy machine does not meet another first.
HASTY = {
    Fault.NO_FIRST_TOKEN: replace(PATIENT, first_token_seconds=0.4),
    Fault.SILENT: replace(PATIENT, silence_seconds=0.4),
    Fault.OVERTIME: replace(PATIENT, total_seconds=1.0),
}
TOO_LARGE = ("huge", "endless-line")


@pytest.mark.parametrize("name", FAILED)
def test_a_fault_gets_its_neutral_name_and_at_most_one_retry(server: FaultServer, name: str) -> None:
    expected, requests = FAILED[name]
    before = len(server.asked(name))

    result = outcome(server.url(name))

    assert result.fault is not None
    assert result.fault.fault is expected
    assert len(server.asked(name)) - before == requests
    assert KEY not in str(result.fault)


@pytest.mark.parametrize("name", LATE)
def test_only_text_keeps_a_slow_upstream_alive(server: FaultServer, name: str) -> None:
    before = len(server.asked(name))

    result = outcome(server.url(name), limits=HASTY[LATE[name]])

    assert result.fault is not None
    assert result.fault.fault is LATE[name]
    assert len(server.asked(name)) - before == 1


@pytest.mark.parametrize("name", TOO_LARGE)
def test_what_never_ends_is_cut(server: FaultServer, name: str) -> None:
    limits = StreamLimits(max_characters=50_000, max_bytes=3_000_000)

    result = outcome(server.url(name), limits=limits)

    assert result.fault is not None
    assert result.fault.fault is Fault.TOO_LARGE
    assert len(result.text) <= 50_000


def test_every_fault_of_the_server_is_expected_somewhere() -> None:
    for_other_tests = {"hang", "slow", "kept-open"}

    assert {*HEALED, *FAILED, *LATE, *TOO_LARGE} == FAULTS.keys() - for_other_tests


def test_a_redirect_to_another_host_is_not_followed(server: FaultServer) -> None:
    with FaultServer() as other:

        async def redirect(exchange: Exchange) -> None:
            await exchange.head(307, "text/plain", Location=f"{other.url('ok')}/chat/completions")

        server.faults["redirect-other"] = redirect

        result = outcome(server.url("redirect-other"))

        assert result.fault is not None
        assert result.fault.fault is Fault.REDIRECTED
        assert other.requests == []


def test_nothing_listening_is_unreachable() -> None:
    result = outcome(refused_url())

    assert result.fault is not None
    assert result.fault.fault is Fault.UNREACHABLE


def test_an_unknown_host_is_unreachable() -> None:
    result = outcome("http://no-such-host.invalid/v1")

    assert result.fault is not None
    assert result.fault.fault is Fault.UNREACHABLE


def test_a_certificate_that_nobody_signed_is_refused_once() -> None:
    with FaultServer(tls=True) as server:
        result = outcome(server.url("ok"))

        assert result.fault is not None
        assert result.fault.fault is Fault.TLS
        assert server.requests == []


def test_plain_http_where_tls_was_expected_is_a_tls_fault(server: FaultServer) -> None:
    result = outcome(server.url("ok").replace("http:", "https:"))

    assert result.fault is not None
    assert result.fault.fault is Fault.TLS


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


def test_usage_that_is_no_number_is_no_usage(server: FaultServer) -> None:
    async def silly(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.text("hi")
        await exchange.finish("length", usage=False)
        await exchange.event({"choices": [], "usage": {"prompt_tokens": -1, "completion_tokens": 1.5}})

    server.faults["silly-figures"] = silly

    result = outcome(server.url("silly-figures"))

    assert result.end == StreamEnd(finish_reason=FinishReason.LENGTH, model_seen=NAME)


def test_a_server_that_refuses_usage_options_is_asked_without_them_from_then_on(server: FaultServer) -> None:
    before = len(server.asked("no-usage-options"))

    result = outcome(server.url("no-usage-options"), times=3)

    assert result.text == HELLO
    assert len(server.asked("no-usage-options")) - before == 4


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
