"""The options that say which votes are rated, and how: the same for every command that shows a board."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from arena.selection import Selection

DAY_FORMATS = ["%Y-%m-%d"]

Method = Annotated[str, typer.Option(help="bradley_terry, elo, elo_order_free, davidson, style_control.")]
Source = Annotated[list[str] | None, typer.Option(help="Where votes come from; may be given again.")]
Since = Annotated[datetime | None, typer.Option(formats=DAY_FORMATS, help="First UTC day.")]
Until = Annotated[
    datetime | None, typer.Option(formats=DAY_FORMATS, help="Last UTC day: the board as it stood at its end.")
]
Language = Annotated[str | None, typer.Option(help="ISO 639 code of the prompts' language.")]
Category = Annotated[bool | None, typer.Option(help="Only battles of this category, or only the others.")]
WithoutTies = Annotated[bool, typer.Option("--without-ties", help="Leave out ties and both-bad.")]


def selection_of(
    *,
    source: list[str] | None,
    since: datetime | None,
    until: datetime | None,
    language: str | None,
    code: bool | None,
    maths: bool | None,
    multi_turn: bool | None,
    long_prompt: bool | None,
    without_ties: bool,
) -> "Selection":
    """The votes that the options choose; none given means all of the arena's own."""
    from arena.selection import ARENA, Selection

    return Selection(
        sources=frozenset(source or [ARENA]),
        since=since.date() if since else None,
        until=until.date() if until else None,
        language=language,
        code=code,
        maths=maths,
        multi_turn=multi_turn,
        long_prompt=long_prompt,
        without_ties=without_ties,
    )
