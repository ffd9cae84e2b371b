"""`arena figures`: the pictures of a board as files."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli_output import Config, progress_bar, store_to_read
from arena.cli_selection import Method, takes_selection
from arena.errors import CannotRate

if TYPE_CHECKING:
    from arena.board_charts import Picture
    from arena.selection import Selection
    from arena.store import Store


@takes_selection
def figures(
    selection: "Selection",
    folder: Annotated[Path, typer.Argument(help="Where to write them; it is made if need be.")],
    chart_format: Annotated[str, typer.Option("--format", help="svg or png.")] = "svg",
    config: Config = None,
    *,
    method: Method = "bradley_terry",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
) -> None:
    """Write the leaderboard's figures as files, one picture each."""
    from arena.chart_export import ChartFormat, write_pictures

    if chart_format not in {*ChartFormat}:
        raise typer.BadParameter(f"{chart_format!r} is no kind of picture: use {' or '.join(ChartFormat)}")
    with progress_bar() as progress:
        with store_to_read(config) as store:
            pictures = all_pictures(store, method=method, selection=selection)
        paths = write_pictures(
            pictures, folder, chart_format=ChartFormat(chart_format), overwrite=overwrite, progress=progress
        )
    for path in paths:
        typer.echo(path)


def all_pictures(store: "Store", *, method: str, selection: "Selection") -> "list[Picture]":
    """Everything that can be drawn of the board, the matrix of win probabilities last."""
    from arena.board import board_of, labels
    from arena.board_charts import board_pictures, probability_matrix
    from arena.rated_board import RatedBoards
    from arena.selection import ARENA

    until = selection.until
    live = board_of(store.read.board(now=datetime.now(UTC)) if until is None else store.read.board_at_end_of(until))
    board = RatedBoards(store.read).rated(
        live, method=method, selection=selection, order_by_elo=not selection.failed_loses, wait=True
    )
    if not board.counts.votes:
        raise CannotRate("No vote is in this selection: there is nothing to draw.")
    called = labels(board.specs.values())
    drawn = {line.model: called[line.model] for line in board.standings}
    history = store.read.elo_history() if ARENA in selection.sources else ()
    pictures = board_pictures(board, history=history, days=store.read.votes_per_day(selection), labels=drawn)
    matrix = probability_matrix(board, labels=drawn)
    return [*pictures, *([matrix] if matrix else [])]
