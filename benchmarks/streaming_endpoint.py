"""An OpenAI-compatible endpoint that answers at a set pace, one token per event; a process of its own.

    python benchmarks/streaming_endpoint.py --rate 40 --characters 2000 --first-token-ms 300

Prints its port. When its standard input closes it prints what it did as JSON and ends.
"""

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from streaming_answer import answer_tokens, marked

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
APART_SECONDS = 0.002  # a mark holds milliseconds: late tokens follow one another without sharing one
CHUNK = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_790_000_000, "model": "bench"}
USAGE = {"prompt_tokens": 20, "completion_tokens": 400, "total_tokens": 420}


@dataclass(slots=True, kw_only=True)
class Endpoint:
    """What is answered, and how punctually it was."""

    tokens: Sequence[str]
    rate: float  # tokens per second
    first_token_seconds: float
    rng: random.Random
    requests: int = 0
    late_ms: list[float] = field(default_factory=list)
    _streams: "count[int]" = field(default_factory=count)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, which brings one request."""
        try:
            await _read_request(reader)
            self.requests += 1
            await self._stream(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the arena hung up: the benchmark counts what is missing on the other end
        finally:
            writer.close()

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        stream, clock = next(self._streams), time.monotonic
        before, after = _event_frame()
        writer.write(HEAD)
        # Two streams are never in step, and neither are the battles.
        due = clock() + self.first_token_seconds + self.rng.uniform(0, 1 / self.rate)
        for token in self.tokens:
            await asyncio.sleep(max(0.0, due - clock()))
            now = clock()
            content = json.dumps(marked(token, stream=stream, now_seconds=now)).encode()
            writer.write(_chunk(before + content + after))
            await writer.drain()
            self.late_ms.append(1000 * (now - due))
            due = max(due + 1 / self.rate, now + APART_SECONDS)
        for body in ({"choices": [_choice({}, "stop")]}, {"choices": [], "usage": USAGE}):
            writer.write(_chunk(b"data: " + json.dumps({**CHUNK, **body}).encode() + b"\n\n"))
        writer.write(_chunk(b"data: [DONE]\n\n") + _chunk(b""))
        await writer.drain()


def main() -> None:
    options = _options()
    endpoint = Endpoint(
        tokens=answer_tokens(options.characters),
        rate=options.rate,
        first_token_seconds=options.first_token_ms / 1000,
        rng=random.Random(options.seed),
    )
    asyncio.run(_serve(endpoint))
    late = sorted(endpoint.late_ms) or [0.0]
    print(json.dumps({"requests": endpoint.requests, "late_p95_ms": late[int(0.95 * (len(late) - 1))]}), flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=40.0, help="tokens per second of each answer")
    parser.add_argument("--characters", type=int, default=2000)
    parser.add_argument("--first-token-ms", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


async def _serve(endpoint: Endpoint) -> None:
    server = await asyncio.start_server(endpoint.answer, "127.0.0.1", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


async def _read_request(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, _, rest = head.partition(b"content-length:")
    await reader.readexactly(int(rest.split(b"\r\n", 1)[0] or 0))


def _event_frame() -> tuple[bytes, bytes]:
    """What stands before and after the content of an event, which is the same each time."""
    event = json.dumps({**CHUNK, "choices": [_choice({"content": "@"}, None)]}).encode()
    before, after = event.split(b'"@"')
    return b"data: " + before, after + b"\n\n"


def _choice(delta: dict[str, str], finish_reason: str | None) -> dict[str, object]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


if __name__ == "__main__":
    main()
