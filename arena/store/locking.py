"""The lock file that names the one process which writes a SQLite file."""

import os
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from arena.errors import StoreError, StoreLocked


class WriterLock:
    """Held from `take` to `release`; the operating system frees it when the process dies, however it dies."""

    def __init__(self, lock: FileLock) -> None:
        self._lock = lock

    @classmethod
    def take(cls, database: Path) -> Self:
        """Become the writing process of this database.

        Raises:
            StoreLocked: another process, or another store in this one, is.
            StoreError: the folder cannot be written to.
        """
        path = database.with_name(database.name + ".lock")
        # Not thread-local: the store may be closed by another thread than the one that opened it.
        lock = FileLock(path, thread_local=False)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout as exc:
            raise StoreLocked(
                f"{database} is in use by the arena with process id {_holder(path)}: stop that process, then try "
                "again. What only reads (standings, predict, figures, sources, export, verify, votes held, voters) "
                "works beside it."
            ) from exc
        except OSError as exc:
            raise StoreError(f"{path} cannot be written ({exc.strerror}): choose another folder.") from exc
        path.write_text(f"{os.getpid()}\n", encoding="ascii")
        return cls(lock)

    def release(self) -> None:
        """Let another process write; may be called twice."""
        self._lock.release()


def _holder(path: Path) -> str:
    return path.read_text(encoding="ascii", errors="replace").strip() or "unknown"
