"""An upstream that misbehaves on purpose: a raw asyncio server on a real socket, in a thread of its own.

The first part of the path chooses what happens: `server.url("stall")` is a base URL under which every chat completion
stalls; under `server.url(BY_PROMPT)` the last prompt is the choice. `faults.FAULTS` lists what there is;
`server.faults["mine"] = handler` adds more.
"""

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Self

from tests.faults import FAULTS, Exchange, Handler, Request

BY_PROMPT = "as-the-prompt-says"


class FaultServer:
    """Serves `faults` on 127.0.0.1 until closed, over TLS with a `certificate` and its key; also a context manager."""

    def __init__(self, *, certificate: Path | None = None) -> None:
        self.faults: dict[str, Handler] = dict(FAULTS)
        self.requests: list[Request] = []
        self._connections = 0
        self._certificate = certificate
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)
        self._thread.start()
        assert self._ready.wait(30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def url(self, fault: str) -> str:
        """The base URL under which `fault` happens."""
        return f"{'https' if self._certificate else 'http'}://127.0.0.1:{self.port}/{fault}/v1"

    def asked(self, fault: str) -> list[Request]:
        """The requests for `fault` so far."""
        return [request for request in self.requests if request.fault == fault]

    def wait_for_request(self, fault: str, *, nth: int = 1, seconds: float = 30) -> Request:
        """The `nth` request for `fault`, once it is there."""
        wait_until(lambda: len(self.asked(fault)) >= nth, seconds=seconds)
        return self.asked(fault)[nth - 1]

    def close(self) -> None:
        """Cut every connection and stop."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
            self._loop.close()

    async def _serve(self) -> None:
        context = None
        if self._certificate is not None:
            context = SSLContext(PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._certificate)
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopping.wait()
        server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve_one(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        connection = self._connections
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            first = await reader.readexactly(1)
            if first == b"\x16":  # a TLS handshake on a plain socket
                writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                return
            while await self._answer(await self._read(first, reader, connection), reader, writer):
                first = b""

    async def _read(self, first: bytes, reader: asyncio.StreamReader, connection: int) -> Request:
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
        body = json.loads(await reader.readexactly(int(headers.get("content-length", 0))) or b"null")
        fault = head[0].split()[1].split("/")[1]
        if fault == BY_PROMPT:
            fault = body["messages"][-1]["content"]
        return Request(fault=fault, headers=headers, body=body, connection=connection)

    async def _answer(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Let the fault happen; whether the connection stays open for another request."""
        self.requests.append(request)
        exchange = Exchange(request, len(self.asked(request.fault)), writer)
        handler = asyncio.ensure_future(self.faults[request.fault](exchange))
        left = asyncio.ensure_future(_client_left(reader))
        try:
            await asyncio.wait([handler, left], return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not handler.done():
                request.gone.set()
            for task in (handler, left):
                task.cancel()
            await asyncio.gather(handler, left, return_exceptions=True)
        return exchange.keep_open


async def _client_left(reader: asyncio.StreamReader) -> None:
    # Asked again and again, because waiting for it with `read` would eat the next request.
    while not (reader.at_eof() or reader.exception()):  # noqa: ASYNC110
        await asyncio.sleep(0.01)


def wait_until(condition: Callable[[], object], *, seconds: float = 30) -> None:
    """Return once `condition` holds.

    Raises:
        AssertionError: it does not within `seconds`.
    """
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        pause.wait(0.01)


def refused_url() -> str:
    """A base URL on which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/v1"
