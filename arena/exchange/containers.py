"""How the bytes of a file become text or rows, whatever they mean: its kind, its compression, its limits."""

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from arena.errors import ImportRefused

BLOCK = 1 << 20
LONGEST_LINE = 16_000_000
# Text shrinks to a quarter, votes without texts to a tenth or a thirtieth; what swells more was made to.
SWELLS_AT_MOST = 100
FREE_BYTES = 16_000_000
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Kind(StrEnum):
    """How a file is written; the value is the usual ending of its name."""

    CSV = "csv"
    TSV = "tsv"
    JSON = "json"
    JSON_LINES = "jsonl"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What the first bytes tell: the kind, for tables of text the delimiter, and the compression around it."""

    kind: Kind
    delimiter: str = ","
    compression: str | None = None

    @classmethod
    def of(cls, path: Path) -> Self:
        """Look at the beginning of a file.

        Raises:
            ImportRefused: it cannot be read, is empty, or is no text and no Parquet file.
        """
        with ByteStream.open(path) as stream:
            head, compression = stream.read(BLOCK), stream.compression
        if head.startswith(b"PAR1"):
            if compression:
                raise ImportRefused(f"{path.name} is a compressed Parquet file: unpack it first.")
            return cls(kind=Kind.PARQUET)
        if head.startswith(_UTF16) or b"\0" in head[:4]:
            raise ImportRefused(f"{path.name} is no UTF-8 text and no Parquet file; save it as UTF-8.")
        text = head.removeprefix(codecs.BOM_UTF8).lstrip()
        if not text:
            raise ImportRefused(f"{path.name} is empty.")
        first_line = text.split(b"\n", 1)[0]
        if text[:1] in b"[{":
            return cls(kind=Kind.JSON if text[:1] == b"[" else Kind.JSON_LINES, compression=compression)
        delimiter = max(b",\t;", key=first_line.count)
        kind = Kind.TSV if delimiter == ord("\t") else Kind.CSV
        return cls(kind=kind, delimiter=chr(delimiter), compression=compression)


class ByteStream:
    """The bytes of a file, unpacked on the way; a file that swells like a bomb is refused before it fills anything."""

    def __init__(self, path: Path, file: Any, *, compression: str | None) -> None:  # noqa: ANN401 - pyarrow has no types
        self._path = path
        self._file = file
        self._unpacked = file
        self.compression = compression
        self._size = path.stat().st_size
        self._given = 0
        if compression:
            import pyarrow as pa  # noqa: PLC0415 - a third of a second, for packed and Parquet files only

            self._unpacked = pa.CompressedInputStream(pa.PythonFile(file, mode="r"), compression)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a file; gzip and Zstandard are known by their first bytes, not by the name."""
        try:
            file = path.open("rb")
            magic = file.read(4)
            file.seek(0)
        except OSError as error:
            raise ImportRefused(f"{path} cannot be read: {error.strerror}.") from error
        packed = next((name for mark, name in _MAGIC.items() if magic.startswith(mark)), None)
        return cls(path, file, compression=packed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, n: int = BLOCK) -> bytes:
        """At most `n` bytes, none at the end."""
        try:
            block = bytes(self._unpacked.read(n))
        except OSError as error:
            raise ImportRefused(f"{self._path.name} is damaged: {error}.") from error
        self._given += len(block)
        if self.compression and self._given > FREE_BYTES + SWELLS_AT_MOST * self._size:
            raise ImportRefused(
                f"{self._path.name} unpacks to more than {SWELLS_AT_MOST} times its size, which no file of votes does."
            )
        return block

    @property
    def fraction(self) -> float:
        """How much of the file has been read, 0 to 1."""
        return min(1.0, self._file.tell() / self._size) if self._size and not self._file.closed else 1.0


def whole_lines(stream: ByteStream) -> Iterator[bytes]:
    """Blocks of whole lines, without a byte order mark; only the last may lack its line feed.

    Raises:
        ImportRefused: a line is longer than 16 million bytes.
    """
    begun, first = b"", True
    while block := stream.read():
        if first:
            block, first = block.removeprefix(codecs.BOM_UTF8), False
        lines, feed, rest = block.rpartition(b"\n")
        if not feed:
            begun += rest
        else:
            yield begun + lines + feed
            begun = rest
        if len(begun) > LONGEST_LINE:
            raise ImportRefused(f"A line has more than {LONGEST_LINE:,} bytes: this is no file of votes.")
    if begun:
        yield begun


def decoded(stream: ByteStream, *, name: str) -> Iterator[str]:
    """Blocks of text; a JSON file with a byte that is no UTF-8 is refused whole, since nothing follows from a part."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    given = 0
    try:
        while block := stream.read():
            yield decoder.decode(block)
            given += len(block)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise ImportRefused(
            f"{name} is not UTF-8 text (about byte {given + error.start}); save it as UTF-8."
        ) from error


def allow_long_cells() -> None:
    """Let the csv module read prompts: its limit of 131,072 characters is process-wide, ours is that of a line."""
    if csv.field_size_limit() < LONGEST_LINE:
        csv.field_size_limit(LONGEST_LINE)
