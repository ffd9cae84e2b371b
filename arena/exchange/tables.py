"""Any kind of file as chunks of columns. What a row is refused for here is its form, not its meaning."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from pathlib import Path
from typing import Any, Self

from arena.errors import ImportRefused
from arena.exchange.containers import ByteStream, Kind, Layout, allow_long_cells, decoded, whole_lines
from arena.exchange.fields import as_json
from arena.exchange.formula_guard import unguarded
from arena.exchange.strict_json import read_json, read_json_array
from arena.foreign import RejectedRow

# Small chunks are twice as fast as large ones: their rows die before the garbage collector looks at them.
ROWS = 512
PARQUET_ROWS = 4_096
LONGEST_RAW = 20_000

Reject = Callable[[RejectedRow], None]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a file as columns of equal length; a column that the file lacks is full of None."""

    lines: Sequence[int]
    columns: Mapping[str, Sequence[Any]]

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, name: str) -> Sequence[Any]:
        """The column of that name."""
        return self.columns.get(name) or [None] * len(self.lines)

    def rows(self, start: int, stop: int) -> "Chunk":
        """A part of the chunk."""
        return Chunk(self.lines[start:stop], {name: column[start:stop] for name, column in self.columns.items()})

    def raw(self, row: int) -> str:
        """A row as JSON, for people."""
        return as_json({name: column[row] for name, column in self.columns.items()})[:LONGEST_RAW]


@dataclass(frozen=True, slots=True)
class Sample:
    """What a format is recognised by: the kind of file, its columns (or keys) and its first row."""

    kind: Kind
    columns: frozenset[str]
    first: Mapping[str, Any]

    @classmethod
    def of(cls, path: Path) -> Self:
        """The beginning of a file; for a file without any sound row the first row is empty.

        Raises:
            ImportRefused: it cannot be read, or its beginning is damaged.
        """
        layout = Layout.of(path)
        faults: list[RejectedRow] = []
        with TableReader(path, layout, wanted=None) as table:
            for chunk in table.chunks(faults.append):
                first = {name: column[0] for name, column in chunk.columns.items()}
                return cls(layout.kind, frozenset(first), first)
            if faults and not table.columns:
                raise ImportRefused(f"{path.name}, line {faults[0].line}: {faults[0].reason}.")
            return cls(layout.kind, frozenset(table.columns), {})


class TableReader:
    """A file, read once from beginning to end.

    Args:
        path: the file.
        layout: what `Layout.of` says about it.
        wanted: the columns to read; None for all.
    """

    def __init__(self, path: Path, layout: Layout, *, wanted: frozenset[str] | None) -> None:
        self._path = path
        self._layout = layout
        self._wanted = wanted
        self._stream = ByteStream.open(path)
        self._parquet_fraction = 0.0
        self.columns: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stream.__exit__(*error)

    @property
    def fraction(self) -> float:
        """How much has been read, 0 to 1."""
        return self._parquet_fraction if self._layout.kind is Kind.PARQUET else self._stream.fraction

    def chunks(self, reject: Reject) -> Iterator[Chunk]:
        """All rows in order; a row whose form is wrong goes to `reject`, which may raise.

        Raises:
            ImportRefused: the file is damaged as a whole.
        """
        match self._layout.kind:
            case Kind.CSV | Kind.TSV:
                return self._delimited(reject)
            case Kind.JSON_LINES:
                return self._json_lines(reject)
            case Kind.JSON:
                return self._json_array()
            case Kind.PARQUET:
                return self._parquet()

    def _delimited(self, reject: Reject) -> Iterator[Chunk]:
        allow_long_cells()
        lines = _TextLines(whole_lines(self._stream))
        reader = csv.reader(lines, delimiter=self._layout.delimiter, strict=True)
        header = self._header(reader)
        places = {name: i for i, name in enumerate(header) if self._wanted is None or name in self._wanted}
        number = reader.line_num
        while True:
            rows: list[list[str]] = []
            fault = None
            try:
                rows.extend(islice(reader, ROWS))  # keeps the rows before a bad one
            except csv.Error as error:
                fault = f"is no row of a table: {error}"
            numbers = list(accumulate(map(_lines_of, rows), initial=number + 1))
            good = [i for i, row in enumerate(rows) if row] if [] in rows else range(len(rows))
            if lines.has_faults or set(map(len, rows)) != {len(header)}:
                good = [i for i in good if not self._rejects(rows[i], numbers[i], header, lines, reject)]
            if good:
                picked = rows if len(good) == len(rows) else [rows[i] for i in good]
                yield _chunk_of_cells([numbers[i] for i in good], picked, places, guarded=lines.quotes)
            if fault:
                reject(RejectedRow(numbers[-1], fault, ""))
            elif not rows:
                break
            number = reader.line_num

    def _rejects(
        self, row: Sequence[str], line: int, header: Sequence[str], lines: "_TextLines", reject: Reject
    ) -> bool:
        fault = lines.fault_of(line, _lines_of(row))
        if fault is None and len(row) != len(header):
            fault = f"has {len(row)} cells, the header {len(header)}"
        if fault is not None:
            reject(RejectedRow(line, fault, as_json(row)[:LONGEST_RAW]))
        return fault is not None

    def _header(self, reader: Iterator[list[str]]) -> list[str]:
        try:
            header = next((row for row in reader if row), [])
        except csv.Error as error:
            raise ImportRefused(f"{self._path.name}, line 1: the header is no row of a table ({error}).") from error
        header = [unguarded(name).strip() for name in header]
        if len(set(header)) < len(header):
            twice = next(name for name in header if header.count(name) > 1)
            raise ImportRefused(f"{self._path.name} has two columns {twice[:80]!r}: give each a name of its own.")
        self.columns = tuple(header)
        return header

    def _json_lines(self, reject: Reject) -> Iterator[Chunk]:
        number = 0
        for block in whole_lines(self._stream):
            numbers: list[int] = []
            records: list[Mapping[str, Any]] = []
            for line in block.removesuffix(b"\n").split(b"\n"):
                number += 1
                if not line.strip():
                    continue
                try:
                    records.append(_record(line, number))
                    numbers.append(number)
                except ImportRefused as error:
                    reason = str(error).removeprefix(f"Line {number} ").removesuffix(".")
                    reject(RejectedRow(number, reason, line.decode(errors="replace")[:LONGEST_RAW]))
            yield from self._chunks_of_records(numbers, records)

    def _json_array(self) -> Iterator[Chunk]:
        numbers: list[int] = []
        records: list[Mapping[str, Any]] = []
        for line, record in read_json_array(decoded(self._stream, name=self._path.name)):
            numbers.append(line)
            records.append(record)
            if len(records) == ROWS:
                yield from self._chunks_of_records(numbers, records)
                numbers, records = [], []
        yield from self._chunks_of_records(numbers, records)

    def _chunks_of_records(self, numbers: Sequence[int], records: Sequence[Mapping[str, Any]]) -> Iterator[Chunk]:
        if records:
            names = self._wanted if self._wanted is not None else {name for record in records for name in record}
            yield Chunk(numbers, {name: [record.get(name) for record in records] for name in sorted(names)})

    def _parquet(self) -> Iterator[Chunk]:
        from arena.exchange import parquet  # noqa: PLC0415 - pyarrow takes a third of a second to import

        flat = self._wanted is not None and not parquet.has_nested(self._path, self._wanted)
        rows = PARQUET_ROWS if flat else ROWS
        self.columns = parquet.column_names(self._path)
        for batch in parquet.read(self._path, wanted=self._wanted, rows=rows):
            self._parquet_fraction = batch.fraction
            yield Chunk(range(batch.first_row, batch.first_row + batch.rows), batch.columns)


class _TextLines:
    """The lines of a table of text, each with its line feed; notes which of them are damaged."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._lines = self._split(blocks)
        self._faults: dict[int, str] = {}
        self.quotes = False

    def __iter__(self) -> Iterator[str]:
        return self._lines

    @property
    def has_faults(self) -> bool:
        """Whether any line so far is damaged."""
        return bool(self._faults)

    def fault_of(self, first: int, lines: int) -> str | None:
        """What is wrong with one of so many lines from number `first` on."""
        return next((self._faults[line] for line in range(first, first + lines) if line in self._faults), None)

    def _split(self, blocks: Iterator[bytes]) -> Iterator[str]:
        number = 0
        for block in blocks:
            self.quotes = self.quotes or b"'" in block
            text = self._decoded(block, number)
            number += block.count(b"\n")
            yield from io.StringIO(text, newline="\n")

    def _decoded(self, block: bytes, number: int) -> str:
        try:
            text = block.decode()
        except UnicodeDecodeError:
            text = block.decode(errors="replace")
            for i, line in enumerate(block.split(b"\n"), start=number + 1):
                if "\ufffd" in line.decode(errors="replace") and not _is_utf8(line):
                    self._faults[i] = "is not UTF-8 text; save the file as UTF-8"
        if "\0" in text:
            for i, line_of_text in enumerate(text.split("\n"), start=number + 1):
                if "\0" in line_of_text:
                    self._faults[i] = "holds NUL, which no text does"
        return text


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _lines_of(row: Sequence[str]) -> int:
    return 1 + "".join(row).count("\n")


def _chunk_of_cells(
    numbers: Sequence[int], rows: Sequence[Sequence[str]], places: Mapping[str, int], *, guarded: bool
) -> Chunk:
    transposed = list(zip(*rows, strict=True))
    columns: dict[str, Sequence[Any]] = {name: transposed[place] for name, place in places.items()}
    if guarded:
        columns = {name: [unguarded(cell) for cell in column] for name, column in columns.items()}
    return Chunk(numbers, columns)


def _record(line: bytes, number: int) -> Mapping[str, Any]:
    record = read_json(line, what=f"Line {number}")
    if not isinstance(record, dict):
        raise ImportRefused(f"Line {number} is no object.")
    return record
