"""Votes from a file into the database and back: where the formats and the store meet."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from arena.errors import ExportRefused, ImportRefused
from arena.exchange import VoteFile, format_named, kind_for, write_tallies, write_votes
from arena.foreign import ForeignTally, RejectedRow
from arena.store import NewSource, Source, SourceLoad, Store
from leaderboard import PairCounts, Verdict

ARENA = "arena"
LONGEST_NAME = 100
LARGEST_BYTES = 100_000_000
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What is in a file: `votes` that can be imported, rows that cannot, and rows that compare nothing."""

    format_name: str
    votes: int
    rejected: int
    passed_over: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did; `added` is False when this very file had been imported before."""

    source: Source
    added: bool
    check: CheckReport | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedFile:
    """Votes in a public format; `loses` says in words what of them the format cannot hold."""

    name: str
    content: bytes
    votes: int
    format_name: str
    loses: str


def check_file(
    path: Path,
    *,
    format_name: str | None = None,
    reject: Callable[[RejectedRow], None] | None = None,
    progress: Progress = lambda _stage, _fraction: None,
) -> CheckReport:
    """Read a whole file and count; the database is not touched.

    Args:
        path: the file.
        format_name: a key of `FORMATS`; recognised by the content when it is None.
        reject: takes the rows that cannot be votes; without it the first of them is the end.
        progress: told what is done and how much of it, 0 to 1.

    Raises:
        UnknownFormat: there is no such format.
        ImportRefused: a row cannot be a vote (with its line and reason), or the file holds none.
    """
    file = VoteFile.open(path, format_name=format_name)
    rejected = 0

    def count(row: RejectedRow) -> None:
        nonlocal rejected
        rejected += 1
        if reject is not None:
            reject(row)

    votes = 0
    for number in _counted(file, reject=None if reject is None else count):
        votes += number
        progress("Checking", file.fraction)
    if not votes:
        raise ImportRefused(f"{path.name} holds no votes that could be imported.")
    return CheckReport(format_name=file.format_name, votes=votes, rejected=rejected, passed_over=file.passed_over)


def import_file(
    store: Store,
    path: Path,
    *,
    actor: str,
    name: str | None = None,
    format_name: str | None = None,
    reject: Callable[[RejectedRow], None] | None = None,
    progress: Progress = lambda _stage, _fraction: None,
) -> ImportReport:
    """Check a whole file, load it unseen, switch it live. A file that was imported before adds nothing.

    Args:
        store: open for writing.
        path: the file.
        actor: who does it, for the audit log.
        name: what the source is called; the file's name without its endings when None.
        format_name: as for `check_file`.
        reject: as for `check_file`.
        progress: as for `check_file`.

    Raises:
        UnknownFormat: there is no such format.
        ImportRefused: as for `check_file`; the name is taken, or no name. Nothing is visible or stays.
    """
    file = VoteFile.open(path, format_name=format_name)
    sha256 = file.sha256()
    there = {source.sha256: source for source in store.read.sources()}
    if sha256 in there:
        return ImportReport(source=there[sha256], added=False, check=None)
    name = _free_name(name or path.name.split(".")[0], taken=[ARENA, *(source.name for source in there.values())])
    check = check_file(path, format_name=file.format_name, reject=reject, progress=progress)
    new = NewSource(
        name=name,
        format=file.format_name,
        sha256=sha256,
        tallies_only=file.format.tallies_only,
    )
    with SourceLoad(store.write, new) as loading:
        _load(file, loading, skip_bad=reject is not None, progress=progress)
        return ImportReport(source=loading.publish(actor=actor), added=True, check=check)


def export_file(store: Store, path: Path, *, format_name: str, source: str = ARENA, overwrite: bool = False) -> int:
    """Write the votes of a source in a public format; how many.

    Of the arena's own votes only those that count are written, and voters appear as "voter-1", "voter-2" ….

    Raises:
        UnknownFormat, UnknownSource: there is no such format or source.
        ExportRefused: the file is there already, cannot be written, or the source has only counts and the format
            wants votes.
    """
    chosen = format_named(format_name)
    kind_for(path, chosen)
    if path.exists() and not overwrite:
        raise ExportRefused(f"{path} is there already: name another file, or add --overwrite.")
    if chosen.tallies_only:
        return write_tallies(_tallies(store.read.source_counts(source)), path)
    if any(found.tallies_only for found in store.read.sources() if found.name == source):
        raise ExportRefused(f"The source {source!r} holds counts, not votes: export it as pair_counts.")
    return write_votes(store.read.source_votes(source), path, format_name=format_name)


def export_in_memory(store: Store, *, format_name: str, largest_bytes: int = LARGEST_BYTES) -> ExportedFile:
    """The file that `export_file` would write of the arena's own votes, in the format's usual kind, for a page.

    Raises:
        UnknownFormat: there is no such format.
        ExportRefused: it has more than `largest_bytes`; names the command that writes any size.
    """
    chosen = format_named(format_name)
    name = f"votes.{chosen.kinds[0]}"
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        votes = export_file(store, path, format_name=format_name)
        if path.stat().st_size > largest_bytes:
            raise ExportRefused(
                f"The file has {path.stat().st_size / 1e6:,.0f} MB, more than a page can carry. On the machine that "
                f"runs the arena `arena export` writes it: arena export {name} --format {format_name}"
            )
        content = path.read_bytes()
    return ExportedFile(name=name, content=content, votes=votes, format_name=format_name, loses=chosen.loses)


def _counted(file: VoteFile, *, reject: Callable[[RejectedRow], None] | None) -> Iterator[int]:
    if file.format.tallies_only:
        for tallies in file.tallies(reject=reject):
            yield sum(tally.n for tally in tallies)
    else:
        for votes in file.votes(reject=reject):
            yield len(votes)


def _load(file: VoteFile, loading: SourceLoad, *, skip_bad: bool, progress: Progress) -> None:
    reject = _ignore if skip_bad else None  # they were told when the file was checked
    if file.format.tallies_only:
        for tallies in file.tallies(reject=reject):
            loading.add_tallies(tallies)
            progress("Loading", file.fraction)
    else:
        for votes in file.votes(reject=reject):
            loading.add(votes)
            progress("Loading", file.fraction)


def _ignore(_row: RejectedRow) -> None:
    pass


def _free_name(name: str, *, taken: Collection[str]) -> str:
    """Looked at before the long work; the database decides in the end."""
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise ImportRefused(f"{name[:80]!r} is no name for a source: give it one with --name.")
    if name in taken:
        raise ImportRefused(f"There is a source named {name!r} already: give this one another name with --name.")
    return name


def _tallies(counts: PairCounts) -> Iterator[ForeignTally]:
    """Each pair once, the model that comes first in the alphabet on side A."""
    for i, a in enumerate(counts.names):
        for b in counts.names[i + 1 :]:
            record = counts.record(a, b)
            numbers = {
                Verdict.A: record.wins_a,
                Verdict.B: record.wins_b,
                Verdict.TIE: record.ties,
                Verdict.BOTH_BAD: record.both_bad,
            }
            if record.battles:
                yield from (ForeignTally(0, a, b, verdict, n) for verdict, n in numbers.items())
