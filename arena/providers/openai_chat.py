"""Any endpoint that speaks OpenAI's chat completions, asked through the `openai` client."""

import asyncio
import contextlib
import ipaddress
import json
import ssl
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx2
from openai import AsyncOpenAI, DefaultAioHttpClient, OpenAIError

from arena.domain import Fault, Message, ModelSpec
from arena.errors import ProviderFault
from arena.providers.base import Chunk, StreamLimits, TextDelta
from arena.providers.chat_events import ChatEvents
from arena.providers.upstream_faults import error_object, fault_of_error, fault_of_exception, fault_of_status

OPENAI_URL = "https://api.openai.com/v1"
NO_KEY = "none"  # local servers ask for no key, but the client and some servers want the header
CONNECT_SECONDS = 10.0
USAGE_SECONDS = 2.0
GOODBYE_SECONDS = 0.1
ERROR_SECONDS = 2.0
MAX_ERROR_BYTES = 16_384
# What the client and the two libraries under it raise when a request fails.
CLIENT_ERRORS = (OpenAIError, httpx2.HTTPError, httpx2.InvalidURL, aiohttp.ClientError, OSError)


class OpenAIChat:
    """Provider for OpenAI and everything that copies its interface: gateways, vLLM, Ollama, llama.cpp.

    The client's own retries, redirects and event parsing are off: one call is one request. A server that refuses
    `stream_options` or `max_tokens` is remembered, and asked without it when the guard asks again.
    """

    def __init__(self) -> None:
        self._clients: dict[_Address, AsyncOpenAI] = {}
        self._dialects: dict[str, _Dialect] = {}

    async def stream(
        self,
        spec: ModelSpec,
        messages: Sequence[Message],
        *,
        base_url: str,
        api_key: str | None,
        limits: StreamLimits,
    ) -> AsyncGenerator[Chunk]:
        """Ask once and pass the text on as it comes; see `Provider.stream`."""
        address = _Address(base_url or OPENAI_URL, api_key or NO_KEY)
        dialect = self._dialects.get(_dialect_key(address, spec), _Dialect())
        events = ChatEvents(max_bytes=limits.max_bytes, max_line_bytes=_max_line_bytes(limits))
        answering = False
        try:
            request = self._client(address).chat.completions.with_streaming_response.create(
                **_request(spec, messages, dialect)
            )
            async with request as response:
                answering = True
                async with contextlib.aclosing(_texts(events, response.http_response, limits)) as texts:
                    async for text in texts:
                        yield TextDelta(text)
        except ProviderFault as fault:
            raise self._learned(fault, address, spec, dialect) from None
        except CLIENT_ERRORS as exc:
            raise fault_of_exception(exc, answering=answering) from exc
        yield events.end()

    async def close(self) -> None:
        """Close every connection."""
        clients = list(self._clients.values())
        self._clients.clear()
        for client in clients:
            await client.close()

    def _client(self, address: "_Address") -> AsyncOpenAI:
        # One per address and key, of which a configuration has few: none is ever thrown away.
        if address not in self._clients:
            self._clients[address] = _new_client(address, self._trusted)
        return self._clients[address]

    @cached_property
    def _trusted(self) -> ssl.SSLContext:
        # Read once: it takes the loop 20 ms. SSL_CERT_FILE counts for servers on this machine, too.
        return httpx2.create_ssl_context()

    def _learned(
        self, fault: ProviderFault, address: "_Address", spec: ModelSpec, dialect: "_Dialect"
    ) -> ProviderFault:
        if dialect.after(fault) == dialect:
            return fault
        key = _dialect_key(address, spec)
        self._dialects[key] = self._dialects.get(key, dialect).after(fault)  # others have learned meanwhile, too
        return ProviderFault(fault.fault, fault.detail, retry_after_seconds=0.0, retriable=True)


@dataclass(frozen=True, slots=True)
class _Address:
    base_url: str
    api_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dialect:
    """What a server or model refuses of the common tongue."""

    asks_for_usage: bool = True
    newer_limit_name: bool = False

    def after(self, fault: ProviderFault) -> "_Dialect":
        """What to speak once the server has said `fault`."""
        if fault.fault is not Fault.BAD_REQUEST:
            return self
        if "max_completion_tokens" in fault.detail:
            return replace(self, newer_limit_name=True)
        if "stream_options" in fault.detail or "include_usage" in fault.detail:
            return replace(self, asks_for_usage=False)
        return self


def _dialect_key(address: _Address, spec: ModelSpec) -> str:
    return f"{address.base_url} {spec.upstream_id}"


def _new_client(address: _Address, trusted: ssl.SSLContext) -> AsyncOpenAI:
    headers = {
        # Said here too, so that no Authorization from the environment takes its place.
        "Authorization": f"Bearer {address.api_key}",
        "Accept": "text/event-stream",
        "Accept-Encoding": "identity",  # a few compressed bytes may unfold to gigabytes
    }
    limits = httpx2.Limits(max_connections=1000)
    local = _is_loopback(address.base_url)
    if local:
        # llama.cpp's server drops 1-3 % of the requests on a connection that it is about to close.
        headers["Connection"] = "close"
        limits = httpx2.Limits(max_connections=1000, keepalive_expiry=0.0)
    client = AsyncOpenAI(
        base_url=address.base_url,
        api_key=address.api_key,
        admin_api_key="",
        max_retries=0,
        default_headers=headers,
        http_client=DefaultAioHttpClient(
            follow_redirects=False,
            trust_env=not local,  # no proxy to reach this machine
            verify=trusted,
            limits=limits,
            # The guard keeps the deadlines; a client's read timeout is re-armed by comments and empty events.
            timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS),
            event_hooks={"response": [_refuse_bad_heads]},
        ),
    )
    # The constructor took them from the environment, where they are meant for one upstream, not for all.
    client.organization = client.project = None
    return client


def _max_line_bytes(limits: StreamLimits) -> int:
    # An answer may come in one event, each of its characters escaped as two halves of a surrogate pair.
    return 12 * limits.max_characters + 65_536


def _is_loopback(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _request(spec: ModelSpec, messages: Sequence[Message], dialect: _Dialect) -> dict[str, Any]:
    limit_name = "max_completion_tokens" if dialect.newer_limit_name else "max_tokens"
    wanted = {
        "model": spec.upstream_id or spec.name,
        "messages": [{"role": message.role.value, "content": message.text} for message in messages],
        "stream": True,
        "stream_options": {"include_usage": True} if dialect.asks_for_usage else None,
        "temperature": spec.temperature,
        "top_p": spec.top_p,
        limit_name: spec.max_tokens,
        "extra_body": dict(spec.extra_body) or None,
    }
    return {name: value for name, value in wanted.items() if value is not None}


async def _refuse_bad_heads(response: httpx2.Response) -> None:
    """Let only an uncompressed stream of events through, before anybody reads its body.

    Raises:
        ProviderFault: it is something else; an error's body is read for 2 s and up to 16 kB.
    """
    compressed = response.headers.get("content-encoding", "identity").lower() != "identity"
    if response.status_code != httpx2.codes.OK:
        error = None if compressed else await _error_in(response)
        raise fault_of_status(response.status_code, error or {}, headers=response.headers)
    if compressed:
        raise ProviderFault(Fault.MALFORMED, "a compressed answer was not asked for")
    content_type = response.headers.get("content-type", "").lower()
    if "json" in content_type and "event-stream" not in content_type:
        error = await _error_in(response)
        raise fault_of_error(error) if error else ProviderFault(Fault.MALFORMED, "JSON instead of a stream")
    if "html" in content_type:
        raise ProviderFault(Fault.MALFORMED, "a web page instead of a stream")


async def _error_in(response: httpx2.Response) -> Any:  # noqa: ANN401 - a JSON object's values are of any type
    body = await _beginning_of(response)
    try:
        decoded = json.loads(body)
    except (ValueError, RecursionError):
        return {"message": body[:200].decode(errors="replace")} if response.status_code != httpx2.codes.OK else None
    return error_object(decoded[0] if isinstance(decoded, list) and decoded else decoded)


async def _beginning_of(response: httpx2.Response) -> bytearray:
    """As much of an error's body as is wanted and comes in time: the status alone says enough."""
    body = bytearray()
    with contextlib.suppress(*CLIENT_ERRORS, TimeoutError):
        async with asyncio.timeout(ERROR_SECONDS), contextlib.aclosing(response.aiter_raw()) as pieces:
            async for piece in pieces:
                body += piece
                if len(body) > MAX_ERROR_BYTES:
                    break
    return body


async def _texts(events: ChatEvents, response: httpx2.Response, limits: StreamLimits) -> AsyncGenerator[str]:
    """The answer's text, one piece per read from the network.

    Once the model has said why it stopped, the answer is whole: then the upstream has 2 s for its usage figures (less
    where the guard allows no such silence), and whatever goes wrong while they come is nobody's loss.
    """
    async with contextlib.aclosing(response.aiter_raw()) as reads:
        while not (events.done or events.finished):
            read = await anext(reads, None)
            if read is None:
                break
            if text := events.feed(read):
                yield text
        if events.finished:
            await _read_on(events, reads, seconds=min(USAGE_SECONDS, limits.silence_seconds / 2))
            await _read_on(None, reads, seconds=GOODBYE_SECONDS)
        elif events.fault is not None:
            raise events.fault


async def _read_on(events: ChatEvents | None, reads: AsyncGenerator[bytes], *, seconds: float) -> None:
    """Feed `events` until they are complete; without them, read to the end, so that the connection can be kept."""
    with contextlib.suppress(*CLIENT_ERRORS, TimeoutError):
        async with asyncio.timeout(seconds):
            while not (events and events.complete) and (read := await anext(reads, None)) is not None:
                if events:
                    events.feed(read)
