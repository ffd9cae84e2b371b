"""Answers from a script, with set delays and faults: for tests and demonstrations."""

import asyncio
import difflib
import re
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena.domain import Fault, FinishReason, Message, ModelSpec, Role
from arena.errors import ProviderFault, SettingsError
from arena.providers.base import Chunk, StreamEnd, StreamLimits, TextDelta

BREATH_PIECES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """How a scripted model answers: the keys of a spec's `script` and their defaults.

    Attributes:
        text: the answer; `{prompt}` in it stands for the last user message. Of several texts, turn n takes the n-th,
            and after the last the first again.
        words_per_token: words that come as one piece.
        first_token_ms: wait before the first piece.
        tokens_per_second: pace of the pieces; 0 sends them at once.
        fault: what goes wrong, in the words of `arena.domain.Fault`; None is a healthy model.
        fault_after_tokens: pieces that come before the fault.
        fault_times: how many requests to this model fail before it heals; None never heals.
        fault_retriable: whether the guard may ask again by itself.
        finish_reason: how a whole answer ends.
    """

    text: str | tuple[str, ...] = "{prompt}"
    words_per_token: int = 1
    first_token_ms: float = 0.0
    tokens_per_second: float = 0.0
    fault: Fault | None = None
    fault_after_tokens: int = 0
    fault_times: int | None = None
    fault_retriable: bool = False
    finish_reason: FinishReason = FinishReason.STOP


def check_script(script: Mapping[str, Any]) -> Script:
    """The script written in a spec, checked.

    Raises:
        SettingsError: a key is unknown (the nearest known one is named) or its value is not what it should be.
    """
    for key in script:
        if key not in _READERS:
            raise SettingsError(f'A script has no key "{key}"{_nearest(key)} Known keys: {", ".join(_READERS)}.')
    return Script(**{key: _read(key, value) for key, value in script.items()})


class Scripted:
    """A provider without a network: what a model says stands in its spec. The same script gives the same answer.

    Tokens are counted in words: `tokens_in` over all messages, `tokens_out` over the answer.
    """

    def __init__(self) -> None:
        self._requests: Counter[str] = Counter()

    async def stream(
        self,
        spec: ModelSpec,
        messages: Sequence[Message],
        *,
        base_url: str,  # noqa: ARG002 - there is nowhere to go
        api_key: str | None,  # noqa: ARG002 - and nothing to open
        limits: StreamLimits,  # noqa: ARG002 - the guard keeps them
    ) -> AsyncGenerator[Chunk]:
        """Say the text of this turn at the script's pace, or fail as the script wants it."""
        script = check_script(spec.script)
        self._requests[spec.name] += 1
        failing = script.fault is not None and self._requests[spec.name] <= (script.fault_times or float("inf"))
        pieces = _pieces(_answer(script, messages), script.words_per_token)
        async for piece in _paced(pieces[: script.fault_after_tokens] if failing else pieces, script):
            yield TextDelta(piece)
        if failing and script.fault is not None:
            raise ProviderFault(script.fault, "as the script says", retriable=script.fault_retriable)
        yield StreamEnd(
            finish_reason=script.finish_reason,
            tokens_in=sum(len(message.text.split()) for message in messages),
            tokens_out=sum(len(piece.split()) for piece in pieces),
            model_seen=spec.upstream_id or spec.name,
        )

    async def close(self) -> None:
        """Nothing is open."""


def _answer(script: Script, messages: Sequence[Message]) -> str:
    prompts = [message.text for message in messages if message.role is Role.USER]
    texts = (script.text,) if isinstance(script.text, str) else script.text
    text = texts[(len(prompts) - 1) % len(texts)]
    return text.replace("{prompt}", prompts[-1] if prompts else "")


def _pieces(text: str, words_per_piece: int) -> list[str]:
    words = re.findall(r"\s*\S+\s*$|\s*\S+|\s+", text)
    return ["".join(words[i : i + words_per_piece]) for i in range(0, len(words), words_per_piece)]


async def _paced(pieces: Sequence[str], script: Script) -> AsyncGenerator[str]:
    """Each piece at its moment after the start, so that small delays do not add up."""
    clock = asyncio.get_running_loop().time
    start = clock() + script.first_token_ms / 1000
    await asyncio.sleep(script.first_token_ms / 1000)
    for index, piece in enumerate(pieces):
        if script.tokens_per_second:
            await asyncio.sleep(start + index / script.tokens_per_second - clock())
        elif index % BREATH_PIECES == 0:
            await asyncio.sleep(0)
        yield piece


def _nearest(key: str) -> str:
    near = difflib.get_close_matches(key, _READERS, n=1, cutoff=0.0)
    return f': did you mean "{near[0]}"?' if near else "."


def _read(key: str, value: object) -> Any:  # noqa: ANN401 - each key has its own type
    try:
        return _READERS[key](value)
    except (TypeError, ValueError) as exc:
        raise SettingsError(f'The script\'s "{key}" cannot be {value!r}: it is {exc}.') from exc


def _texts(value: object) -> str | tuple[str, ...]:
    match value:
        case str():
            return value
        case [*texts] if texts and all(isinstance(text, str) for text in texts):
            return tuple(map(str, texts))
    raise TypeError("a text or a list of texts")


def _amount(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise TypeError("a number from 0 up")
    return float(value)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError("a whole number from 0 up")
    return value


def _positive(value: object) -> int:
    if _count(value) == 0:
        raise TypeError("a whole number from 1 up")
    return _count(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("true or false")
    return value


def _fault(value: object) -> Fault:
    try:
        return Fault(str(value))
    except ValueError:
        raise TypeError(f"one of {', '.join(Fault)}") from None


def _finish_reason(value: object) -> FinishReason:
    try:
        return FinishReason(str(value))
    except ValueError:
        raise TypeError(f"one of {', '.join(FinishReason)}") from None


_READERS: Mapping[str, Callable[[object], object]] = {
    "text": _texts,
    "words_per_token": _positive,
    "first_token_ms": _amount,
    "tokens_per_second": _amount,
    "fault": _fault,
    "fault_after_tokens": _count,
    "fault_times": _positive,
    "fault_retriable": _flag,
    "finish_reason": _finish_reason,
}
