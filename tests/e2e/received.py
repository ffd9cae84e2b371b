"""Everything that reached a browser window: frames, answers, addresses, and what it keeps."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page, Request, WebSocket
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.fault_server import wait_until

ASSETS = "/static/"  # the front-end's own files, the same in every arena
OWN_SCHEMES = ("data:", "blob:")
UUID = re.compile(rb"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
SECONDS_LEFT = re.compile(rb"final in \d+ s")
RANDOM_HEADERS = {"date", "set-cookie", "x-request-id"}
ICON = "/favicon.png"  # a browser asks for it once, whichever window comes first
_Place = tuple[str, tuple[int, ...]]
Messages = Mapping[_Place, frozenset[bytes]]


@dataclass(frozen=True, slots=True)
class Seen:
    """Some bytes that a browser received or keeps, and where they stood."""

    where: str
    data: bytes


@dataclass(frozen=True, slots=True)
class _Answer:
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class Received:
    """Records what the pages of `context` receive; to be made before its first page."""

    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self._frames: list[bytes] = []
        self._running = False
        self._requests: list[Request] = []
        self._unanswered: set[Request] = set()
        self._answers: list[_Answer] = []
        context.on("page", self._watch)
        context.on("request", self._note_request)
        context.on("requestfinished", self._note_answer)  # now: after a navigation the body is gone
        context.on("requestfailed", self._note_failure)

    def wait_until_drawn(self) -> None:
        """Return once the page has said that its script has run to the end: nothing of what it drew is on its way."""
        wait_until(lambda: self._context.cookies() is not None and not self._running)

    def forget(self) -> None:
        """Leave out what came so far, to the end of what is being drawn."""
        self.wait_until_drawn()
        self._frames.clear()
        self._answers.clear()

    def leaks(self, words: Sequence[str]) -> set[tuple[str, str]]:
        """Where any of `words` stands, in whatever case: (place, word)."""
        wanted = {word: word.lower().encode() for word in words}
        found = set()
        for seen in self.everything():
            data = seen.data.replace(b"\\", b"").lower()  # Markdown and JSON escape some letters
            found |= {(seen.where, word) for word, small in wanted.items() if small in data}
        return found

    def foreign_requests(self, own: str) -> list[str]:
        """The addresses asked for that are not below `own`."""
        return [r.url for r in self._requests if not r.url.startswith((f"{own}/", *OWN_SCHEMES))]

    def everything(self) -> Iterator[Seen]:
        """All of it, but for the front-end's own files."""
        self._wait_for_answers()
        yield from (Seen("frame", frame) for frame in self._frames)
        for answer in self._answers:
            yield Seen("address", answer.url.encode())
            yield Seen("header", json.dumps(answer.headers).encode())
            yield Seen("body", answer.body)
        for page in self._context.pages:
            yield Seen("document", page.content().encode())
            yield Seen("title", page.title().encode())
            yield Seen("address", page.url.encode())
            yield Seen("storage", page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])").encode())
        yield Seen("cookie", json.dumps(self._context.cookies()).encode())

    def messages(self, *random: str) -> Messages:
        """What the websocket said, by kind of message and place on the page, without what is random or the clock's.

        Levelled out, byte for byte of the same length: `random` words (a battle's id) and UUIDs (script runs,
        sessions). Dropped: the digest that each message carries of itself, empty placeholders, which Streamlit merges
        with what follows when that comes quickly, a growing text where a longer one stood later that begins with it,
        and how often and in which order one place was drawn: all that depends on when the page looked. The seconds of
        the hold count as one.
        """
        self.wait_until_drawn()
        found: dict[_Place, set[bytes]] = {}
        grown: dict[_Place, dict[str, bytes]] = {}
        for frame in self._frames:
            message = ForwardMsg.FromString(_levelled(UUID.sub(b"0" * 36, frame), random))
            if message.delta.new_element.WhichOneof("type") == "empty":
                continue
            message.ClearField("hash")
            place = (str(message.WhichOneof("type")), tuple(message.metadata.delta_path))
            content = SECONDS_LEFT.sub(b"final in # s", message.SerializeToString(deterministic=True))
            if text := message.delta.new_element.markdown.body or message.delta.new_element.text.body:
                grown.setdefault(place, {})[text] = content
            else:
                found.setdefault(place, set()).add(content)
        for place, texts in grown.items():
            whole = (text for text in texts if not any(other != text and other.startswith(text) for other in texts))
            found.setdefault(place, set()).update(texts[text] for text in whole)
        return {place: frozenset(contents) for place, contents in found.items()}

    def answers(self, *random: str) -> Mapping[str, object]:
        """What HTTP answered, by path without `random` words: status, headers but date and cookie, digest of it."""
        self._wait_for_answers()
        return {
            _levelled(urlsplit(answer.url)._replace(scheme="", netloc="").geturl().encode(), random).decode(): (
                answer.status,
                {name: value for name, value in answer.headers.items() if name not in RANDOM_HEADERS},
                sha256(answer.body).hexdigest(),
            )
            for answer in self._answers
            if not answer.url.endswith(ICON)
        }

    def _note_request(self, request: Request) -> None:
        self._requests.append(request)
        if ASSETS not in request.url and not request.url.startswith(OWN_SCHEMES):
            self._unanswered.add(request)

    def _note_answer(self, request: Request) -> None:
        response = request.response() if request in self._unanswered else None
        if response is not None:
            answer = _Answer(request.url, response.status, response.all_headers(), response.body())
            self._answers.append(answer)
        self._unanswered.discard(request)

    def _note_failure(self, request: Request) -> None:
        self._unanswered.discard(request)

    def _wait_for_answers(self) -> None:
        """Asking for the cookies lets Playwright deliver what has come meanwhile."""
        wait_until(lambda: self._context.cookies() is not None and not self._unanswered)

    def _watch(self, page: Page) -> None:
        page.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        self._running = False
        socket.on("framereceived", self._note_frame)

    def _note_frame(self, frame: str | bytes) -> None:
        self._frames.append(_bytes(frame))
        message = ForwardMsg.FromString(self._frames[-1])
        if message.WhichOneof("type") == "session_status_changed":
            self._running = message.session_status_changed.script_is_running


def _bytes(frame: str | bytes) -> bytes:
    return frame.encode() if isinstance(frame, str) else frame


def _levelled(data: bytes, random: Sequence[str]) -> bytes:
    for word in random:
        data = data.replace(word.encode(), b"#" * len(word))
    return data
