"""JSON from strangers: what the standard reader lets through and nobody means is refused."""

import json
import math
from typing import Any, NoReturn

from arena.errors import ImportRefused


def read_json(content: bytes, *, what: str) -> Any:  # noqa: ANN401 - JSON is anything
    """The value that `content` (UTF-8, with or without a byte order mark) holds; `what` names it in errors.

    Raises:
        ImportRefused: not UTF-8, no JSON, a key twice in one object, a number that is none, too deep nesting.
    """
    try:
        return json.loads(
            content.decode("utf-8-sig"),
            parse_constant=_refuse_constant,
            parse_float=_finite,
            object_pairs_hook=_distinct,
        )
    except UnicodeDecodeError as error:
        raise ImportRefused(f"{what} is not UTF-8 text (byte {error.start}); save it as UTF-8.") from error
    except json.JSONDecodeError as error:
        raise ImportRefused(f"{what} is not valid JSON: {error.msg} (line {error.lineno}).") from error
    except RecursionError as error:
        raise ImportRefused(f"{what} is nested too deeply.") from error
    except ValueError as error:
        raise ImportRefused(f"{what} is refused: {error}.") from error


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
