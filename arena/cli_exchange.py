"""`arena import`, `arena export`, `arena sources …`: votes of other arenas, and ours for others."""

import gc
import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli_output import (
    ACTOR,
    AsJson,
    Config,
    add_row,
    print_json,
    print_table,
    progress_bar,
    say,
    say_head,
    settings_of,
    store_to_read,
    store_to_write,
    table_of,
)
from arena.numerals import count, verb

if TYPE_CHECKING:
    from arena.foreign import RejectedRow
    from arena.store import Store
    from arena.transfer import CheckReport, ImportReport

_File = Annotated[Path, typer.Argument(help="The file, plain or packed with gzip or Zstandard.")]
_Format = Annotated[
    str | None, typer.Option("--format", help="Its format; recognised by the content when it is not given.")
]

sources = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


def import_votes(
    file: _File,
    format_name: _Format = None,
    name: Annotated[str | None, typer.Option(help="What to call the source; default: the file's name.")] = None,
    skip_bad: Annotated[
        Path | None, typer.Option(help="Import the good rows and write the others to this file, as JSON lines.")
    ] = None,
    config: Config = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the file; change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import a file of votes as a source of its own; it never changes the live Elo ratings."""
    from arena.transfer import check_file, import_file

    def tell(report: "ImportReport | None", check: "CheckReport | None") -> None:
        if as_json:
            print_json(_as_json(report, check))
        else:
            typer.echo(_in_words(report, check, rejected_to=skip_bad))

    with _rejections(skip_bad) as reject:
        if dry_run:
            with _collector_paused(), progress_bar() as progress:
                check = check_file(file, format_name=format_name, reject=reject, progress=progress)
            tell(None, check)
            return
        with store_to_write(config) as store:
            with _collector_paused(), progress_bar() as progress:
                report = import_file(
                    store, file, actor=ACTOR, name=name, format_name=format_name, reject=reject, progress=progress
                )
            tell(report, report.check)
            _fill_in(store)


def export_votes(
    file: Annotated[Path, typer.Argument(help="The file to write; its ending chooses among the format's kinds.")],
    format_name: Annotated[
        str | None, typer.Option("--format", help="clean_battle, lmarena_140k, plain, pair_counts …")
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option(help="Whose votes; default: this arena's that count. A bundle takes several.")
    ] = None,
    config: Config = None,
    *,
    bundle: Annotated[
        bool, typer.Option("--bundle", help="A zip file with votes, ratings and a report that can be recomputed.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there.")] = False,
) -> None:
    """Write votes in a public format, voters under numbers; or a bundle, which `arena verify --bundle` recomputes."""
    chosen = source or ["arena"]
    if bundle == (format_name is not None) or (len(chosen) > 1 and not bundle):
        raise typer.BadParameter("give --bundle, or --format and one --source")
    if bundle:
        _export_bundle(file, sources=chosen, config=config, overwrite=overwrite)
    else:
        _export_votes(file, format_name=str(format_name), source=chosen[0], config=config, overwrite=overwrite)


@sources.callback(epilog="Example: arena sources --json")
def list_sources(context: typer.Context, config: Config = None, *, as_json: AsJson = False) -> None:
    """Show what has been imported, or remove some of it."""
    if context.invoked_subcommand is not None:
        context.obj = config
        return
    with store_to_read(config) as store:
        found = store.read.sources()
    if as_json:
        print_json([_source_as_json(source) for source in found])
        return
    table = table_of("Name", "Format", "Votes", "Imported")
    for source in found:
        votes = f"{source.votes:,}" + (" (counts only)" if source.tallies_only else "")
        add_row(table, source.name, source.format, votes, f"{source.imported_at:%Y-%m-%d %H:%M} UTC")
    print_table(table)


@sources.command("remove", epilog="Example: arena sources remove llmfao_votes")
def remove_source(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The source's name, as `arena sources` shows it.")],
    config: Config = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove an imported source with all its votes; the arena's own votes and its Elo stay as they are."""
    with store_to_write(config or context.obj) as store:
        found = {source.name: source for source in store.read.sources()}
        if name in found and not yes:
            typer.confirm(f"Remove {name!r} and its {count(found[name].votes, 'vote')} for good?", abort=True)
        store.write.remove_source(name, actor=ACTOR).result()
    typer.echo(f"Removed {name!r}.")


def _export_votes(file: Path, *, format_name: str, source: str, config: Path | None, overwrite: bool) -> None:
    from arena.exchange import format_named
    from arena.transfer import export_file

    chosen = format_named(format_name)
    with store_to_read(config) as store:
        votes = export_file(store, file, format_name=format_name, source=source, overwrite=overwrite)
        bare = store.read.texts.votes_without() if source == "arena" and not chosen.tallies_only else 0
        head = store.read.admin.audit_head()
    told = f"{count(votes, 'vote')} of {source} {verb(votes, 'is', 'are')} in {file}"
    say(f"{told} ({chosen.title}). Lost on the way: {chosen.loses}.")
    if bare:
        say(f"The prompts and answers of {count(bare, 'vote')} are not among them: they were removed before.")
    say_head(head)


def _export_bundle(file: Path, *, sources: list[str], config: Path | None, overwrite: bool) -> None:
    from arena.bundle import export_bundle, published
    from arena.cli_figures import all_pictures
    from arena.selection import EVERYTHING
    from leaderboard.chart_files import as_svg

    settings = settings_of(config)
    with store_to_read(config) as store:
        drawn = (
            all_pictures(store, method="bradley_terry", selection=EVERYTHING) if store.read.pair_counts().votes else []
        )
        report = export_bundle(
            store,
            file,
            configuration=published(settings),
            pictures={picture.key: as_svg(picture.spec, caption=picture.caption) for picture in drawn},
            sources=sources,
            overwrite=overwrite,
        )
    say(f"{count(report.votes, 'vote')} of {', '.join(report.sources)} and what follows from them are in {file}.")
    say(f"Its SHA-256 is {report.sha256}: publish it elsewhere, and nobody can exchange the file.")


def _fill_in(store: "Store") -> None:
    """Read the conversations of what was imported; whoever does not want to wait may leave that to the arena."""
    from arena.enrichment import fill_in

    with _interrupted() as stop, progress_bar() as progress:
        fill_in(store, stop=stop, progress=progress)
    if stop.is_set():
        typer.echo(
            "The votes are imported. Languages and styles that are still to be told follow when the arena runs next.",
            err=True,
        )


@contextmanager
def _interrupted() -> Iterator[Event]:
    """An event that Ctrl-C sets. An exception would be raised anywhere: what SQLite calls, for one, loses it."""
    stop = Event()
    before = signal.signal(signal.SIGINT, lambda *_: stop.set())
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Millions of values without a cycle among them: a sixth of an import's time went into looking for one."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def _rejections(path: Path | None) -> "Iterator[Callable[[RejectedRow], None] | None]":
    """Takes bad rows and writes each as a JSON object into the file, which is made at once."""
    if path is None:
        yield None
        return
    from arena.errors import ExportRefused

    try:
        opened = path.open("w", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ExportRefused(f"{path} cannot be written: {error.strerror}.") from error
    with opened as file:
        yield lambda row: print(json.dumps(row._asdict(), ensure_ascii=False), file=file)


def _in_words(report: "ImportReport | None", check: "CheckReport | None", *, rejected_to: Path | None) -> str:
    if report is not None and not report.added:
        day = f"{report.source.imported_at:%Y-%m-%d}"
        return f"This very file was imported as {report.source.name!r} on {day}: nothing was added."
    assert check is not None  # noqa: S101 - it was checked, unless it was known
    parts = [f"{count(check.votes, 'vote')} ({check.format_name})"]
    if check.passed_over:
        parts.append(f"{count(check.passed_over, 'row')} {verb(check.passed_over, 'compares', 'compare')} nothing")
    if check.rejected:
        parts.append(f"{count(check.rejected, 'bad row')} {verb(check.rejected, 'is', 'are')} in {rejected_to}")
    done = "Could be imported" if report is None else f"Imported as {report.source.name!r}"
    return f"{done}: {', '.join(parts)}."


def _as_json(report: "ImportReport | None", check: "CheckReport | None") -> dict[str, object]:
    source = None if report is None else _source_as_json(report.source)
    counts = {} if check is None else {name: getattr(check, name) for name in check.__slots__}
    return {"added": report is not None and report.added, "source": source, **counts}


def _source_as_json(source: object) -> dict[str, object]:
    names = ("name", "format", "sha256", "imported_at", "votes", "tallies_only")
    values = {name: getattr(source, name) for name in names}
    return values | {"imported_at": values["imported_at"].isoformat()}
