"""Pure: which of the stored votes a board is made from."""

from dataclasses import dataclass
from datetime import date

ARENA = "arena"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Votes of some sources and categories; every filter is a sum over the tallies, so they can be combined.

    Args:
        sources: where the votes come from; `arena` is what was voted here.
        multi_turn, long_prompt, code, maths: True for battles of the category, False for the others, None for all.
        language: ISO 639 code of the prompts; None for all.
        since: first UTC day, included; None for no bound. `until`: the last one.
        without_ties: leave out ties and both-bad.
        with_left_out: count also the votes that are left out of the board.
        failed_loses: count also the arena's battles without a vote of which one side failed, as won by the other.
    """

    sources: frozenset[str] = frozenset({ARENA})
    multi_turn: bool | None = None
    long_prompt: bool | None = None
    code: bool | None = None
    maths: bool | None = None
    language: str | None = None
    since: date | None = None
    until: date | None = None
    without_ties: bool = False
    with_left_out: bool = False
    failed_loses: bool = False


EVERYTHING = Selection()
"""All counted votes of the arena itself: the live board."""
