"""What the commands share: their common options, how they open the database, and how they print."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.numerals import count
from arena.terminal import visible

if TYPE_CHECKING:
    from rich.table import Table

    from arena.settings import Settings
    from arena.store import AuditHead, Store

ACTOR = "command line"  # who decided, in the audit log
WIDE = 200  # columns of a table that goes into a file or a pipe
_WORDS = frozenset(
    {"Model", "Name", "State", "Decided", "Asked at", "Voter", "Battle", "Verdict", "Why", "Signs", "Trusted", ""}
)

Config = Annotated[
    Path | None, typer.Option("--config", help="The settings file; default: ARENA_CONFIG, then ./arena.toml.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def settings_of(config: Path | None) -> "Settings":
    """The settings of `--config`, or of the usual places."""
    from arena.settings import load_settings

    return load_settings(config=config)


@contextmanager
def store_to_read(config: Path | None) -> Iterator["Store"]:
    """The database of these settings, also beside a running server."""
    from arena.store import Store

    with closing(Store.open_to_read(settings_of(config).database_url)) as store:
        yield store


@contextmanager
def store_to_write(config: Path | None) -> Iterator["Store"]:
    """The database of these settings; refused while a server runs on it."""
    from arena.store import Store
    from leaderboard import EloSettings

    settings = settings_of(config)
    with closing(Store.open(settings.database_url, elo=EloSettings(**dict(settings.elo)))) as store:
        yield store


def known(value: float | None, shape: str) -> str:
    """`value` in `shape`, a dash when it is unknown."""
    return "–" if value is None else shape.format(value)


def table_of(*columns: str) -> "Table":
    """An empty table; words stand left, numbers right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, justify="left" if column in _WORDS else "right")
    return table


def add_row(table: "Table", *cells: str) -> None:
    """A row whose cells are shown letter by letter: a name is no markup."""
    from rich.text import Text

    table.add_row(*(Text(visible(cell)) for cell in cells))


def print_table(table: "Table") -> None:
    """To the terminal at its width, elsewhere so wide that nothing is cut."""
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDE
    console.print(table)


@contextmanager
def status(text: str) -> Iterator[None]:
    """Say on the terminal what is being done for as long as it takes."""
    from rich.console import Console

    console = Console(stderr=True)
    with console.status(text) if console.is_terminal else nullcontext():
        yield


def print_json(value: object) -> None:
    """For programs."""
    say(json.dumps(value, indent=2, ensure_ascii=False))


@contextmanager
def progress_bar() -> Iterator[Callable[[str, float], None]]:
    """Told the name of a stage and how much of it is done, 0 to 1; on the terminal only, and gone at the end."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        stages: dict[str, TaskID] = {}

        def tell(stage: str, fraction: float) -> None:
            if stage not in stages:
                stages[stage] = bar.add_task(stage, total=1.0)
            bar.update(stages[stage], completed=fraction)

        yield tell


def say(text: str, *, err: bool = False) -> None:
    """For people: what a name or an error holds cannot move the cursor or hide other text."""
    typer.echo(visible(text), err=err)


def say_head(head: "AuditHead") -> None:
    """Where the audit log stood; what leaves the arena says it, so that a log that was cut off later is found out."""
    say(f"Audit log: {count(head.seq, 'entry', 'entries')}, the last one's digest is {head.digest or 'none'}.")
