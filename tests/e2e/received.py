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
RANDOM_HEADERS = {"date", "set-cookie"}
Messages = Mapping[tuple[str, tuple[int, ...]], frozenset[bytes]]


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
        self._requests: list[Request] = []
        self._unanswered: set[Request] = set()
        self._answers: list[_Answer] = []
        context.on("page", self._watch)
        context.on("request", self._note_request)
        context.on("requestfinished", self._note_answer)  # now: after a navigation the body is gone
        context.on("requestfailed", self._note_failure)

    def forget(self) -> None:
        """Leave out what came so far."""
        self._frames.clear()
        self._answers.clear()

    def leaks(self, words: Sequence[str]) -> set[tuple[str, str]]:
        """Where any of `words` stands, in whatever case: (place, word)."""
        return {
            (seen.where, word)
            for seen in self.everything()
            for word in words
            if word.lower().encode() in seen.data.replace(b"\\", b"").lower()  # Markdown and JSON escape some letters
        }

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

    def messages(self, *, battle_id: str) -> Messages:
        """What the websocket said, by kind of message and place on the page, without what is random or the clock's.

        Levelled out, byte for byte of the same length: the battle's id and UUIDs (script runs, sessions). Dropped: the
        digest that each message carries of itself, empty placeholders, which Streamlit merges with what follows when
        that comes quickly, and how often and in which order one place was drawn, which depends on when the page
        looked. The seconds of the hold count as one.
        """
        found: dict[tuple[str, tuple[int, ...]], set[bytes]] = {}
        for frame in self._frames:
            levelled = UUID.sub(b"0" * 36, frame.replace(battle_id.encode(), b"B" * len(battle_id)))
            message = ForwardMsg.FromString(levelled)
            if message.delta.new_element.WhichOneof("type") == "empty":
                continue
            message.ClearField("hash")
            place = (str(message.WhichOneof("type")), tuple(message.metadata.delta_path))
            content = SECONDS_LEFT.sub(b"final in # s", message.SerializeToString(deterministic=True))
            found.setdefault(place, set()).add(content)
        return {place: frozenset(contents) for place, contents in found.items()}

    def answers(self, *, battle_id: str) -> Mapping[str, object]:
        """What HTTP answered, by path: status, headers without date and cookie, digest of the body."""
        self._wait_for_answers()
        return {
            urlsplit(answer.url)._replace(scheme="", netloc="").geturl().replace(battle_id, "B"): (
                answer.status,
                {name: value for name, value in answer.headers.items() if name not in RANDOM_HEADERS},
                sha256(answer.body).hexdigest(),
            )
            for answer in self._answers
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
        socket.on("framereceived", lambda frame: self._frames.append(_bytes(frame)))


def _bytes(frame: str | bytes) -> bytes:
    return frame.encode() if isinstance(frame, str) else frame
