"""Conversations as the public formats write them: lists of messages with a role and a content."""

from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from arena.exchange.fields import RowFault, parsed, shown, text, whole_or_none
from arena.foreign import NO_STYLE, Conversation, ForeignVote, StyleFigures

_USER, _ASSISTANT = "user", "assistant"
MESSAGE = {"role": "text", "content": "text", "num_tokens": "whole"}


def conversation_of(side_a: object, side_b: object) -> Conversation | None:
    """Two lists of messages as one conversation; None when both are missing.

    Messages of other roles (system prompts) are passed over; a side that said less is filled up with empty answers.
    """
    messages_a, messages_b = _messages(side_a), _messages(side_b)
    if not messages_a and not messages_b:
        return None
    prompts = _said_by(_USER, messages_a) or _said_by(_USER, messages_b)
    answers = _said_by(_ASSISTANT, messages_a), _said_by(_ASSISTANT, messages_b)
    turns = list(zip_longest(prompts, *answers, fillvalue=""))
    return Conversation(*(tuple(column) for column in zip(*turns, strict=True))) if turns else None


def conversations(column_a: Sequence[object], column_b: Sequence[object]) -> list[Conversation | None]:
    """Two columns of lists of messages as conversations."""
    return [conversation_of(a, b) for a, b in zip(column_a, column_b, strict=True)]


def tokens_of(side: object) -> int | None:
    """The tokens of all answers of one side, when every one of them is counted."""
    counts = [whole_or_none(m.get("num_tokens")) for m in _messages(side) if m.get("role") == _ASSISTANT]
    known = [count for count in counts if count is not None]
    return sum(known) if known and len(known) == len(counts) else None


def messages(vote: ForeignVote, *, side_a: bool, content: Callable[[str], object] = str) -> list[dict[str, Any]] | None:
    """One side of a vote's conversation as messages; the tokens stand at its last answer, since only sums are known."""
    if vote.conversation is None:
        return None
    answers = vote.conversation.answers_a if side_a else vote.conversation.answers_b
    tokens = (vote.style_a if side_a else vote.style_b).tokens
    result: list[dict[str, Any]] = []
    for prompt, answer in zip(vote.conversation.prompts, answers, strict=True):
        result.append({"role": _USER, "content": content(prompt), "num_tokens": None})
        result.append({"role": _ASSISTANT, "content": content(answer), "num_tokens": None if tokens is None else 0})
    if result and tokens is not None:
        result[-1]["num_tokens"] = tokens
    return result


def style_of(metadata: object, side: str, *, otherwise: int | None = None) -> StyleFigures:
    """What LMArena's `conv_metadata` counted on one side ("a", "b"); `otherwise` the tokens when it does not say."""
    if metadata is None or metadata == "":
        return StyleFigures(tokens=otherwise) if otherwise is not None else NO_STYLE
    counts = parsed(metadata, what="conv_metadata")
    if not isinstance(counts, Mapping):
        raise RowFault(f"conv_metadata is no object: {shown(metadata)}")
    tokens = whole_or_none(counts.get(f"sum_assistant_{side}_tokens"))
    return StyleFigures(
        tokens=otherwise if tokens is None else tokens,
        headings=_total(counts.get(f"header_count_{side}")),
        lists=_total(counts.get(f"list_count_{side}")),
        bold=_total(counts.get(f"bold_count_{side}")),
    )


def metadata_of(vote: ForeignVote) -> dict[str, Any]:
    """The counts of a vote as `conv_metadata`; sums stand in the first cell of their kind."""
    result: dict[str, Any] = {"turns": turns_of(vote)}
    for side, style in (("a", vote.style_a), ("b", vote.style_b)):
        result[f"sum_assistant_{side}_tokens"] = style.tokens
        result[f"header_count_{side}"] = {f"h{n}": _first(style.headings, n == 1) for n in range(1, 7)}
        result[f"list_count_{side}"] = {"ordered": _first(style.lists, True), "unordered": _first(style.lists, False)}
        result[f"bold_count_{side}"] = {"**": _first(style.bold, True), "__": _first(style.bold, False)}
    return result


METADATA: Mapping[str, Any] = {
    "turns": "whole",
    **{
        f"{name}_{side}{ending}": shape
        for side in "ab"
        for name, ending, shape in (
            ("sum_assistant", "_tokens", "whole"),
            ("header_count", "", {f"h{n}": "whole" for n in range(1, 7)}),
            ("list_count", "", {"ordered": "whole", "unordered": "whole"}),
            ("bold_count", "", {"**": "whole", "__": "whole"}),
        )
    },
}


def turns_of(vote: ForeignVote) -> int | None:
    """How many prompts a vote judged."""
    return len(vote.conversation.prompts) if vote.conversation is not None else vote.turns


def _first(total: int | None, is_first: bool) -> int | None:  # noqa: FBT001 - private
    return None if total is None else total if is_first else 0


def _total(counts: object) -> int | None:
    if counts is None:
        return None
    if not isinstance(counts, Mapping):
        raise RowFault(f"a count of conv_metadata is no object: {shown(counts)}")
    known = [count for count in map(whole_or_none, counts.values()) if count is not None]
    return sum(known) if known else None


def _messages(side: object) -> Sequence[Mapping[str, Any]]:
    found = parsed(side, what="a conversation")
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(message, Mapping) for message in found):
        raise RowFault(f"a conversation is no list of messages: {shown(found)}")
    return found


def _said_by(role: str, found: Sequence[Mapping[str, Any]]) -> list[str]:
    return [_content(message.get("content")) for message in found if message.get("role") == role]


def _content(content: object) -> str:
    """Plain text, or the text parts of a message with pictures."""
    if not isinstance(content, list):
        return text(content)
    return "\n".join(
        text(part.get("text")) for part in content if isinstance(part, Mapping) and part.get("text") is not None
    )
