"""Single values of a file, checked: each function returns what the value means or says why it means nothing."""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from arena.errors import ImportRefused
from arena.exchange.strict_json import read_json
from arena.terminal import visible
from leaderboard.verdicts import Verdict

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# No chatbot was voted on before 2000: what lies outside is a wrong unit (milliseconds) or no time at all.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
LONGEST_NAME = 300
SHOWN = 80

_SECONDS = re.compile(r"[0-9]{9,10}(?:\.[0-9]{1,12})?")
_LINE_SIGNS = re.compile("[\t\n]")
_LANGUAGE = re.compile(r"[a-z]{2}")


class RowFault(ValueError):
    """Why a row cannot be a vote."""


def shown(value: object) -> str:
    """A value in an error message: short, and harmless in a terminal."""
    text = repr(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


class Memo(dict[Any, Any]):
    """Looks each distinct value of a column up once: a million rows name few models and verdicts."""

    def __init__(self, check: Callable[[Any], Any], *, at_most: int = 100_000) -> None:
        super().__init__()
        self._check = check
        self._at_most = at_most

    def __missing__(self, value: object) -> object:
        checked = self._check(value)
        if len(self) < self._at_most:
            self[value] = checked
        return checked


def each(look_up: Mapping[Any, Any], column: Iterable[Any]) -> list[Any]:
    """Every value of a column, looked up; what cannot be a key (a list, an object) is a fault."""
    try:
        return [look_up[value] for value in column]
    except TypeError as error:
        raise RowFault("a list or an object stands where one value belongs") from error


def model_name(value: object) -> str:
    """A model's name, as it is."""
    if not isinstance(value, str):
        raise RowFault(f"{shown(value)} is no model name")
    if not value.strip():
        raise RowFault("a model has no name")
    if len(value) > LONGEST_NAME or _LINE_SIGNS.search(value) or visible(value) != value:
        raise RowFault(f"{shown(value)} is no model name: it is too long, or holds control or invisible characters")
    return value


def verdict_words(words: Mapping[Any, Verdict]) -> Mapping[Any, Verdict]:
    """A look-up of a format's words for verdicts; any other word is a fault that lists them."""

    def unknown(value: object) -> Verdict:
        if isinstance(value, bool | float):  # True == 1 must not pass for a word
            raise RowFault(f"unknown verdict {shown(value)}")
        known = ", ".join(str(word) for word in words if word is not None)
        raise RowFault(f"unknown verdict {shown(value)}; known are {known}")

    memo = Memo(unknown)
    memo.update(words)
    return memo


def opaque(value: object) -> str | None:
    """An id or a voter: text or a whole number, kept as text."""
    if isinstance(value, str):
        if len(value) > LONGEST_NAME or "\0" in value or not _encodable(value):
            raise RowFault(f"{shown(value)} is no id: it is too long or holds control characters")
        return value or None
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise RowFault(f"{shown(value)} is no id: an id is text or a whole number")


def opaques(column: Sequence[object]) -> list[str | None]:
    """A column of ids or voters; a column of harmless text is checked at one go."""
    if set(map(type, column)) == {str}:
        texts: list[str] = list(column)  # type: ignore[arg-type]
        joined = "".join(texts)
        if joined.isascii() and "\0" not in joined and max(map(len, texts)) <= LONGEST_NAME:
            return [value or None for value in texts]
    return [opaque(value) for value in column]


def instant(value: object) -> datetime | None:
    """A moment: seconds since 1970, or ISO 8601; without a zone it is UTC."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        moment = _from_text(value)
    elif isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
    else:
        moment = _from_seconds(value)
    if not EARLIEST <= moment < LATEST:
        raise RowFault(f"{shown(value)} is not a time between 2000 and 2100")
    return moment


def whole(value: object) -> int:
    """A count: 0 or more."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 15:  # noqa: PLR2004 - 2**53
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**15:
        return value
    raise RowFault(f"{shown(value)} is no count")


def whole_or_none(value: object) -> int | None:
    """A count, or None for an empty value."""
    return None if value is None or value == "" else whole(value)


def language_code(value: object) -> str | None:
    """An ISO 639-1 code in lower case; None for anything else, since files say "unknown" in many ways."""
    return value if isinstance(value, str) and _LANGUAGE.fullmatch(value) else None


def parsed(value: object, *, what: str) -> Any:  # noqa: ANN401 - JSON is anything
    """A nested value: as it is, or read from the JSON text that a table's cell holds."""
    if not isinstance(value, str):
        return value
    if not value:
        return None
    try:
        return read_json(value.encode("utf-8", "surrogatepass"), what=what)
    except ImportRefused as error:
        raise RowFault(str(error).removesuffix(".")) from error


def text(value: object) -> str:
    """A prompt or an answer."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RowFault(f"{shown(value)} is no text")
    if "\0" in value or not _encodable(value):
        raise RowFault("a text holds NUL or half a character")
    return value


def require_pairs(names_a: Sequence[str], names_b: Sequence[str]) -> None:
    """A model never meets itself."""
    for a, b in zip(names_a, names_b, strict=True):
        if a == b:
            raise RowFault(f"the model {shown(a)} meets itself")


def as_json(value: object) -> str:
    """A nested value as the text of one cell."""
    return json.dumps(value, ensure_ascii=False, default=str)


def seconds_of(moment: datetime | None) -> float | None:
    """Seconds since 1970; a float holds microseconds exactly until 2255."""
    return None if moment is None else (moment - EPOCH) / timedelta(seconds=1)


def iso_of(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC, of fixed width."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="microseconds")


def _from_text(value: str) -> datetime:
    if not value.isascii():
        raise RowFault(f"{shown(value)} is not a time")
    if _SECONDS.fullmatch(value):
        return _from_seconds(float(value))
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise RowFault(f"{shown(value)} is not a time: write ISO 8601 or seconds since 1970") from error


def _from_seconds(value: object) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise RowFault(f"{shown(value)} is not a time")
    try:
        return EPOCH + timedelta(microseconds=round(value * 1_000_000))
    except OverflowError as error:
        raise RowFault(f"{shown(value)} is not a time") from error


def _encodable(value: str) -> bool:
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
