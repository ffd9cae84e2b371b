"""What can go wrong with an upstream, one handler each: `FAULTS` is the list, `fault_server` lets it happen."""

import asyncio
import json
import socket
import struct
import threading
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

KEY = "sk-planted-secret-0123456789"
NAME = "planted-model-name"
OTHER_NAME = "planted-other-model"
WORDS = ("Hello", " wor", "ld")
Handler = Callable[["Exchange"], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class Request:
    """What a client asked; `gone` is set once its connection is closed."""

    fault: str
    headers: Mapping[str, str]
    body: Any
    connection: int
    gone: threading.Event = field(default_factory=threading.Event)


class Exchange:
    """One request and the means to answer it, event by event."""

    def __init__(self, request: Request, nth: int, writer: asyncio.StreamWriter) -> None:
        self.request = request
        self.nth = nth
        self.writer = writer
        self.keep_open = False

    async def send(self, data: bytes | str) -> None:
        self.writer.write(data if isinstance(data, bytes) else data.encode())
        await self.writer.drain()

    async def head(self, status: int = 200, content_type: str = "text/event-stream", **headers: str) -> None:
        lines = [f"HTTP/1.1 {status} Whatever", f"Content-Type: {content_type}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.send("\r\n".join(lines) + "\r\n\r\n")

    async def event(self, body: object) -> None:
        await self.send(f"data: {json.dumps(body)}\n\n")

    async def text(self, *pieces: str) -> None:
        for piece in pieces:
            await self.event(chunk({"content": piece}))

    async def finish(self, reason: str = "stop", *, usage: bool = True) -> None:
        await self.event(chunk({}, finish_reason=reason))
        if usage:
            await self.event({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}})
        await self.send("data: [DONE]\n\n")

    async def answer(self, *pieces: str) -> None:
        """A healthy answer."""
        await self.head()
        await self.text(*(pieces or WORDS))
        await self.finish()

    async def refuse(self, status: int, message: str = "no", code: str | None = None, **headers: str) -> None:
        """An error status whose body names the model and the key, as real ones do."""
        await self.head(status, "application/json", **headers)
        await self.send(json.dumps({"error": {"message": f"{message} ({NAME}, {KEY})", "code": code}}))

    async def hang(self) -> None:
        """Wait until the client goes away."""
        await asyncio.Event().wait()

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


def chunk(delta: object, *, finish_reason: object = None) -> dict[str, Any]:
    """One event of a streamed completion."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"id": "x", "object": "chat.completion.chunk", "model": NAME, "choices": [choice]}


def raw(data: bytes | str, *, status: int = 200, content_type: str = "text/event-stream", **headers: str) -> Handler:
    """A handler that sends fixed bytes after the head and closes."""

    async def handler(exchange: Exchange) -> None:
        await exchange.head(status, content_type, **headers)
        await exchange.send(data)

    return handler


def refusing(status: int, message: str = "no", code: str | None = None, **headers: str) -> Handler:
    """A handler that always answers with an error."""
    return lambda exchange: exchange.refuse(status, message, code, **headers)


def once(fault: Handler) -> Handler:
    """A handler that fails once and is healthy from then on."""
    return lambda exchange: fault(exchange) if exchange.nth == 1 else exchange.answer()


def spoiled(body: object) -> Handler:
    """A healthy answer with one strange event in its middle."""

    async def handler(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.text("Hel")
        await (exchange.send(body) if isinstance(body, bytes) else exchange.event(body))
        await exchange.text("lo")
        await exchange.finish()

    return handler


def beginning(then: Callable[[Exchange], Awaitable[None]] | None = None, *, text: str = "Hello") -> Handler:
    """A handler that begins a healthy answer, does `then` and closes."""

    async def handler(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.text(text)
        if then is not None:
            await then(exchange)

    return handler


def repeating(data: bytes, *, pause_seconds: float = 0.0, text: str = "") -> Handler:
    """A handler that sends `data` for ever, after `text`."""

    async def handler(exchange: Exchange) -> None:
        await exchange.head()
        if text:
            await exchange.text(text)
        while True:
            await exchange.send(data)
            await asyncio.sleep(pause_seconds)

    return handler


async def _reset(exchange: Exchange) -> None:
    await asyncio.sleep(0.3)  # an RST throws away what the client has not read yet
    exchange.reset()


async def _chunked_cut(exchange: Exchange) -> None:
    await exchange.head(Transfer_Encoding="chunked")
    event = f"data: {json.dumps(chunk({'content': 'Hello'}))}\n\n".encode()
    await exchange.send(b"%x\r\n%b\r\nff\r\nhalf" % (len(event), event))


async def _kept_open(exchange: Exchange) -> None:
    body = "".join(f"data: {json.dumps(chunk({'content': word}))}\n\n" for word in WORDS) + FINISH + "data: [DONE]\n\n"
    exchange.keep_open = True
    await exchange.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    await exchange.send(f"{len(body):x}\r\n{body}\r\n")
    await asyncio.sleep(0.02)  # the end of the body comes in a packet of its own
    await exchange.send("0\r\n\r\n")


async def _slow_text(exchange: Exchange) -> None:
    await exchange.head()
    while True:
        await exchange.text("tick ")
        await asyncio.sleep(0.05)


async def _no_first_token(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.event(chunk({"role": "assistant", "content": ""}))
    await exchange.hang()


async def _byte_by_byte(exchange: Exchange) -> None:
    await exchange.head()
    body = f"data: {json.dumps(chunk({'content': 'Grüße 😀'}), ensure_ascii=False)}\r\n\r\n".encode()
    for byte in body:
        await exchange.send(bytes([byte]))
        await asyncio.sleep(0)
    await exchange.finish()


async def _surrogate_halves(exchange: Exchange) -> None:
    await exchange.answer("a", "\ud83d", "\ude00", "b\udc00")


async def _finish_then_hang(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.text(*WORDS)
    await exchange.event(chunk({}, finish_reason="stop"))
    await exchange.hang()


async def _late_usage(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.text(*WORDS)
    await exchange.event(chunk({}, finish_reason="stop"))
    await asyncio.sleep(0.1)
    await exchange.event({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}})
    await exchange.hang()


async def _finish_then_reset(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.text(*WORDS)
    await exchange.event(chunk({}, finish_reason="stop"))
    await _reset(exchange)


def _much(*, pieces: int, characters: int) -> Handler:
    """A healthy answer of so many pieces of so many characters, its events sent a hundred at a time."""

    async def handler(exchange: Exchange) -> None:
        event = f"data: {json.dumps(chunk({'content': 'x' * characters}))}\n\n"
        await exchange.head()
        for done in range(0, pieces, 100):
            await exchange.send(event * min(100, pieces - done))
        await exchange.finish()

    return handler


async def _other_model(exchange: Exchange) -> None:
    await exchange.head()
    await exchange.event({**chunk({"content": "Hello world"}, finish_reason="stop"), "model": OTHER_NAME})


async def _parts(exchange: Exchange) -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
    await exchange.head()
    await exchange.event(chunk({"content": [thought]}))
    await exchange.event(chunk({"content": [{"type": "text", "text": "Hello"}, {"type": "text", "text": " wor"}]}))
    await exchange.event(chunk({"content": []}))
    await exchange.event(chunk({"content": "ld"}))
    await exchange.finish()


async def _refusal_without_body(exchange: Exchange, *, cut: bool) -> None:
    await exchange.head(401, "application/json", Content_Length="1000")
    await exchange.send('{"error": ')
    if not cut:
        await exchange.hang()


async def _no_usage_options(exchange: Exchange) -> None:
    if "stream_options" in exchange.request.body:
        await exchange.refuse(400, "unknown field stream_options")
    else:
        await exchange.head()
        await exchange.text(*WORDS)
        await exchange.finish(usage=False)


async def _newer_limit_name(exchange: Exchange) -> None:
    if "max_tokens" in exchange.request.body:
        await exchange.refuse(400, "Unsupported parameter: use 'max_completion_tokens' instead")
    else:
        await exchange.answer()


def _redirect(url: Callable[[Exchange], str], status: int = 307) -> Handler:
    return lambda exchange: exchange.head(status, "text/plain", Location=url(exchange))


def endlessly(begin: bytes, data: bytes) -> Handler:
    """A handler that sends `begin`, then `data` for ever."""

    async def handler(exchange: Exchange) -> None:
        await exchange.send(begin)
        while True:
            await exchange.send(data)

    return handler


FINISH = f"data: {json.dumps(chunk({}, finish_reason='stop'))}\n\n"
ERROR_EVENT = {"error": {"message": f"The server {NAME} had an error with {KEY}", "type": "server_error"}}


@cache
def _compressed(*, megabytes: int) -> bytes:
    # Once and when it is wanted: it takes half a second.
    packer = zlib.compressobj(wbits=31)
    text = (packer.compress(b"x" * 1_000_000) for _ in range(megabytes))
    return b"".join([packer.compress(b"data: "), *text, packer.flush()])


async def _gzip_bomb(exchange: Exchange) -> None:
    await exchange.head(Content_Encoding="gzip")
    await exchange.send(_compressed(megabytes=100))


def _part(**part: object) -> Handler:
    return spoiled(chunk({"content": [part]}))


FAULTS: dict[str, Handler] = {
    "ok": Exchange.answer,
    "kept-open": _kept_open,
    "hang": Exchange.hang,
    "slow": _slow_text,
    "429-wait-1": once(refusing(429, Retry_After="1")),
    "429-wait-3": refusing(429, Retry_After="3"),
    "429-wait-300": refusing(429, Retry_After="300"),
    "429-wait-unknown": refusing(429),
    "429-quota": refusing(429, "You exceeded your current quota", "insufficient_quota"),
    "500-once": once(refusing(500, retry_after_ms="20")),
    "503-always": refusing(503, Retry_After="0"),
    "503-no-retry": refusing(503, X_Should_Retry="false"),
    "503-compressed": raw(b"\x1f\x8b", status=503, Content_Encoding="gzip"),
    "400": refusing(400),
    "401": refusing(401, "Incorrect API key provided"),
    "401-hangs": lambda exchange: _refusal_without_body(exchange, cut=False),
    "401-cut": lambda exchange: _refusal_without_body(exchange, cut=True),
    "402": refusing(402),
    "403": refusing(403),
    "404": refusing(404),
    "422": raw('{"detail": [{"loc": ["body", "top_k"]}]}', status=422, content_type="application/json"),
    "context": refusing(400, "This model's maximum context length is 4096 tokens", "context_length_exceeded"),
    "context-llama": refusing(400, "the request exceeds the available context size"),
    "filtered-prompt": refusing(400, "The response was filtered", "content_filter"),
    "error-page": raw("<html>" * 10_000, status=502, content_type="text/html"),
    "endless-error": endlessly(b"HTTP/1.1 500 No\r\nContent-Type: application/json\r\n\r\n", b"x" * 65_536),
    "html": raw(f"<html>{NAME}</html>", content_type="text/html"),
    "html-as-events": raw(f"<html>\n{NAME}\n</html>"),
    "json": raw(json.dumps({"choices": [{"message": {"content": "hi"}}]}), content_type="application/json"),
    "json-error": raw(json.dumps({"error": "model overloaded"}), content_type="application/json"),
    "fin-mid-stream": beginning(),
    "half-event": beginning(lambda exchange: exchange.send('data: {"choices": [{"del')),
    "done-without-reason": beginning(lambda exchange: exchange.send("data: [DONE]\n\n")),
    "error-event": beginning(lambda exchange: exchange.send(f'event: error\ndata: {{"message": "{NAME} {KEY}"}}\n\n')),
    "error-object": beginning(lambda exchange: exchange.event(ERROR_EVENT)),
    "error-status-in-stream": raw(f"data: {json.dumps({'error': {'code': 429, 'message': KEY}})}\n\n"),
    "error-as-reason": beginning(lambda exchange: exchange.finish("error")),
    "refusal": spoiled(chunk({"refusal": f"{NAME} cannot"})),
    "empty-body": raw(""),
    "no-text": raw(FINISH),
    "blank-text": lambda exchange: exchange.answer(" \n", "\t"),
    "content-filter": beginning(lambda exchange: exchange.finish("content_filter")),
    "tool-calls": beginning(lambda exchange: exchange.finish("tool_calls")),
    "rst-mid-stream": beginning(_reset),
    "rst-at-once": _reset,
    "chunked-cut": _chunked_cut,
    "no-headers": Exchange.hang,
    "no-first-token": _no_first_token,
    "stall": beginning(Exchange.hang),
    "comments": repeating(b": keep-alive\n\n", pause_seconds=0.02),
    "comments-mid-stream": repeating(b": keep-alive\n\n", pause_seconds=0.02, text="Hello"),
    "empty-deltas": repeating(f"data: {json.dumps(chunk({'content': ''}))}\n\n".encode(), pause_seconds=0.02),
    "flood": repeating(f"data: {json.dumps(chunk({'content': ''}))}\n\n".encode() * 1000),
    "reasoning": repeating(f"data: {json.dumps(chunk({'reasoning_content': 'hm'}))}\n\n".encode(), pause_seconds=0.02),
    "endless-text": _slow_text,
    "bad-json": spoiled(b"data: {oops\n\n"),
    "deep-json": spoiled(b"data: " + b"[" * 100_000 + b"\n\n"),
    "bad-utf8": spoiled(b'data: {"choices": [{"delta": {"content": "\xff"}}]}\n\n'),
    "list-event": spoiled([1]),
    "int-content": spoiled(chunk({"content": 5})),
    "content-parts": _parts,
    "image-part": _part(type="image_url", image_url={"url": f"https://{NAME}.example"}),
    "refusal-part": _part(type="refusal", refusal=f"{NAME} cannot"),
    "text-part": spoiled(chunk({"content": ["hello"]})),
    "text-delta": spoiled(chunk("hello")),
    "text-choices": spoiled({"choices": "hello"}),
    "null-delta": spoiled(chunk(None)),
    "null-content": spoiled(chunk({"content": None})),
    "no-choices": spoiled({"choices": []}),
    "silly-usage": spoiled({"choices": None, "usage": {"prompt_tokens": "many", "completion_tokens": True}}),
    "other-model": _other_model,
    "split-utf8": _byte_by_byte,
    "surrogate-halves": _surrogate_halves,
    "nul": lambda exchange: exchange.answer("a\x00b", "\x1b[31m\r\n"),
    "finish-then-hang": _finish_then_hang,
    "late-usage": _late_usage,
    "finish-then-reset": _finish_then_reset,
    "no-usage-options": _no_usage_options,
    "newer-limit-name": _newer_limit_name,
    "10-megabytes": _much(pieces=1_000, characters=10_000),
    "100000-deltas": _much(pieces=100_000, characters=1),
    "10-megabytes-in-one-line": _much(pieces=1, characters=10_000_000),
    "endless-line": repeating(b"data: " + b"x" * 65_536),
    "endless-header": endlessly(b"HTTP/1.1 200 OK\r\nX-More: ", b"x" * 65_536),
    "gzip-bomb": _gzip_bomb,
    "redirect-same": _redirect(lambda exchange: f"http://{exchange.request.headers['host']}/ok/v1/chat/completions"),
    "redirect-loop": _redirect(lambda _: "/redirect-loop/v1/chat/completions", 302),
    "not-http": lambda exchange: exchange.send(b"SSH-2.0-OpenSSH_9.2\r\n"),
}
