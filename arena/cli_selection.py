"""The options that say which votes are rated, and how: the same for every command that shows a board."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from inspect import signature
from typing import TYPE_CHECKING, Annotated, Any

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
FailedLoses = Annotated[
    bool, typer.Option("--failed-loses", help="Count battles without a vote in which one model failed as lost by it.")
]


def takes_selection(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that choose votes; it gets what they choose as its argument `selection`."""
    own, options = signature(command), signature(selection_of).parameters

    @wraps(command)
    def with_options(**given: Any) -> None:  # noqa: ANN401 - whatever the options hold
        chosen = {name: given.pop(name) for name in options}
        command(**given, selection=selection_of(**chosen))

    others = [parameter for name, parameter in own.parameters.items() if name != "selection"]
    # Typer reads the options from both of these.
    vars(with_options)["__signature__"] = own.replace(parameters=[*others, *options.values()])
    with_options.__annotations__ = {each.name: each.annotation for each in (*others, *options.values())}
    del vars(with_options)["__wrapped__"]
    return with_options


def selection_of(
    *,
    source: Source = None,
    since: Since = None,
    until: Until = None,
    language: Language = None,
    code: Category = None,
    maths: Category = None,
    multi_turn: Category = None,
    long_prompt: Category = None,
    without_ties: WithoutTies = False,
    failed_loses: FailedLoses = False,
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
        failed_loses=failed_loses,
    )
