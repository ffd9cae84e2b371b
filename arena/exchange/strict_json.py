"""JSON from strangers: what the standard reader lets through and nobody means is refused."""

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, NoReturn

from arena.errors import ImportRefused

LONGEST_ELEMENT = 16_000_000
_BLANK = " \t\r\n"


class Element(NamedTuple):
    """One element of a JSON array and the line on which it begins."""

    line: int
    value: Any


def read_json(content: bytes, *, what: str) -> Any:  # noqa: ANN401 - JSON is anything
    """The value that `content` (UTF-8, with or without a byte order mark) holds; `what` names it in errors.

    Raises:
        ImportRefused: not UTF-8, no JSON, a key twice in one object, a number that is none, too deep nesting.
    """
    try:
        return _DECODER.decode(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ImportRefused(f"{what} is not UTF-8 text (byte {error.start}); save it as UTF-8.") from error
    except json.JSONDecodeError as error:
        raise ImportRefused(f"{what} is not valid JSON: {error.msg} (line {error.lineno}).") from error
    except RecursionError as error:
        raise ImportRefused(f"{what} is nested too deeply.") from error
    except ValueError as error:
        raise ImportRefused(f"{what} is refused: {error}.") from error


def read_json_array(blocks: Iterable[str]) -> Iterator[Element]:
    """The objects of one JSON array, one after the other: memory holds one block and one element, not the file.

    Raises:
        ImportRefused: as `read_json`, with the line and the number of the element; also for an element of more than
            16 million characters, and for one that is no object.
    """
    return _ArrayReader(blocks).elements()


class _ArrayReader:
    """A window of text that moves over the file; `_line` is the line of the character at `_counted`."""

    def __init__(self, blocks: Iterable[str]) -> None:
        self._blocks = iter(blocks)
        self._text = ""
        self._at = 0
        self._counted = 0
        self._line = 1
        self._ended = False

    def elements(self) -> Iterator[Element]:
        self._expect("[")
        number = 0
        if self._next() != "]":
            while True:
                number += 1
                yield self._element(number)
                if self._next() != ",":
                    break
                self._at += 1
        self._expect("]")
        if self._next():
            raise ImportRefused(f"Line {self._line_here()}: something follows the end of the list.")

    def _element(self, number: int) -> Element:
        if self._next() != "{":
            raise ImportRefused(f"Line {self._line_here()}, element {number} of the list is no object.")
        line = self._line_here()
        while True:
            try:
                value, self._at = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if len(self._text) - self._at > LONGEST_ELEMENT or not self._grow():
                    raise ImportRefused(f"Line {line}, element {number} is not valid JSON: {error.msg}.") from error
            except RecursionError as error:
                raise ImportRefused(f"Line {line}, element {number} is nested too deeply.") from error
            except ValueError as error:
                raise ImportRefused(f"Line {line}, element {number} is refused: {error}.") from error
            else:
                return Element(line, value)

    def _next(self) -> str:
        """The next character that is not blank, "" at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _BLANK:
                    return self._text[self._at]
                self._at += 1
            if not self._grow():
                return ""

    def _expect(self, bracket: str) -> None:
        if self._next() != bracket:
            raise ImportRefused(f"Line {self._line_here()}: {bracket!r} of the list is missing; the file is cut off?")
        self._at += 1

    def _line_here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _grow(self) -> bool:
        """Drop what is read and at least double what is left, so that a long element is not scanned many times."""
        self._line_here()
        parts = [self._text[self._at :]]
        wanted, had = max(1, len(parts[0])), len(parts[0])
        while wanted > 0 and not self._ended:
            block = next(self._blocks, None)
            self._ended = block is None
            parts.append(block or "")
            wanted -= len(parts[-1])
        self._text, self._at, self._counted = "".join(parts), 0, 0
        return len(self._text) > had


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"the number {digits[:40]} is too large")
    return number


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:80]!r} stands twice in one object")
    return result


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_distinct)
