"""Which view of the leaderboard is asked for."""

from dataclasses import dataclass, fields
from datetime import date

from arena.board import Board
from arena.selection import ARENA, Selection
from arena.store import Facets

BY_ELO = "elo"
BESIDE_ELO = "bradley_terry"
EARLIEST, LATEST = date(2000, 1, 1), date(2099, 12, 31)
MOST_VOTES = 1_000_000_000
LONGEST = 60  # characters of a search


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What there is to choose from."""

    sources: tuple[str, ...] = (ARENA,)
    languages: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()


def offer_of(board: Board, facets: Facets) -> Offer:
    """What there is to choose from on this board."""
    specs = board.specs.values()
    return Offer(
        sources=facets.sources,
        languages=facets.languages,
        organisations=tuple(sorted({spec.organisation for spec in specs if spec.organisation})),
        licences=tuple(sorted({spec.licence for spec in specs if spec.licence})),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One view of the board; each field is called as in the link, where those that differ from the default stand.

    `order` is a key of `METHODS`. Of the categories True means only such battles, False none of them, None all.
    Organisations, licences, retired models and the least number of votes choose lines of the table and of the charts;
    they leave every rating as it is. `search` chooses lines of the table only. `left_out` counts votes that are left
    out, too; the Elo stays that of the votes that count. `failed_loses` counts battles that a failed answer ended as
    lost by it; the lines are then ordered by score, since no Elo knows of them.
    """

    order: str = BY_ELO
    source: tuple[str, ...] = (ARENA,)
    multi_turn: bool | None = None
    long_prompt: bool | None = None
    code: bool | None = None
    maths: bool | None = None
    language: str | None = None
    ties: bool = True
    left_out: bool = False
    failed_loses: bool = False
    since: date | None = None
    until: date | None = None
    organisation: tuple[str, ...] = ()
    licence: tuple[str, ...] = ()
    retired: bool = True
    votes: int = 0
    search: str = ""

    @property
    def by_elo(self) -> bool:
        """Whether the lines are ordered by Elo."""
        return self.order == BY_ELO and not self.failed_loses

    @property
    def method(self) -> str:
        """The method whose scores are shown: the one that orders, or the one that stands beside Elo."""
        return BESIDE_ELO if self.order == BY_ELO else self.order

    @property
    def selection(self) -> Selection:
        """The votes that count in this view."""
        return Selection(
            sources=frozenset(self.source or (ARENA,)),
            multi_turn=self.multi_turn,
            long_prompt=self.long_prompt,
            code=self.code,
            maths=self.maths,
            language=self.language,
            since=self.since,
            until=self.until,
            without_ties=not self.ties,
            with_left_out=self.left_out,
            failed_loses=self.failed_loses,
        )


FIELDS = tuple(each.name for each in fields(View))
DEFAULT = View()
