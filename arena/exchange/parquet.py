"""Parquet files as columns of Python values, and back. The one module that knows pyarrow's types."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from arena.errors import ImportRefused

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ROW_GROUP = 50_000
# A file says beforehand how large it becomes in memory. Texts swell up to tenfold; a column that repeats one value
# swells without end, so small ones are free.
SWELLS_AT_MOST = 250
FREE_BYTES = 256_000_000
MOST_ROWS = 500_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some rows; `first_row` counts from 1, `fraction` is how much of the file has been read."""

    first_row: int
    rows: int
    columns: Mapping[str, Sequence[Any]]
    fraction: float


def column_names(path: Path) -> tuple[str, ...]:
    """The columns of a file, in its order."""
    return tuple(_open(path).schema_arrow.names)


def has_nested(path: Path, wanted: frozenset[str]) -> bool:
    """Whether one of the wanted columns holds lists or objects."""
    return any(field.name in wanted and pa.types.is_nested(field.type) for field in _open(path).schema_arrow)


def read(path: Path, *, wanted: frozenset[str] | None, rows: int) -> Iterator[Batch]:
    """The wanted columns (None for all) in batches of at most `rows` rows.

    Raises:
        ImportRefused: the file is damaged or far larger inside than outside.
    """
    file = _open(path)
    names = [name for name in file.schema_arrow.names if wanted is None or name in wanted]
    done, total = 0, max(1, file.metadata.num_rows)
    try:
        for batch in file.iter_batches(batch_size=rows, columns=names):
            if batch.num_rows:
                columns = {name: _values(batch.column(i)) for i, name in enumerate(batch.schema.names)}
                fraction = (done + batch.num_rows) / total
                yield Batch(first_row=done + 1, rows=batch.num_rows, columns=columns, fraction=fraction)
                done += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise ImportRefused(f"{path.name} is a damaged Parquet file: {_first_line(error)}") from error


def write(path: Path, records: Iterable[Mapping[str, Any]], *, columns: Mapping[str, Any]) -> None:
    """Write records; `columns` gives each column's shape: "text", "time", "whole", "number", "flag", or one nested in
    a list (of one element) or an object.
    """
    schema = pa.schema([pa.field(name, _type(shape)) for name, shape in columns.items()])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        group: list[Mapping[str, Any]] = []
        for record in records:
            group.append(record)
            if len(group) == ROW_GROUP:
                writer.write_table(pa.Table.from_pylist(group, schema=schema))
                group = []
        writer.write_table(pa.Table.from_pylist(group, schema=schema))


def _open(path: Path) -> Any:  # noqa: ANN401 - pyarrow has no types
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise ImportRefused(f"{path.name} is a damaged Parquet file: {_first_line(error)}") from error
    names = file.schema_arrow.names
    if len(set(names)) < len(names):
        raise ImportRefused(f"{path.name} has two columns of one name.")
    groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
    inside = sum(group.total_byte_size for group in groups)
    if inside > FREE_BYTES + SWELLS_AT_MOST * path.stat().st_size or file.metadata.num_rows > MOST_ROWS:
        raise ImportRefused(f"{path.name} unpacks to {inside:,} bytes, far more than its size allows.")
    return file


def _values(column: Any) -> list[Any]:  # noqa: ANN401 - pyarrow has no types
    try:
        if pa.types.is_timestamp(column.type):
            return _moments(column)
        return list(column.to_pylist())
    except UnicodeDecodeError:
        return [_text_or_bytes(value) for value in column.cast(pa.binary()).to_pylist()]


def _moments(column: Any) -> list[Any]:  # noqa: ANN401 - pyarrow has no types
    """Whole numbers are exact and many times faster than the moments that pyarrow makes of them; one that no date of
    Python's fits stays text, which is then refused as a time.
    """
    per_unit = {"s": 1_000_000, "ms": 1_000, "us": 1}.get(column.type.unit)
    numbers = column.cast(pa.int64()).to_pylist()
    if per_unit is None:  # nanoseconds
        return [None if number is None else _moment(number // 1_000) for number in numbers]
    return [None if number is None else _moment(number * per_unit) for number in numbers]


def _moment(microseconds: int) -> datetime | str:
    try:
        return EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return f"{microseconds} microseconds since 1970"


def _text_or_bytes(value: bytes | None) -> str | bytes | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return value


def _type(shape: Any) -> Any:  # noqa: ANN401 - pyarrow has no types
    match shape:
        case list():
            return pa.list_(_type(shape[0]))
        case dict():
            return pa.struct([pa.field(name, _type(inner)) for name, inner in shape.items()])
        case _:
            return {
                "text": pa.string(),
                "time": pa.timestamp("us", "UTC"),
                "whole": pa.int64(),
                "number": pa.float64(),
                "flag": pa.bool_(),
            }[shape]


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0][:200]
