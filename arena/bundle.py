"""A board that proves itself: its votes, what was made of them, and everything needed to make it again elsewhere."""

import hashlib
import json
import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from arena.archive import OpenArchive, new_archive, open_archive
from arena.bundle_report import report
from arena.errors import ExportRefused, StoreCorrupt, UnknownSource
from arena.selection import ARENA, Selection
from arena.settings import Settings
from arena.store import SelectedVotes, Store, VoteRecord
from leaderboard import METHODS, EloSettings, Evidence, Games, Verdict
from leaderboard.games import VERDICTS, Game
from leaderboard.style import STYLE_FEATURES, GameStyles

KIND = "bundle"
ELO = "elo"
TRIES = 5
# `10**x` differs between C libraries in the last bit; what is found step by step stops a little before or after.
ELO_TOLERANCE = 1e-9
ITERATED_TOLERANCE = 1e-6

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

Line = Mapping[str, Any]
Made = Mapping[str, Any]


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
    lines = {source: _lines(store, source) for source in dict.fromkeys(sources)}
    board = store.read.board(now=datetime.now(UTC))
    models = [asdict(model.spec) | {"fingerprint": model.fingerprint} for model in board.models]
    about = {
        "kind": KIND,
        "program": version("team-arena"),
        "code": _code(),
        "platform": _platform(),
        "made_at": datetime.now(UTC).isoformat(),
        "sources": list(lines),
        "elo": asdict(board.elo),
        "audit": asdict(store.read.admin.audit_page(before=None, limit=1).head),
    }
    made = {source: _made(of_source, board.elo) for source, of_source in lines.items()}
    with new_archive(file, overwrite=overwrite, about=about) as archive:
        archive.add_json("configuration.json", configuration)
        archive.add_json("models.json", models)
        for number, of_source in enumerate(lines.values()):
            archive.add(f"votes/{number}.jsonl", "".join(_as_line(line) for line in of_source))
        archive.add_json("results.json", made)
        for name, picture in pictures.items():
            archive.add(f"charts/{name}.svg", picture)
        archive.add("report.html", report(_told(about), made, pictures))
    return _reported(file, made, exact=True)


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
            made = {
                str(source): _made(list(_read_lines(archive, number)), elo)
                for number, source in enumerate(about["sources"])
            }
        except (KeyError, TypeError, ValueError) as exc:
            raise StoreCorrupt(f"The bundle's votes cannot be read: {type(exc).__name__}: {exc}.") from exc
        exact = about.get("platform") == _platform()
        _compare(stored, json.loads(json.dumps(made)), exact=exact)
        _compare_report(archive, stored)
    return _reported(file, made, exact=exact)


def _lines(store: Store, source: str) -> list[Line]:
    known = {found.name: found for found in store.read.sources()}
    if source != ARENA and source not in known:
        raise UnknownSource(f"There is no source {source!r}: `arena sources` lists them, and {ARENA!r} is one, too.")
    if source != ARENA and known[source].tallies_only:
        raise ExportRefused(f"The source {source!r} holds counts, not votes: a bundle could not be recomputed.")
    selection = Selection(sources=frozenset({source}))
    if source != ARENA:
        return list(_foreign(store.read.selected_votes(selection, in_order=True, with_styles=True)))
    for _ in range(TRIES):
        chosen = store.read.selected_votes(selection, in_order=True, with_styles=True)
        votes = [vote for vote in store.read.votes() if vote.seq <= chosen.last_seq]
        counted = list(_foreign(chosen))
        if _same_votes(votes, counted):
            return list(_own(votes, iter(counted)))
    raise ExportRefused("Votes were left out or restored while they were read: try again in a moment.")


def _foreign(chosen: SelectedVotes) -> Iterator[Line]:
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


def _same_votes(votes: Sequence[VoteRecord], counted: Sequence[Line]) -> bool:
    ours = [(vote.seats.a, vote.seats.b, vote.verdict.value) for vote in votes if vote.left_out is None]
    return ours == [(line["a"], line["b"], line["verdict"]) for line in counted]


def _own(votes: Iterable[VoteRecord], counted: Iterator[Line]) -> Iterator[Line]:
    """All votes of the arena; those that do not count say why, and whoever cast them is not told."""
    for vote in votes:
        facts = {"seq": vote.seq, "at": vote.cast_at.isoformat()}
        if vote.left_out is None:
            yield {**facts, **next(counted)}
        else:
            seats = {"a": vote.seats.a, "b": vote.seats.b, "verdict": vote.verdict.value}
            yield facts | seats | {"left_out": vote.left_out}


def _made(lines: Sequence[Line], elo: EloSettings) -> Made:
    """Everything that follows from votes."""
    _check_order(lines)
    counted = [line for line in lines if "left_out" not in line]
    names = sorted({name for line in counted for name in (line["a"], line["b"])})
    games = Games.from_votes((Game(line["a"], line["b"], Verdict(line["verdict"])) for line in counted), names=names)
    styles = _styles(counted)
    left_out = Counter(str(line["left_out"]) for line in lines if "left_out" in line)
    evidence = Evidence.from_games(games, styles=styles, left_out=left_out)
    verdicts = Counter(str(line["verdict"]) for line in counted)
    battles = Counter(name for line in counted for name in (line["a"], line["b"]))
    return {
        "votes": len(lines),
        "counted": len(counted),
        "left_out": dict(left_out),
        "verdicts": dict(verdicts),
        "battles": dict(battles),
        "ratings": {key: _rated(key, evidence, elo) for key in METHODS},
    }


def _check_order(lines: Sequence[Line]) -> None:
    """Votes of the arena are numbered from 1 without a gap."""
    for place, line in enumerate(lines, start=1):
        if line.get("seq", place) != place:
            raise StoreCorrupt(f"Vote {line['seq']} stands in place {place} of the bundle: a vote is missing or moved.")


def _styles(counted: Sequence[Line]) -> GameStyles | None:
    if not all("style_a" in line and "style_b" in line for line in counted):
        return None
    sides = (np.array([line[side] for line in counted], np.int64) for side in ("style_a", "style_b"))
    first, second = (side.reshape(-1, len(STYLE_FEATURES)) for side in sides)
    return GameStyles(side_a=first, side_b=second)


def _rated(key: str, evidence: Evidence, elo: EloSettings) -> Mapping[str, float] | str:
    """The ratings by model, or why there are none."""
    reason = METHODS[key].cannot_rate(evidence)
    if reason is not None:
        return reason
    rated = METHODS[key].rate(evidence, settings=elo if key == ELO else None)
    return {name: float(rating) for name, rating in sorted(rated.ratings.items())}


def _compare(stored: Any, made: Made, *, exact: bool) -> None:  # noqa: ANN401 - JSON
    if not isinstance(stored, dict) or stored.keys() != made.keys():
        raise StoreCorrupt("results.json in the bundle is not about the bundle's sources.")
    for source, results in made.items():
        for what, value in results.items():
            if what == "ratings":
                _compare_ratings(source, stored[source].get(what), value, exact=exact)
            elif stored[source].get(what) != value:
                raise _different(f"{what} of {source}", stored[source].get(what), value)


def _compare_ratings(source: str, stored: Any, made: Made, *, exact: bool) -> None:  # noqa: ANN401 - JSON
    if not isinstance(stored, dict) or stored.keys() != made.keys():
        raise StoreCorrupt(f"The bundle does not hold the ratings of {source!r} by each method.")
    for method, ratings in made.items():
        theirs, tolerance = stored[method], ELO_TOLERANCE if method == ELO else ITERATED_TOLERANCE
        if not isinstance(ratings, dict) or not isinstance(theirs, dict) or theirs.keys() != ratings.keys():
            if theirs != ratings:
                raise _different(f"{method} of {source}", theirs, ratings)
            continue
        for name, rating in ratings.items():
            if theirs[name] != rating and (exact or not abs(theirs[name] - rating) <= tolerance):
                raise _different(f"{method} of {name!r} in {source}", theirs[name], rating)


def _compare_report(archive: OpenArchive, stored: Any) -> None:  # noqa: ANN401 - JSON
    """The report is made of the other members, so a program of the same code makes it again."""
    if archive.about.get("code") != _code():
        return
    charts = sorted(name for name in archive.names if name.startswith("charts/"))
    pictures = {name.removeprefix("charts/").removesuffix(".svg"): archive.text(name) for name in charts}
    if archive.text("report.html") != report(_told(archive.about), stored, pictures):
        raise StoreCorrupt("report.html in the bundle does not tell what results.json holds.")


def _different(what: str, stored: object, made: object) -> StoreCorrupt:
    return StoreCorrupt(f"The bundle holds {stored!r} for {what}, but its votes give {made!r}.")


def _told(about: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a report tells of a bundle: not when it was made, so that one state makes one report."""
    return {key: about.get(key) for key in ("program", "code", "sources", "elo", "audit")}


def _read_lines(archive: OpenArchive, number: int) -> Iterator[Line]:
    for line in archive.text(f"votes/{number}.jsonl").splitlines():
        yield json.loads(line)


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
