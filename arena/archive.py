"""Zip files whose every member has its SHA-256 written down: what backups and bundles are."""

import hashlib
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from arena.errors import ArchiveRefused, StoreCorrupt

SUMS = "SHA256SUMS"
ABOUT = "about.json"
PIECE = 1 << 20
# What the library raises at bytes that make no sense: also an unknown way to compress, or a password.
DAMAGE = (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, RuntimeError, ValueError)
OLDEST = (1980, 1, 1, 0, 0, 0)  # what a zip file calls no time: equal contents then make equal files


class Archive:
    """An archive that is being written: add members, then leave the `with` block of `new_archive`."""

    def __init__(self, packed: zipfile.ZipFile) -> None:
        self._packed = packed
        self._sums: dict[str, str] = {}

    def add(self, name: str, content: bytes | str) -> None:
        """Add a member, compressed."""
        data = content.encode() if isinstance(content, str) else content
        self._sums[name] = hashlib.sha256(data).hexdigest()
        self._packed.writestr(_member(name), data, zipfile.ZIP_DEFLATED, 6)

    def add_json(self, name: str, value: object) -> None:
        """Add a member: JSON with keys in order, so that equal values make equal bytes."""
        self.add(name, json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1) + "\n")

    @contextmanager
    def member(self, name: str) -> Iterator[Callable[[bytes], object]]:
        """Add a member, compressed, by what is handed to the function; only one at a time."""
        digest = hashlib.sha256()
        info = _member(name)
        info.compress_type = zipfile.ZIP_DEFLATED
        with self._packed.open(info, "w", force_zip64=True) as target:

            def write(piece: bytes) -> None:
                digest.update(piece)
                target.write(piece)

            yield write
        self._sums[name] = digest.hexdigest()

    def add_file(self, name: str, path: Path) -> None:
        """Add a large file as it is, piece by piece."""
        digest = hashlib.sha256()
        info = _member(name)
        info.file_size = path.stat().st_size
        with path.open("rb") as source, self._packed.open(info, "w", force_zip64=True) as target:
            while piece := source.read(PIECE):
                digest.update(piece)
                target.write(piece)
        self._sums[name] = digest.hexdigest()

    @property
    def sums(self) -> Mapping[str, str]:
        """SHA-256 by member, of those that were added so far."""
        return self._sums

    def seal(self) -> None:
        """Write the sums down, in the form that `sha256sum --check` reads."""
        lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(self._sums.items()))
        self._packed.writestr(_member(SUMS), lines, zipfile.ZIP_DEFLATED, 6)


class OpenArchive:
    """An archive to read, all of whose members were compared with their sums."""

    def __init__(self, packed: zipfile.ZipFile, about: Mapping[str, Any], sums: Mapping[str, str]) -> None:
        self._packed = packed
        self.about = about
        self.sums = sums
        self.names = frozenset(packed.namelist())

    def text(self, name: str) -> str:
        """A member as text.

        Raises:
            StoreCorrupt: it is not there, or no text.
        """
        with self.open(name) as file:
            try:
                return file.read().decode()
            except UnicodeDecodeError as exc:
                raise StoreCorrupt(f"{name} in the archive is no text.") from exc

    def json(self, name: str) -> Any:  # noqa: ANN401 - JSON is anything
        """A member as JSON.

        Raises:
            StoreCorrupt: it is not there, or no JSON.
        """
        try:
            return json.loads(self.text(name))
        except ValueError as exc:
            raise StoreCorrupt(f"{name} in the archive is no JSON: {exc}.") from exc

    def open(self, name: str) -> IO[bytes]:
        """A member as a file of bytes.

        Raises:
            StoreCorrupt: it is not there.
        """
        if name not in self.names:
            raise StoreCorrupt(f"{name} is missing from the archive.")
        return self._packed.open(name)

    def extract(self, name: str, path: Path) -> None:
        """Write a member into a new file that only its owner may read; it is on the disk when this returns."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with self.open(name) as source, os.fdopen(descriptor, "wb") as target:
            while piece := source.read(PIECE):
                target.write(piece)
            target.flush()
            os.fsync(target.fileno())


@contextmanager
def new_archive(path: Path, *, overwrite: bool, about: Mapping[str, Any]) -> Iterator[Archive]:
    """Write an archive that appears under its name only when it is whole; only its owner may read it.

    Raises:
        ArchiveRefused: the file is there already, or cannot be written.
    """
    if path.exists() and not overwrite:
        raise ArchiveRefused(f"{path} is there already: name another file, or add --overwrite.")
    try:
        with _draft(path) as draft, zipfile.ZipFile(draft, "w") as packed:
            archive = Archive(packed)
            archive.add_json(ABOUT, dict(about))
            yield archive
            archive.seal()
    except OSError as exc:
        raise ArchiveRefused(f"{path} cannot be written: {exc.strerror}.") from exc


@contextmanager
def open_archive(path: Path, *, kind: str) -> Iterator[OpenArchive]:
    """Read an archive; every member is compared with its sum first.

    Raises:
        ArchiveRefused: it is no archive of this kind, or cannot be read.
        StoreCorrupt: a member is not what it was when the archive was written.
    """
    with ExitStack() as opened:
        try:
            packed = opened.enter_context(zipfile.ZipFile(path))
            sums = _check_sums(packed)
            about = json.loads(packed.read(ABOUT))
        except OSError as exc:
            raise ArchiveRefused(f"{path} cannot be read: {exc.strerror}.") from exc
        except DAMAGE as exc:
            raise ArchiveRefused(f"{path} is no {kind}, or is damaged: {exc}.") from exc
        if not isinstance(about, dict) or about.get("kind") != kind:
            raise ArchiveRefused(f"{path} is no {kind} of this program.")
        yield OpenArchive(packed, about, sums)


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    """A file beside `path`, for its owner only, that takes its name when the block ends well."""
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}-")
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, OLDEST)
    info.external_attr = 0o600 << 16
    info.create_system = 3
    return info


def _check_sums(packed: zipfile.ZipFile) -> Mapping[str, str]:
    names = packed.namelist()
    if SUMS not in names or ABOUT not in names:
        raise ArchiveRefused(f"{packed.filename} holds no {SUMS} and {ABOUT}: it was not made by this program.")
    sums = {}
    for line in packed.read(SUMS).decode(errors="replace").splitlines():
        digest, _, name = line.partition("  ")
        sums[name] = digest
    if sorted(names) != sorted([*sums, SUMS]):
        odd = sorted({*names} ^ {*sums, SUMS}) or sorted(name for name in names if names.count(name) > 1)
        raise StoreCorrupt(f"The archive does not hold the members that {SUMS} lists: see {odd[0]}.")
    for name, digest in sums.items():
        if _digest(packed, name) != digest:
            raise StoreCorrupt(f"{name} in the archive is not what {SUMS} says: get another copy of the file.")
    return sums


def _digest(packed: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    try:
        with packed.open(name) as file:
            while piece := file.read(PIECE):
                digest.update(piece)
    except DAMAGE as exc:
        raise StoreCorrupt(f"{name} in the archive is damaged: {exc}.") from exc
    return digest.hexdigest()
