"""What must become of every fault: `CASES` is the table, `Upstreams` has an address for each of its lines."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import pytest

from arena.domain import Fault
from arena.providers import StreamLimits
from tests.asking import PATIENT
from tests.certificates import make_certificates
from tests.fault_server import FaultServer, refused_url
from tests.faults import Exchange

HELLO = "Hello world"
# One short deadline each, so that a busy machine does not meet another first.
NO_START = replace(PATIENT, first_token_seconds=4)
NO_PAUSE = replace(PATIENT, silence_seconds=1.0)
NO_END = replace(PATIENT, total_seconds=2.0)
SMALL = replace(PATIENT, max_characters=50_000, max_bytes=3_000_000)
LIMITS = (PATIENT, NO_START, NO_PAUSE, NO_END, SMALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One fault. `words` say what the upstream does, for the table in docs/providers.md.

    `fault` is None where the answer is whole nevertheless, and then `text` is that answer. `seen` is False where no
    request reaches a server.
    """

    words: str
    fault: Fault | None = None
    text: str = ""
    asked_again: bool = False
    seen: bool = True
    limits: StreamLimits = PATIENT

    @property
    def requests(self) -> int:
        """How many requests arrive."""
        return (2 if self.asked_again else 1) if self.seen else 0


def healed(words: str, text: str = HELLO, *, asked_again: bool = False) -> Case:
    return Case(words=words, text=text, asked_again=asked_again)


def failed(fault: Fault, words: str, *, seen: bool = True, limits: StreamLimits = PATIENT) -> Case:
    return Case(words=words, fault=fault, seen=seen, limits=limits)


def failed_twice(fault: Fault, words: str, *, seen: bool = True) -> Case:
    return Case(words=words, fault=fault, asked_again=True, seen=seen)


CASES: Mapping[str, Case] = {
    "429-wait-1": healed("status 429 once, with a wait of 1 s", asked_again=True),
    "500-once": healed("status 500 once", asked_again=True),
    "no-usage-options": healed("refuses `stream_options`", asked_again=True),
    "newer-limit-name": healed("refuses `max_tokens` and names its successor", asked_again=True),
    "null-delta": healed("a delta that is null", "Hello"),
    "null-content": healed("content that is null", "Hello"),
    "content-parts": healed("content as a list of parts (thoughts are left out)"),
    "no-choices": healed("an event without choices", "Hello"),
    "silly-usage": healed("token counts that are no numbers", "Hello"),
    "other-model": healed("another model's name in the answer (it is recorded)"),
    "split-utf8": healed("characters cut in two by packets", "Grüße 😀"),
    "surrogate-halves": healed("halves of surrogate pairs in separate events", "a😀b\N{REPLACEMENT CHARACTER}"),
    "nul": healed("NUL and control characters", "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}[31m\n"),
    "finish-then-hang": healed("a finish reason, then silence"),
    "late-usage": healed("token counts after a pause"),
    "finish-then-reset": healed("a finish reason, then a reset connection"),
    "100000-deltas": healed("100,000 events", "x" * 100_000),
    "429-wait-3": failed_twice(Fault.RATE_LIMITED, "status 429 with a wait of at most 5 s"),
    "429-wait-unknown": failed_twice(Fault.RATE_LIMITED, "status 429 without a word about waiting"),
    "error-status-in-stream": failed_twice(Fault.RATE_LIMITED, "status 429 inside the stream"),
    "429-wait-300": failed(Fault.RATE_LIMITED, "status 429 with a longer wait"),
    "429-quota": failed(Fault.QUOTA, "status 429 because the quota is used up"),
    "402": failed(Fault.QUOTA, "status 402"),
    "503-always": failed_twice(Fault.OVERLOADED, "any status from 500 on"),
    "503-compressed": failed_twice(Fault.OVERLOADED, "the same with a compressed body"),
    "error-page": failed_twice(Fault.OVERLOADED, "the same with a web page"),
    "endless-error": failed_twice(Fault.OVERLOADED, "the same with an endless body"),
    "json-error": failed_twice(Fault.OVERLOADED, "an error object with status 200"),
    "503-no-retry": failed(Fault.OVERLOADED, "status 503 with `x-should-retry: false`"),
    "error-event": failed(Fault.OVERLOADED, "`event: error` after some text"),
    "error-object": failed(Fault.OVERLOADED, "an error object after some text"),
    "error-as-reason": failed(Fault.OVERLOADED, "the finish reason `error`"),
    "400": failed(Fault.BAD_REQUEST, "status 400"),
    "422": failed(Fault.BAD_REQUEST, "status 422"),
    "context": failed(Fault.CONTEXT_OVERFLOW, "status 400 about the context length"),
    "context-llama": failed(Fault.CONTEXT_OVERFLOW, "the same in llama.cpp's words"),
    "401": failed(Fault.REFUSED_KEY, "status 401"),
    "401-hangs": failed(Fault.REFUSED_KEY, "status 401 whose body never ends"),
    "401-cut": failed(Fault.REFUSED_KEY, "status 401 whose body is cut"),
    "403": failed(Fault.REFUSED_KEY, "status 403"),
    "404": failed(Fault.NOT_FOUND, "status 404"),
    "filtered-prompt": failed(Fault.CONTENT_FILTER, "status 400 by a content filter"),
    "content-filter": failed(Fault.CONTENT_FILTER, "the finish reason `content_filter`"),
    "refusal": failed(Fault.CONTENT_FILTER, "a refusal field"),
    "refusal-part": failed(Fault.CONTENT_FILTER, "a refusal among the parts of the content"),
    "refused": failed_twice(Fault.UNREACHABLE, "nothing listens", seen=False),
    "unknown-host": failed_twice(Fault.UNREACHABLE, "the host has no address", seen=False),
    "rst-at-once": failed_twice(Fault.UNREACHABLE, "the connection is reset before any answer"),
    "expired-certificate": failed(Fault.TLS, "an expired certificate", seen=False),
    "wrong-host-certificate": failed(Fault.TLS, "another host's certificate", seen=False),
    "unknown-authority": failed(Fault.TLS, "a certificate signed by nobody known", seen=False),
    "no-tls": failed(Fault.TLS, "no TLS behind an `https` address", seen=False),
    "redirect-same": failed(Fault.REDIRECTED, "a redirect to the same host"),
    "redirect-other": failed(Fault.REDIRECTED, "a redirect to another host"),
    "redirect-loop": failed(Fault.REDIRECTED, "a redirect to itself"),
    "no-headers": failed(Fault.NO_FIRST_TOKEN, "accepts the request and says nothing", limits=NO_START),
    "no-first-token": failed(Fault.NO_FIRST_TOKEN, "a first event without text, then nothing", limits=NO_START),
    "comments": failed(Fault.NO_FIRST_TOKEN, "`: keep-alive` comments for ever", limits=NO_START),
    "empty-deltas": failed(Fault.NO_FIRST_TOKEN, "empty deltas for ever", limits=NO_START),
    "reasoning": failed(Fault.NO_FIRST_TOKEN, "nothing but reasoning", limits=NO_START),
    "stall": failed(Fault.SILENT, "stops in mid-answer", limits=NO_PAUSE),
    "comments-mid-stream": failed(Fault.SILENT, "`: keep-alive` comments after some text", limits=NO_PAUSE),
    "endless-text": failed(Fault.OVERTIME, "a token now and then for ever", limits=NO_END),
    "empty-body": failed_twice(Fault.CUT_OFF, "an empty body"),
    "fin-mid-stream": failed(Fault.CUT_OFF, "closes the connection in mid-answer"),
    "half-event": failed(Fault.CUT_OFF, "closes it within an event"),
    "chunked-cut": failed(Fault.CUT_OFF, "closes it within a chunk"),
    "rst-mid-stream": failed(Fault.CUT_OFF, "resets it in mid-answer"),
    "done-without-reason": failed(Fault.CUT_OFF, "`[DONE]` without a finish reason"),
    "html": failed(Fault.MALFORMED, "a web page with status 200"),
    "html-as-events": failed(Fault.MALFORMED, "a web page that calls itself a stream"),
    "json": failed(Fault.MALFORMED, "JSON instead of a stream"),
    "bad-json": failed(Fault.MALFORMED, "an event that is no JSON"),
    "deep-json": failed(Fault.MALFORMED, "JSON 100,000 brackets deep"),
    "bad-utf8": failed(Fault.MALFORMED, "bytes that are no UTF-8"),
    "list-event": failed(Fault.MALFORMED, "an event that is a list"),
    "text-choices": failed(Fault.MALFORMED, "choices that are a text"),
    "text-delta": failed(Fault.MALFORMED, "a delta that is a text"),
    "int-content": failed(Fault.MALFORMED, "content that is a number"),
    "image-part": failed(Fault.MALFORMED, "an image among the parts of the content"),
    "text-part": failed(Fault.MALFORMED, "a part of the content that is a bare text"),
    "tool-calls": failed(Fault.MALFORMED, "the finish reason `tool_calls`"),
    "endless-header": failed(Fault.MALFORMED, "an endless header"),
    "gzip-bomb": failed(Fault.MALFORMED, "a compressed body (which may be a bomb)"),
    "not-http": failed(Fault.MALFORMED, "no HTTP"),
    "10-megabytes": failed(Fault.TOO_LARGE, "an answer of 10 MB", limits=SMALL),
    "10-megabytes-in-one-line": failed(Fault.TOO_LARGE, "the same in one event", limits=SMALL),
    "endless-line": failed(Fault.TOO_LARGE, "a line that never ends", limits=SMALL),
    "flood": failed(Fault.TOO_LARGE, "a flood of empty events", limits=SMALL),
    "no-text": failed(Fault.EMPTY, "a finish reason without text"),
    "blank-text": failed(Fault.EMPTY, "nothing but white space"),
}
# No upstream is to blame for these.
OWN_FAULTS: Mapping[Fault, str] = {
    Fault.NOT_READY: "an embedded model that is still being fetched or started",
    Fault.MODERATED: "the arena's own moderation refuses the answer",
    Fault.INTERNAL: "a fault in the arena itself",
}


class Upstreams:
    """Servers for every case and for `ok`, which is healthy, as is `good-certificate`; a context manager.

    While they run, `SSL_CERT_FILE` makes clients trust the authority that signed the certificates.
    """

    def __init__(self, folder: Path) -> None:
        certificates = make_certificates(folder)
        self._open = ExitStack()
        environ = self._open.enter_context(pytest.MonkeyPatch.context())
        environ.setenv("SSL_CERT_FILE", str(certificates.authority))
        self.server = self._open.enter_context(FaultServer())
        self.elsewhere = self._open.enter_context(FaultServer())
        self.server.faults["redirect-other"] = self._redirect
        signed = {
            "good-certificate": certificates.good,
            "expired-certificate": certificates.expired,
            "wrong-host-certificate": certificates.wrong_host,
            "unknown-authority": certificates.stranger,
        }
        self._guarded = {name: self._open.enter_context(FaultServer(certificate=c)) for name, c in signed.items()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def url(self, name: str) -> str:
        """The base URL under which a case happens."""
        match name:
            case "refused":
                return refused_url()
            case "unknown-host":
                return "http://no-such-host.invalid/v1"
            case "no-tls":
                return self.server.url("ok").replace("http:", "https:")
            case _ if name in self._guarded:
                return self._guarded[name].url("ok")
            case _:
                return self.server.url(name)

    def requests(self, name: str) -> int:
        """How many requests for a case have arrived."""
        if name in self._guarded:
            return len(self._guarded[name].requests)
        return len(self.server.asked(name))

    async def _redirect(self, exchange: Exchange) -> None:
        await exchange.head(307, "text/plain", Location=f"{self.elsewhere.url('ok')}/chat/completions")
