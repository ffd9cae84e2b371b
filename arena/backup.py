"""Backups of a running arena, and the way back."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from arena.archive import new_archive, open_archive
from arena.errors import ArchiveRefused
from arena.store import CopyFacts, VerifyReport, copies_of, require_known_schema

KIND = "backup"
MEMBER = "arena"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupReport:
    """What a backup holds."""

    taken_at: datetime
    facts: CopyFacts
    size: int


def back_up(url: str, file: Path, *, overwrite: bool = False) -> BackupReport:
    """Copy a database into a file while the arena runs; every vote that was acknowledged before is in it.

    Needs as much space again beside the file while it is made. Only its owner may read it: it holds all prompts.

    Raises:
        ArchiveRefused: the file is there already, or cannot be written.
        StoreError: the database cannot be read, or a tool for it is missing.
    """
    if file.exists() and not overwrite:
        raise ArchiveRefused(f"{file} is there already: name another file, or add --overwrite.")
    copies = copies_of(url)
    with _workplace(file) as folder:
        copy, taken_at = folder / f"{MEMBER}{copies.suffix}", datetime.now(UTC)
        facts = copies.save(copy)
        about = _about(facts, taken_at=taken_at) | {"member": copy.name}
        with new_archive(file, overwrite=overwrite, about=about) as archive:
            archive.add_file(copy.name, copy)
    return BackupReport(taken_at=taken_at, facts=facts, size=file.stat().st_size)


def restore(url: str, file: Path, *, force: bool = False) -> VerifyReport:
    """Replace a database by a backup, brought to this program's schema and recomputed vote by vote.

    Raises:
        ArchiveRefused: it is no backup, or one of another database engine.
        StoreTooNew: a newer program made it.
        StoreCorrupt: it is damaged, or not sound.
        RestoreRefused: the database holds votes and `force` is off, or somebody works with it.
        StoreLocked: a server writes it.
    """
    copies = copies_of(url)
    with open_archive(file, kind=KIND) as archive:
        member = str(archive.about.get("member"))
        require_known_schema(str(archive.about.get("schema")), what=str(file))
        if Path(member).suffix != copies.suffix:
            raise ArchiveRefused(f"{file} is a copy of a {archive.about.get('engine')} database, and this is another.")
        with _workplace(copies.beside or file) as folder:
            copy = folder / f"{MEMBER}{copies.suffix}"
            archive.extract(member, copy)
            return copies.load(copy, force=force)


def _about(facts: CopyFacts, *, taken_at: datetime) -> dict[str, Any]:
    return {"kind": KIND, "program": version("team-arena"), "taken_at": taken_at.isoformat(), **asdict(facts)}


@contextmanager
def _workplace(beside: Path) -> Iterator[Path]:
    """A folder for one's own eyes, on the same disk as the file that comes of it."""
    try:
        with tempfile.TemporaryDirectory(dir=beside.absolute().parent, prefix=f".{beside.name}-") as folder:
            yield Path(folder)
    except OSError as exc:
        raise ArchiveRefused(f"{exc.filename or beside} cannot be written: {exc.strerror}.") from exc
