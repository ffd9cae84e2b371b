"""A board that proves itself: its votes, what was made of them, and everything needed to make it again elsewhere."""

import hashlib
import io
import json
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from arena.archive import OpenArchive, new_archive, open_archive
from arena.bundle_report import report
from arena.bundle_results import ELO, NUMBERS, Line, Made, results_of
from arena.errors import ExportRefused, StoreCorrupt, UnknownSource
from arena.selection import ARENA, Selection
from arena.settings import Settings
from arena.store import SelectedVotes, Store, VoteRecord
from leaderboard import EloSettings
from leaderboard.games import VERDICTS

KIND = "bundle"
TRIES = 5
AT_ONCE = 5_000
# `10**x` differs between C libraries in the last bit; what is found step by step stops a little before or after.
ELO_TOLERANCE = 1e-9
ITERATED_TOLERANCE = 1e-6
PROVED = ("configuration.json", "models.json", "results.json")

PUBLISHED = (
    "hold_seconds",
    "max_turns",
    "max_prompt_characters",
    "seed",
    "pace",
    "aa_share",
    "keep_texts_days",
    "limits",
    "elo",
    "rates",
    "budgets",
    "breaker",
    "integrity",
)


class _Moved(Exception):
    """What counts has changed while the votes were read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleReport:
    """What is in a bundle; `exact` says that this platform is the one that made it, so that bits were compared."""

    votes: int
    counted: int
    sources: tuple[str, ...]
    exact: bool
    sha256: str


def published(settings: Settings) -> dict[str, Any]:
    """What shaped the votes, named one by one: no address, key, path or prompt is among it."""
    shared = settings.model_dump(mode="json", include={*PUBLISHED})
    return shared | {"models": [{"name": entry.name, "provider": entry.provider} for entry in settings.models]}


def export_bundle(
    store: Store,
    file: Path,
    *,
    configuration: Mapping[str, Any],
    pictures: Mapping[str, str],
    sources: Sequence[str] = (ARENA,),
    overwrite: bool = False,
) -> BundleReport:
    """Write a bundle; two of one state differ in the time when they were made, and in nothing else.

    Args:
        store: open to read at least.
        file: a zip file.
        configuration: what shaped the votes, without secrets.
        pictures: SVG by name.
        sources: whose votes.
        overwrite: replace the file if it is there.

    Raises:
        ArchiveRefused: the file is there already, or cannot be written.
        UnknownSource: there is no such source.
        ExportRefused: a source holds only counts, or the board keeps changing.
    """
    readers = {source: _reader(store, source) for source in dict.fromkeys(sources)}
    for _ in range(TRIES):
        try:
            return _written(store, file, readers, configuration, pictures, overwrite=overwrite)
        except _Moved:
            continue
    raise ExportRefused("Votes were left out or restored while they were read: try again in a moment.")


def _written(
    store: Store,
    file: Path,
    readers: Mapping[str, Callable[[], Iterator[Line]]],
    configuration: Mapping[str, Any],
    pictures: Mapping[str, str],
    *,
    overwrite: bool,
) -> BundleReport:
    """The bundle; votes go from the database through `results_of` into the file, one by one."""
    board = store.read.board(now=datetime.now(UTC))
    models = [asdict(model.spec) | {"fingerprint": model.fingerprint} for model in board.models]
    head = store.read.admin.audit_head()
    about = _about(readers, board.elo) | {"audit": asdict(head)}
    made = {}
    with new_archive(file, overwrite=overwrite, about=about) as archive:
        archive.add_json("configuration.json", configuration)
        archive.add_json("models.json", models)
        for number, (source, read) in enumerate(readers.items()):
            with archive.member(f"votes/{number}.jsonl") as write:
                made[source] = results_of(_writing(read(), write), board.elo)
        archive.add_json("results.json", made)
        for name, picture in pictures.items():
            archive.add(f"charts/{name}.svg", picture)
        archive.add("report.html", report(_told(about), made, pictures, _proved(archive.sums)))
    return _reported(file, made, exact=True)


def _about(sources: Iterable[str], elo: EloSettings) -> dict[str, Any]:
    return {
        "kind": KIND,
        "program": version("team-arena"),
        "code": _code(),
        "platform": _platform(),
        "made_at": datetime.now(UTC).isoformat(),
        "sources": list(sources),
        "elo": asdict(elo),
    }


def _writing(lines: Iterable[Line], write: Callable[[bytes], object]) -> Iterator[Line]:
    for line in lines:
        write(_as_line(line).encode())
        yield line


def verify_bundle(file: Path) -> BundleReport:
    """Recompute everything in a bundle from its votes; no database is needed.

    Raises:
        ArchiveRefused: it is no bundle.
        StoreCorrupt: names the first difference.
    """
    with open_archive(file, kind=KIND) as archive:
        about, stored = archive.about, archive.json("results.json")
        try:
            elo = EloSettings(**about["elo"])
            made = {str(source): _recomputed(archive, number, elo) for number, source in enumerate(about["sources"])}
        except (KeyError, TypeError, ValueError, OverflowError) as exc:
            raise StoreCorrupt(f"The bundle's votes cannot be read: {type(exc).__name__}: {exc}.") from exc
        exact = about.get("platform") == _platform()
        _compare(stored, json.loads(json.dumps(made)), exact=exact)
        _compare_report(archive, stored)
    return _reported(file, made, exact=exact)


def _reader(store: Store, source: str) -> Callable[[], Iterator[Line]]:
    """What reads a source's votes from their beginning.

    Raises:
        UnknownSource, ExportRefused: there is none, or it holds no votes.
    """
    known = {found.name: found for found in store.read.sources()}
    if source != ARENA and source not in known:
        raise UnknownSource(f"There is no source {source!r}: `arena sources` lists them, and {ARENA!r} is one, too.")
    if source != ARENA and known[source].tallies_only:
        raise ExportRefused(f"The source {source!r} holds counts, not votes: a bundle could not be recomputed.")
    selection = Selection(sources=frozenset({source}))

    def read() -> Iterator[Line]:
        chosen = store.read.selected_votes(selection, in_order=True, with_styles=True)
        return _own(_stored(store, chosen.last_seq), chosen) if source == ARENA else _counted(chosen)

    return read


def _counted(chosen: SelectedVotes) -> Iterator[Line]:
    """The counted votes of a source in order, with the figures of both answers (null where nobody counted)."""
    games, styles = chosen.games, chosen.styles
    if games is None:
        return
    for i in range(len(games)):
        line: dict[str, Any] = {"a": games.names[games.seat_a[i]], "b": games.names[games.seat_b[i]]}
        figures = {}
        if styles is not None:
            figures = {"style_a": styles.side_a[i].tolist(), "style_b": styles.side_b[i].tolist()}
        yield line | {"verdict": VERDICTS[games.verdicts[i]].value} | figures


def _stored(store: Store, last_seq: int) -> Iterator[VoteRecord]:
    """All votes of the arena up to a number; a few thousand at a time are in memory."""
    for after, until in pairwise([*range(0, last_seq, AT_ONCE), last_seq]):
        yield from store.read.votes(after=after, limit=until - after)


def _own(votes: Iterable[VoteRecord], chosen: SelectedVotes) -> Iterator[Line]:
    """All votes of the arena; those that do not count say why, and whoever cast them is not told.

    Raises:
        _Moved: what counts is not what counted when `chosen` was read.
    """
    counted = _counted(chosen)
    for vote in votes:
        facts = {"seq": vote.seq, "at": vote.cast_at.isoformat()}
        shown = {"a": vote.seats.a, "b": vote.seats.b, "verdict": vote.verdict.value}
        if vote.left_out is not None:
            yield facts | shown | {"left_out": vote.left_out}
            continue
        line = next(counted, None)
        if line is None or any(line[key] != value for key, value in shown.items()):
            raise _Moved
        yield {**facts, **line}
    if next(counted, None) is not None:
        raise _Moved


def _compare(stored: Any, made: Made, *, exact: bool) -> None:  # noqa: ANN401 - JSON
    if not isinstance(stored, dict) or stored.keys() != made.keys():
        raise StoreCorrupt("results.json in the bundle is not about the bundle's sources.")
    for source, results in made.items():
        for what, value in results.items():
            if what in NUMBERS:
                _compare_numbers(what, source, stored[source].get(what), value, exact=exact)
            elif stored[source].get(what) != value:
                raise _different(f"{what} of {source}", stored[source].get(what), value)


def _compare_numbers(what: str, source: str, stored: Any, made: Made, *, exact: bool) -> None:  # noqa: ANN401 - JSON
    if not isinstance(stored, dict) or stored.keys() != made.keys():
        raise StoreCorrupt(f"The bundle does not hold the {what} of {source!r} by each method.")
    prefix = "" if what == "ratings" else f"the {what} end of "
    for method, numbers in made.items():
        theirs, tolerance = stored[method], ELO_TOLERANCE if method == ELO else ITERATED_TOLERANCE
        if not isinstance(numbers, dict) or not isinstance(theirs, dict) or theirs.keys() != numbers.keys():
            if theirs != numbers:
                raise _different(f"{prefix}{method} of {source}", theirs, numbers)
            continue
        for name, number in numbers.items():
            if theirs[name] != number and (exact or not abs(theirs[name] - number) <= tolerance):
                raise _different(f"{prefix}{method} of {name!r} in {source}", theirs[name], number)


def _compare_report(archive: OpenArchive, stored: Any) -> None:  # noqa: ANN401 - JSON
    """The report is made of the other members, so a program of the same code makes it again."""
    if archive.about.get("code") != _code():
        return
    charts = sorted(name for name in archive.names if name.startswith("charts/"))
    pictures = {name.removeprefix("charts/").removesuffix(".svg"): archive.text(name) for name in charts}
    if archive.text("report.html") != report(_told(archive.about), stored, pictures, _proved(archive.sums)):
        raise StoreCorrupt("report.html in the bundle does not tell what results.json holds.")


def _different(what: str, stored: object, made: object) -> StoreCorrupt:
    return StoreCorrupt(f"The bundle holds {stored!r} for {what}, but its votes give {made!r}.")


def _told(about: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a report tells of a bundle: not when it was made, so that one state makes one report."""
    return {key: about.get(key) for key in ("program", "code", "sources", "elo", "audit")}


def _proved(sums: Mapping[str, str]) -> Mapping[str, str]:
    """The sums that a report tells: not of what tells when the bundle was made, and not of the pictures it holds."""
    return {name: digest for name, digest in sums.items() if name.startswith("votes/") or name in PROVED}


def _recomputed(archive: OpenArchive, number: int, elo: EloSettings) -> Made:
    with archive.open(f"votes/{number}.jsonl") as packed, io.TextIOWrapper(packed, "utf-8", newline="\n") as lines:
        return results_of((json.loads(line) for line in lines), elo)


def _as_line(line: Line) -> str:
    return json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n"


def _reported(file: Path, made: Mapping[str, Made], *, exact: bool) -> BundleReport:
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while piece := content.read(1 << 20):
            digest.update(piece)
    return BundleReport(
        votes=sum(results["votes"] for results in made.values()),
        counted=sum(results["counted"] for results in made.values()),
        sources=tuple(made),
        exact=exact,
        sha256=digest.hexdigest(),
    )


def _platform() -> dict[str, str]:
    """What floating-point results may depend on."""
    libc = " ".join(platform.libc_ver())
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "libc": libc,
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def _code() -> str:
    """SHA-256 over the program's source files."""
    root = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    for path in sorted([*(root / "arena").rglob("*.py"), *(root / "leaderboard").rglob("*.py")]):
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()
