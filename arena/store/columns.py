"""Column types that mean the same on every engine and fit SQLite's STRICT tables (INTEGER, REAL, TEXT and no other)."""

import json
import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import REAL, BigInteger, DateTime, Dialect, Double, Integer, Text, TypeDecorator
from sqlalchemy.types import TypeEngine
from typing_extensions import override  # SQLAlchemy brings it; `typing` has it from 3.12 on

BIG: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")
FLOAT: TypeEngine[float] = Double().with_variant(REAL(), "sqlite")

ChoiceT = TypeVar("ChoiceT", bound=StrEnum)

# NUL is what PostgreSQL refuses in text, a lone surrogate what no UTF-8 driver can encode.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class CleanText(TypeDecorator[str]):
    """Text from people and models: what no engine can store comes back as U+FFFD instead of failing the transaction."""

    impl = Text
    cache_ok = True

    @override
    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else UNSTORABLE.sub("\ufffd", value)


class Names(TypeDecorator[tuple[str, ...]]):
    """Several names, as a JSON list."""

    impl = Text
    cache_ok = True

    @override
    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value)

    @override
    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...] | None:
        return None if value is None else tuple(json.loads(value))


class Flag(TypeDecorator[bool]):
    """A truth value as 0 or 1."""

    impl = Integer
    cache_ok = True

    @override
    def process_bind_param(self, value: bool | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value)

    @override
    def process_result_value(self, value: int | None, dialect: Dialect) -> bool | None:
        return None if value is None else bool(value)


class Instant(TypeDecorator[datetime]):
    """A moment in UTC; where the engine has no such type, ISO text of fixed width, which sorts like time."""

    impl = Text
    cache_ok = True

    @override
    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Text())
        return dialect.type_descriptor(DateTime(timezone=True))

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | str | None:
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment.isoformat(timespec="microseconds") if dialect.name == "sqlite" else moment

    @override
    def process_result_value(self, value: datetime | str | None, dialect: Dialect) -> datetime | None:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return None if moment is None else moment.astimezone(UTC)


class Choice(TypeDecorator[ChoiceT]):
    """A member of one enum, by its value."""

    impl = Text
    cache_ok = True

    def __init__(self, choices: type[ChoiceT]) -> None:
        super().__init__()
        self.choices = choices

    @override
    def process_bind_param(self, value: ChoiceT | None, dialect: Dialect) -> str | None:
        return None if value is None else self.choices(value).value

    @override
    def process_result_value(self, value: str | None, dialect: Dialect) -> ChoiceT | None:
        return None if value is None else self.choices(value)
