"""Reads the server-sent events of a streamed chat completion: bytes in, text out, no I/O.

By hand rather than by the client library, whose typed events cost seven times the CPU per token.
"""

import json
from typing import Any

from arena.domain import Fault, FinishReason
from arena.errors import ProviderFault
from arena.providers.base import StreamEnd
from arena.providers.upstream_faults import RETRIABLE, error_object, fault_of_error

# OpenAI's word first, then those of gateways that hand their upstream's through.
_FINISH_REASONS = {
    "stop": FinishReason.STOP,
    "eos": FinishReason.STOP,
    "eos_token": FinishReason.STOP,
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "max_tokens": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,
}
# Reasons that are none: what cannot be voted on, because the model did not end its answer by itself.
_FAULTY_FINISHES = {
    "content_filter": Fault.CONTENT_FILTER,
    "refusal": Fault.CONTENT_FILTER,
    "safety": Fault.CONTENT_FILTER,
    "error": Fault.OVERLOADED,
    "insufficient_system_resource": Fault.OVERLOADED,
}


class ChatEvents:
    """One streamed answer. Feed it what comes from the network until `done`, then `fault` or `end` says how it went.

    Attributes:
        done: nothing more is wanted: a fault, or `[DONE]`.
        fault: what is wrong with the stream, to be raised after the text that came before it; None so far.
        finished: the model said why it stopped; only its usage may still follow.
    """

    def __init__(self, *, max_bytes: int, max_line_bytes: int) -> None:
        self.done = False
        self.fault: ProviderFault | None = None
        self._bytes_left = max_bytes
        self._max_bytes = max_bytes
        self._max_line_bytes = max_line_bytes
        self._line: list[bytes] = []
        self._line_bytes = 0
        self._event = b""
        self._data_seen = False
        self._finish_reason: FinishReason | None = None
        self._tokens_in: int | None = None
        self._tokens_out: int | None = None
        self._model_seen: str | None = None
        self._text: list[str] = []

    @property
    def finished(self) -> bool:
        """Whether the answer is whole."""
        return self._finish_reason is not None

    @property
    def complete(self) -> bool:
        """Whether nothing that follows could tell more."""
        return self.done or (self.finished and self._tokens_out is not None)

    def feed(self, data: bytes) -> str:
        """The answer text that `data` brings, possibly none."""
        try:
            for line in self._lines(data):
                if self.done:
                    break
                self._read_line(line)
        except ProviderFault as fault:
            self.fault, self.done = fault, True
        text = "".join(self._text)
        self._text.clear()
        return text

    def end(self) -> StreamEnd:
        """How a whole answer ended.

        Raises:
            ProviderFault: it is not whole.
        """
        if self._finish_reason is None:
            if self._bytes_left < self._max_bytes and not self._data_seen:
                raise ProviderFault(Fault.MALFORMED, "the body is no stream of events")
            raise ProviderFault(Fault.CUT_OFF, "the stream ended without a finish reason", retriable=True)
        return StreamEnd(
            finish_reason=self._finish_reason,
            tokens_in=self._tokens_in,
            tokens_out=self._tokens_out,
            model_seen=self._model_seen,
        )

    def _lines(self, data: bytes) -> list[bytes]:
        self._bytes_left -= len(data)
        if self._bytes_left < 0:
            raise ProviderFault(Fault.TOO_LARGE, f"more than {self._max_bytes} bytes")
        # The unfinished line is kept in pieces: joined at each read, an endless one would cost its square.
        first, *rest = data.split(b"\n")
        self._line.append(first)
        self._line_bytes += len(first)
        if self._line_bytes > self._max_line_bytes:
            raise ProviderFault(Fault.TOO_LARGE, f"a line of more than {self._max_line_bytes} bytes")
        if not rest:
            return []
        lines = [b"".join(self._line), *rest[:-1]]
        self._line, self._line_bytes = [rest[-1]], len(rest[-1])
        return lines

    def _read_line(self, line: bytes) -> None:
        line = line.rstrip(b"\r")
        if line.startswith(b"data:"):
            self._read_data(line[5:].strip())
        elif line.startswith(b"event:"):
            self._event = line[6:].strip()
        elif not line:
            self._event = b""

    def _read_data(self, data: bytes) -> None:
        self._data_seen = True
        if data == b"[DONE]":
            self.done = True
            return
        body = _decoded(data)
        error = error_object(body)
        if error is None and self._event == b"error":
            error = body
        if error is not None:
            raise fault_of_error(error)
        self._read_usage(body)
        self._read_choices(body.get("choices"))

    def _read_usage(self, body: dict[str, Any]) -> None:
        model = body.get("model")
        if isinstance(model, str) and model:
            self._model_seen = model
        usage = body.get("usage")
        if isinstance(usage, dict):
            self._tokens_in = _count(usage.get("prompt_tokens"), self._tokens_in)
            self._tokens_out = _count(usage.get("completion_tokens"), self._tokens_out)

    def _read_choices(self, choices: object) -> None:
        match choices:
            case None | []:
                return
            case [dict(choice), *_] if not self.finished:
                self._read_delta(choice.get("delta"))
                self._read_finish_reason(choice.get("finish_reason"))
            case [dict(), *_]:
                return
            case _:
                raise ProviderFault(Fault.MALFORMED, f"choices are {_kind(choices)}")

    def _read_delta(self, delta: object) -> None:
        # Reasoning comes as `reasoning_content` or `reasoning`: it is no part of the answer and is passed over.
        match delta:
            case None:
                return
            case {"refusal": str(refusal)} if refusal:
                raise _refused(refusal)
            case {"content": str(text)}:
                self._text.append(text)
            case {"content": [*parts]}:
                self._text.extend(map(_text_of_part, parts))
            case {"content": content} if content is not None:
                raise ProviderFault(Fault.MALFORMED, f"content is {_kind(content)}")
            case dict():
                return
            case _:
                raise ProviderFault(Fault.MALFORMED, f"delta is {_kind(delta)}")

    def _read_finish_reason(self, reason: object) -> None:
        match reason:
            case None | "":
                return
            case str() if reason in _FINISH_REASONS:
                self._finish_reason = _FINISH_REASONS[reason]
            case str() if reason in _FAULTY_FINISHES:
                fault = _FAULTY_FINISHES[reason]
                raise ProviderFault(fault, f"finish reason {reason!r}", retriable=fault in RETRIABLE)
            case _:
                raise ProviderFault(Fault.MALFORMED, f"finish reason {reason!r}")


def _text_of_part(part: object) -> str:
    """What a part of a content that comes as a list adds to the answer; thoughts add nothing."""
    match part:
        case {"type": "text", "text": str(text)}:
            return text
        case {"type": "thinking" | "reasoning"}:
            return ""
        case {"type": "refusal", "refusal": str(refusal)}:
            raise _refused(refusal)
        case {"type": str(kind)}:
            # Left out, an image or a call would make the rest of the answer look like all of it.
            raise ProviderFault(Fault.MALFORMED, f"a part of the content is {kind!r}")
        case _:
            raise ProviderFault(Fault.MALFORMED, f"a part of the content is {_kind(part)}")


def _refused(words: str) -> ProviderFault:
    return ProviderFault(Fault.CONTENT_FILTER, f"refusal: {words}")


def _decoded(data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data.decode())
    except (ValueError, RecursionError) as exc:
        raise ProviderFault(Fault.MALFORMED, f"an event is no JSON: {type(exc).__name__}") from None
    if not isinstance(body, dict):
        raise ProviderFault(Fault.MALFORMED, f"an event is {_kind(body)}")
    return body


def _count(value: object, known: int | None) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else known


def _kind(value: object) -> str:
    return f"of type {type(value).__name__}"
