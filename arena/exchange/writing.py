"""Writing votes in a public format."""

import csv
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from arena.errors import ExportRefused
from arena.exchange.containers import Kind
from arena.exchange.fields import as_json, iso_of
from arena.exchange.format import Format
from arena.exchange.formats import format_named
from arena.exchange.formula_guard import guarded
from arena.exchange.pair_counts import COLUMN
from arena.foreign import ForeignTally, ForeignVote

_ENDINGS = {f".{kind.value}": kind for kind in Kind} | {".ndjson": Kind.JSON_LINES}


def write_votes(votes: Iterable[ForeignVote], path: Path, *, format_name: str) -> int:
    """Write votes in their order; how many. The ending of the name chooses among the format's kinds of file.

    The file appears when it is whole, in place of one that was there. In tables of text a cell that a spreadsheet
    would run as a formula begins with an apostrophe, which reading takes away.

    Raises:
        UnknownFormat: there is no such format.
        ExportRefused: it does not write such files, or the file cannot be written.
    """
    chosen = format_named(format_name)
    if chosen.record is None:
        counted = (vote for vote in votes if vote.left_out is None)
        tallies = Counter((vote.model_a, vote.model_b, vote.verdict) for vote in counted)
        return write_tallies((ForeignTally(0, *key, n) for key, n in tallies.items()), path)
    return _write(map(chosen.record, votes), path, chosen)


def write_tallies(tallies: Iterable[ForeignTally], path: Path) -> int:
    """Write counts per pair, in pair order; how many votes they hold.

    Raises:
        ExportRefused: as for `write_votes`.
    """
    pairs: dict[tuple[str, str], dict[str, int]] = {}
    for _, a, b, verdict, n in tallies:
        row = pairs.setdefault((a, b), dict.fromkeys(COLUMN.values(), 0))
        row[COLUMN[verdict]] += n
    rows = ({"model_a": a, "model_b": b, **counts} for (a, b), counts in sorted(pairs.items()))
    _write(rows, path, format_named("pair_counts"))
    return sum(n for counts in pairs.values() for n in counts.values())


def kind_for(path: Path, chosen: Format) -> Kind:
    """How a file of that name is written in a format.

    Raises:
        ExportRefused: the ending is that of a kind which the format does not have.
    """
    kind = _ENDINGS.get(path.suffix.lower(), chosen.kinds[0])
    if kind not in chosen.kinds:
        usual = ", ".join(f".{each.value}" for each in chosen.kinds)
        raise ExportRefused(f"{chosen.title} is not written as {path.suffix}: name the file {usual}.")
    return kind


def _write(records: Iterable[Mapping[str, Any]], path: Path, chosen: Format) -> int:
    count = _Count(records)
    kind = kind_for(path, chosen)
    try:
        with _replacing(path) as draft:
            match kind:
                case Kind.CSV:
                    _write_table(count, draft, chosen, delimiter=",")
                case Kind.TSV:
                    _write_table(count, draft, chosen, delimiter="\t")
                case Kind.JSON_LINES:
                    _write_json(count, draft, opening="", between="\n", closing="\n")
                case Kind.JSON:
                    _write_json(count, draft, opening="[\n", between=",\n", closing="\n]\n")
                case Kind.PARQUET:
                    _write_parquet(count, draft, chosen)
    except OSError as error:
        raise ExportRefused(f"{path} cannot be written: {error.strerror}.") from error
    return count.n


class _Count:
    """Records on their way, counted."""

    def __init__(self, records: Iterable[Mapping[str, Any]]) -> None:
        self._records = records
        self.n = 0

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        for record in self._records:
            self.n += 1
            yield record


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A draft beside `path` that takes its name when the block ends well and vanishes when it does not."""
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}-")
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        draft.chmod(0o644)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _write_table(records: Iterable[Mapping[str, Any]], path: Path, chosen: Format, *, delimiter: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow(chosen.columns)
        for record in records:
            writer.writerow([_cell(record[name]) for name in chosen.columns])


def _cell(value: object) -> object:
    match value:
        case str():
            return guarded(value)
        case datetime():
            return iso_of(value)
        case list() | dict() | tuple():
            return as_json(value)
        case _:
            return value


def _write_json(records: Iterable[Mapping[str, Any]], path: Path, *, opening: str, between: str, closing: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(opening)
        _write_joined(records, file, between=between)
        file.write(closing)


def _write_joined(records: Iterable[Mapping[str, Any]], file: IO[str], *, between: str) -> None:
    for number, record in enumerate(records):
        if number:
            file.write(between)
        file.write(as_json({name: iso_of(v) if isinstance(v, datetime) else v for name, v in record.items()}))


def _write_parquet(records: Iterable[Mapping[str, Any]], path: Path, chosen: Format) -> None:
    from arena.exchange import parquet  # noqa: PLC0415 - pyarrow takes a third of a second to import

    parquet.write(path, records, columns=chosen.columns)
