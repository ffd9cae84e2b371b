"""Many visitors of the battle page without browsers: raw websockets that speak Streamlit's protocol; one process.

    python benchmarks/streaming_viewers.py --url http://127.0.0.1:8501 --battles 10

Opens every page first and prints `ready`; at a line on standard input each visitor sends a prompt. What came, and when,
is only noted down meanwhile, so that reading disturbs nothing; `done` says that the last answer has come, and then one
line of JSON what was seen.
"""

import argparse
import asyncio
import json
import random
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from streaming_answer import ANSWER_END, Mark, marks_in

PROMPT = "Why is the sky blue? Answer with a table, code and a formula."
OPEN_SECONDS = 60.0
ANSWER_SECONDS = 120.0
STREAMS_PER_BATTLE = 2


@dataclass(frozen=True, slots=True)
class Received:
    """A message of the server as it came."""

    at: float  # monotonic seconds
    data: bytes


@dataclass(slots=True, kw_only=True)
class Seen:
    """What one visitor saw of one battle; milliseconds throughout."""

    delays_ms: list[float] = field(default_factory=list)  # of each token: from sent to visible
    gaps_ms: list[float] = field(default_factory=list)  # between two updates of one side
    first_visible_ms: float | None = None  # from sending the prompt
    received_bytes: int = 0
    fault: str | None = None


@dataclass(slots=True, kw_only=True)
class Viewer:
    """One visitor with an open battle page."""

    connection: ClientConnection
    chat_input_id: str
    noted: list[Received] = field(default_factory=list)
    asked_at: float = 0.0

    async def watch(self, *, after_seconds: float) -> None:
        """Send the prompt and note everything down until both answers are whole and the page has been drawn."""
        await asyncio.sleep(after_seconds)
        self.asked_at = time.monotonic()
        await self.connection.send(_rerun(chat_input_id=self.chat_input_id))
        ended: set[int] = set()
        end = ANSWER_END.encode()
        while True:
            data = await self.connection.recv(decode=False)
            self.noted.append(Received(time.monotonic(), data))
            if end in data:
                ended |= {mark.stream for mark in _last_marks(data)}
            elif len(ended) == STREAMS_PER_BATTLE and _is_run_end(data):
                return


def seen(noted: Sequence[Received], *, asked_at: float, marks_per_answer: int) -> Seen:
    """What the noted messages show: each token counts in the first message that holds it."""
    result = Seen(received_bytes=sum(len(each.data) for each in noted))
    known: set[Mark] = set()
    latest: dict[int, _Update] = {}
    for update in _updates(noted):
        result.delays_ms += [mark.age_ms(now_seconds=update.at) for mark in update.marks if mark not in known]
        known.update(update.marks)
        before = latest.get(update.stream)
        if before is None or before.text != update.text:
            latest[update.stream] = update
            if before is not None:
                result.gaps_ms.append(1000 * (update.at - before.at))
        if result.first_visible_ms is None:
            result.first_visible_ms = 1000 * (update.at - asked_at)
    missing = STREAMS_PER_BATTLE * marks_per_answer - len(known)
    if missing:
        result.fault = f"{missing} tokens never came"
    return result


def main() -> None:
    options = _options()
    results = asyncio.run(_run(options))
    print(json.dumps([asdict(result) for result in results]), flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--battles", type=int, default=1)
    parser.add_argument("--ramp-seconds", type=float, default=1.0, help="over how long the prompts are spread")
    parser.add_argument("--marks", type=int, required=True, help="how many marked tokens an answer has")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


async def _run(options: argparse.Namespace) -> Sequence[Seen]:
    rng = random.Random(options.seed)
    viewers = [await _open(options.url) for _ in range(options.battles)]
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    faults = await asyncio.gather(
        *(_watch(viewer, after_seconds=rng.uniform(0, options.ramp_seconds)) for viewer in viewers)
    )
    print("done", flush=True)
    results = [seen(v.noted, asked_at=v.asked_at, marks_per_answer=options.marks) for v in viewers]
    for result, fault in zip(results, faults, strict=True):
        result.fault = fault or result.fault
    await asyncio.gather(*(viewer.connection.close() for viewer in viewers))
    return results


async def _watch(viewer: Viewer, *, after_seconds: float) -> str | None:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await viewer.watch(after_seconds=after_seconds)
    except (TimeoutError, WebSocketException) as exc:
        return repr(exc)
    return None


async def _open(url: str) -> Viewer:
    """Do what a browser does until the prompt can be typed."""
    cookies = await asyncio.to_thread(_cookies, url)
    address = urlsplit(url)
    connection = await connect(
        f"ws://{address.netloc}/_stcore/stream",
        additional_headers={"Cookie": cookies, "Origin": url.rstrip("/")},
        subprotocols=[Subprotocol("streamlit")],
        max_size=None,
    )
    await connection.send(_rerun())
    chat_input_id = ""
    async with asyncio.timeout(OPEN_SECONDS):
        while True:
            data = await connection.recv(decode=False)
            message = ForwardMsg.FromString(data)
            chat_input_id = message.delta.new_element.chat_input.id or chat_input_id
            if message.WhichOneof("type") == "script_finished":
                break
    if not chat_input_id:
        raise SystemExit("The battle page has no prompt box: open it in a browser and read what it says.")
    return Viewer(connection=connection, chat_input_id=chat_input_id)


def _cookies(url: str) -> str:
    with urllib.request.urlopen(url, timeout=OPEN_SECONDS) as page:
        cookie: SimpleCookie = SimpleCookie()
        for header in page.headers.get_all("Set-Cookie", []):
            cookie.load(header)
    return "; ".join(f"{name}={morsel.value}" for name, morsel in cookie.items())


def _rerun(*, chat_input_id: str | None = None) -> bytes:
    message = BackMsg()
    message.rerun_script.query_string = ""
    message.rerun_script.context_info.timezone = "UTC"
    message.rerun_script.context_info.locale = "en"
    if chat_input_id:
        state = message.rerun_script.widget_states.widgets.add()
        state.id = chat_input_id
        state.chat_input_value.data = PROMPT
    return bytes(message.SerializeToString())


def _is_run_end(data: bytes) -> bool:
    message = ForwardMsg.FromString(data)
    return bool(
        message.WhichOneof("type") == "script_finished"
        and message.script_finished == ForwardMsg.ScriptFinishedStatus.FINISHED_SUCCESSFULLY
    )


def _last_marks(data: bytes) -> Iterator[Mark]:
    _, end, last = _text_of(data).rpartition(ANSWER_END)
    yield from marks_in(last if end else "")


@dataclass(frozen=True, slots=True)
class _Update:
    """An answer as it was drawn."""

    at: float
    stream: int
    text: str
    marks: Sequence[Mark]


def _updates(noted: Sequence[Received]) -> Iterator[_Update]:
    for received in noted:
        text = _text_of(received.data)
        if marks := marks_in(text):
            yield _Update(received.at, marks[0].stream, text, marks)


def _text_of(data: bytes) -> str:
    """The Markdown that a message draws; empty when it draws none."""
    return str(ForwardMsg.FromString(data).delta.new_element.markdown.body)


if __name__ == "__main__":
    main()
