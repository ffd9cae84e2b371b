"""What the commands share: their common options, and how they print."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from arena.settings import Settings

WIDE = 200  # columns of a table that goes into a file or a pipe
_WORDS = frozenset({"Model", "Name", "State", "Asked at", ""})

Config = Annotated[
    Path | None, typer.Option("--config", help="The settings file; default: ARENA_CONFIG, then ./arena.toml.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def settings_of(config: Path | None) -> "Settings":
    """The settings of `--config`, or of the usual places."""
    from arena.settings import load_settings

    return load_settings(config=config)


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
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
