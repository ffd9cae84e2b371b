"""Pictures as files: one at a time beside a server, or all of a board into a folder."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from threading import Lock

from arena.board_charts import Picture
from arena.chart_child import draw
from arena.errors import ExportRefused

LONGEST_SECONDS = 60.0

# What a program needs to run and to find its fonts, and none of the keys that lie in the environment beside it.
_PASSED_ON = ("PATH", "HOME", "LANG", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "XDG_DATA_HOME")
_ROOT = Path(__file__).resolve().parent.parent


class ChartFormat(StrEnum):
    """What a picture can be saved as."""

    SVG = "svg"
    PNG = "png"

    @property
    def media_type(self) -> str:
        """As HTTP calls it."""
        return "image/svg+xml" if self is ChartFormat.SVG else "image/png"


class ChartPress:
    """Draws pictures beside a running server, each in a process of its own; safe to call from many threads.

    Drawing holds the interpreter's lock for up to two seconds, in which no answer would stream, and takes up to
    450 MB: so it happens elsewhere, and one at a time.
    """

    def __init__(self, *, longest_seconds: float = LONGEST_SECONDS) -> None:
        self._turn = Lock()
        self._longest_seconds = longest_seconds

    def draw(self, picture: Picture, chart_format: ChartFormat) -> bytes:
        """The picture as a file.

        Raises:
            ExportRefused: it could not be drawn in time, or at all.
        """
        with self._turn:
            try:
                done = subprocess.run(
                    [sys.executable, "-P", "-m", "arena.chart_child"],
                    input=_order(picture, chart_format),
                    capture_output=True,
                    timeout=self._longest_seconds,
                    env=_environment(),
                    check=True,
                )
            except subprocess.TimeoutExpired as error:
                raise ExportRefused(f"{picture.title!r} was not drawn in {self._longest_seconds:g} s.") from error
            except subprocess.CalledProcessError as error:
                raise ExportRefused(f"{picture.title!r} cannot be drawn: {_last_line(error.stderr)}") from error
        return bytes(done.stdout)


def write_pictures(
    pictures: Sequence[Picture],
    folder: Path,
    *,
    chart_format: ChartFormat,
    overwrite: bool = False,
    progress: Callable[[str, float], None] = lambda _stage, _fraction: None,
) -> tuple[Path, ...]:
    """Write every picture into the folder, which is made if need be; each file is called as the picture's key.

    Args:
        pictures: what to write.
        folder: where.
        chart_format: as what.
        overwrite: replace files that are there.
        progress: told how much is done, 0 to 1.

    Raises:
        ExportRefused: a file is there already, or cannot be written.
    """
    paths = tuple(folder / f"{picture.key}.{chart_format}" for picture in pictures)
    there = [path for path in paths if path.exists()]
    if there and not overwrite:
        raise ExportRefused(f"{there[0]} is there already: name another folder, or add --overwrite.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for done, (path, picture) in enumerate(zip(paths, pictures, strict=True), start=1):
            path.write_bytes(draw(_order(picture, chart_format)))
            progress("Drawing", done / len(paths))
    except OSError as error:
        raise ExportRefused(f"{error.filename} cannot be written: {error.strerror}.") from error
    return paths


def _order(picture: Picture, chart_format: ChartFormat) -> bytes:
    return json.dumps({"spec": picture.spec, "caption": picture.caption, "format": chart_format}).encode()


def _environment() -> dict[str, str]:
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    paths = filter(None, (str(_ROOT), os.environ.get("PYTHONPATH")))
    return {**passed_on, "PYTHONPATH": os.pathsep.join(paths)}


def _last_line(output: bytes) -> str:
    return (output.decode(errors="replace").strip().splitlines() or ["no reason was given"])[-1]
