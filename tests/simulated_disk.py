"""A disk whose power can fail, or which can be full: files that SQLite writes through APSW's virtual file system.

The files themselves are what the operating system's cache holds; what the disk holds of them is kept here. A write
reaches the disk when its file is synced. When the power fails, each sector of each later write is on the disk or not,
at random.
"""

from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event, Lock

import apsw

SECTOR = 512


@dataclass(slots=True)
class _Change:
    """Bytes that were written at `offset`, or the length to which the file was cut."""

    offset: int
    data: bytes | None

    def apply(self, image: bytearray) -> None:
        if self.data is None:
            del image[self.offset :]
        else:
            image.extend(bytes(max(0, self.offset - len(image))))
            image[self.offset : self.offset + len(self.data)] = self.data


@dataclass(slots=True)
class _OnDisk:
    """What a power cut cannot take of a file, and what was written since."""

    image: bytearray = field(default_factory=bytearray)
    unsynced: list[_Change] = field(default_factory=list)


class SimulatedDisk(apsw.VFS):
    """The default file system, but that its power fails, or space ends, when it is told so.

    `cut_after` writes and syncs the power fails: from then on nothing is written, and `dark` is set.
    """

    def __init__(self, name: str, *, cut_after: int | None = None) -> None:
        self.name = name
        self.dark = Event()
        self.full = False
        self._left = cut_after
        self._files: dict[Path, _OnDisk] = {}
        self._lock = Lock()
        super().__init__(name, base="")

    def xOpen(self, name: apsw.URIFilename | str | None, flags: list[int]) -> "SimulatedFile":  # noqa: N802 - APSW's
        assert name is not None, "temporary tables and sorts stay in memory"
        path = Path(name if isinstance(name, str) else name.filename())
        with self._lock:
            if path not in self._files:
                self._files[path] = _OnDisk(bytearray(path.read_bytes() if path.exists() else b""))
        return SimulatedFile(self, path, name, flags)

    def xDelete(self, name: str, sync_directory: bool) -> None:  # noqa: N802 - as above
        self.change(Path(name), None)
        super().xDelete(name, sync_directory)
        self._files.pop(Path(name), None)

    def excepthook(self, *_error: object) -> bool:
        """SQLite gets to know of a failure in any case."""
        return True

    def change(self, path: Path, change: _Change | None) -> None:
        """Note a change of a file, unless the power is off."""
        with self._lock:
            self._count()
            if change is not None and change.data is not None and self.full:
                raise apsw.FullError("the disk is full")
            if change is not None:
                self._files[path].unsynced.append(change)

    def sync(self, path: Path) -> None:
        """Bring what was written to the disk."""
        with self._lock:
            self._count()
            on_disk = self._files[path]
            for change in on_disk.unsynced:
                change.apply(on_disk.image)
            on_disk.unsynced.clear()

    def save(self, folder: Path, rng: Random) -> None:
        """Write what is on the disk after a cut of the power into another folder."""
        share = rng.choice((0.1, 0.5, 0.9))
        for path, on_disk in self._files.items():
            image = bytearray(on_disk.image)
            for change in on_disk.unsynced:
                for sector in _sectors(change):
                    if rng.random() < share:
                        sector.apply(image)
            (folder / path.name).write_bytes(image)

    def _count(self) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                self.dark.set()
                raise apsw.IOError("the power is off")


class SimulatedFile(apsw.VFSFile):
    """A file of the operating system; each change of it is noted by the disk first."""

    def __init__(self, disk: SimulatedDisk, path: Path, name: apsw.URIFilename | str, flags: list[int]) -> None:
        self._disk = disk
        self._path = path
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - APSW's
        self._disk.change(self._path, _Change(offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - APSW's
        self._disk.change(self._path, _Change(newsize, None))
        super().xTruncate(newsize)

    def xSync(self, _flags: int) -> None:  # noqa: N802 - APSW's
        self._disk.sync(self._path)


def _sectors(change: _Change) -> list[_Change]:
    """A write cut where the disk's sectors begin; a truncation is one piece."""
    if change.data is None:
        return [change]
    pieces, offset, end = [], change.offset, change.offset + len(change.data)
    while offset < end:
        stop = min(end, offset - offset % SECTOR + SECTOR)
        pieces.append(_Change(offset, change.data[offset - change.offset : stop - change.offset]))
        offset = stop
    return pieces
