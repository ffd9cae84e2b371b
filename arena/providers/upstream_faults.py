"""What an OpenAI-compatible upstream says when it fails, in the arena's neutral words."""

import math
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp

from arena.domain import Fault
from arena.errors import ProviderFault

RETRIABLE = frozenset({Fault.RATE_LIMITED, Fault.OVERLOADED, Fault.UNREACHABLE, Fault.CUT_OFF})

# What error codes, types and messages of OpenAI, Azure, vLLM, llama.cpp, Ollama and the usual gateways have in common.
# The first line that fits decides: quota before rate limit, because OpenAI sends both as status 429.
_HINTS: tuple[tuple[Fault, tuple[str, ...]], ...] = (
    (Fault.QUOTA, ("insufficient_quota", "billing", "exceeded your current quota", "insufficient credits", "balance")),
    (
        Fault.CONTEXT_OVERFLOW,
        ("context_length", "context length", "context size", "context window", "maximum context", "exceed_context"),
    ),
    (Fault.CONTENT_FILTER, ("content_filter", "content_policy", "content management policy", "moderation")),
    (Fault.REFUSED_KEY, ("invalid_api_key", "authentication_error", "permission_error")),
    (Fault.NOT_FOUND, ("model_not_found", "not_found_error")),
    (Fault.RATE_LIMITED, ("rate_limit", "rate limit", "too many requests")),
    (Fault.OVERLOADED, ("overloaded", "server_error", "unavailable")),
)

_ANY = frozenset(fault for fault, _ in _HINTS)
_FILTER = frozenset({Fault.CONTENT_FILTER})
# Status -> what it means, and the faults that its error object may name instead.
_STATUS = {
    401: (Fault.REFUSED_KEY, _FILTER),
    402: (Fault.QUOTA, _FILTER),
    403: (Fault.REFUSED_KEY, _FILTER),
    404: (Fault.NOT_FOUND, _FILTER),
    408: (Fault.OVERLOADED, _FILTER),
    425: (Fault.OVERLOADED, _FILTER),
    429: (Fault.RATE_LIMITED, frozenset({Fault.QUOTA})),
}
_STATUS_CLASSES = (
    (500, (Fault.OVERLOADED, frozenset({Fault.CONTEXT_OVERFLOW, Fault.CONTENT_FILTER}))),
    (400, (Fault.BAD_REQUEST, _ANY)),
    (300, (Fault.REDIRECTED, _FILTER)),
    (0, (Fault.MALFORMED, _FILTER)),
)


def fault_of_status(
    status: int, error: Mapping[str, Any], *, headers: Mapping[str, str] | None = None
) -> ProviderFault:
    """The fault behind an HTTP `status` other than 200 and the error object in its body (empty when there is none)."""
    headers = headers or {}
    fault = _of_status(status, error)
    return ProviderFault(
        fault,
        f"HTTP {status}: {_words(error) or 'no explanation'}",
        retry_after_seconds=retry_after_seconds(headers),
        retriable=fault in RETRIABLE and headers.get("x-should-retry") != "false",
    )


def fault_of_error(error: Mapping[str, Any]) -> ProviderFault:
    """The fault behind an error object that came where an answer was expected."""
    code = error.get("code")
    if isinstance(code, int) and 400 <= code < 600:  # noqa: PLR2004 - gateways put the upstream's HTTP status there
        return fault_of_status(code, error)
    fault = _hinted(error) or Fault.OVERLOADED
    return ProviderFault(fault, f"error in the stream: {_words(error)}", retriable=fault in RETRIABLE)


def fault_of_exception(exc: BaseException, *, answering: bool) -> ProviderFault:
    """The fault behind a client library's exception; `answering` when the upstream had begun to answer."""
    chain = list(_causes(exc))
    words = " < ".join(f"{type(cause).__name__}: {cause}" for cause in chain)
    for cause in chain:
        if isinstance(cause, ProviderFault):
            return cause
        if isinstance(cause, ssl.SSLError | aiohttp.ClientSSLError | ssl.CertificateError):
            return ProviderFault(Fault.TLS, words)
        if isinstance(cause, aiohttp.ClientResponseError | aiohttp.InvalidURL):
            return ProviderFault(Fault.MALFORMED, words)
    fault = Fault.CUT_OFF if answering else Fault.UNREACHABLE
    return ProviderFault(fault, words, retriable=True)


def error_object(body: object) -> Mapping[str, Any] | None:
    """The error in a decoded JSON `body`, None when it holds none: `{"error": {…}}`, `{"error": "…"}`, vLLM's
    `{"object": "error", …}` and FastAPI's `{"detail": …}`.
    """
    if not isinstance(body, dict):
        return None
    match body:
        case {"error": dict() as error}:
            return error
        case {"error": str(message)} | {"detail": str(message)}:
            return {"message": message}
        case {"detail": list(details)}:
            return {"message": str(details)}
        case {"object": "error"}:
            return body
        case _:
            return None


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """The wait that `retry-after-ms` or `retry-after` (seconds or an HTTP date) asks for; None when neither does."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        seconds = _number(value)
        seconds = _until(value) if seconds is None else seconds * unit
        if seconds is not None and math.isfinite(seconds):
            return max(0.0, seconds)
    return None


def _of_status(status: int, error: Mapping[str, Any]) -> Fault:
    usual, told = _STATUS.get(status) or next(row for least, row in _STATUS_CLASSES if status >= least)
    hint = _hinted(error)
    return hint if hint in told else usual


def _hinted(error: Mapping[str, Any]) -> Fault | None:
    words = _words(error).lower()
    return next((fault for fault, hints in _HINTS if any(hint in words for hint in hints)), None)


def _words(error: Mapping[str, Any]) -> str:
    parts = (error.get(key) for key in ("code", "type", "message"))
    return ", ".join(str(part) for part in parts if part not in (None, ""))


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while exc is not None and id(exc) not in seen:
        seen.add(id(exc))
        yield exc
        exc = exc.__cause__ or exc.__context__


def _number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def _until(value: str) -> float | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()
