"""The board of any selection by any method, made when asked for and kept until the votes move."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import pairwise
from threading import Lock

from arena.board import Board
from arena.domain import ModelSpec
from arena.errors import CannotRate
from arena.kept_votes import KeptVotes
from arena.selection import ARENA, EVERYTHING, Selection
from arena.store import Queries, SelectedVotes
from leaderboard import METHODS, EloSettings, Evidence, Forecast, PairCounts, Rated, RatedStanding, forecast
from leaderboard.connectivity import apart, groups
from leaderboard.ratings import (
    BradleyTerryResult,
    DavidsonResult,
    EloResult,
    OrderFreeResult,
    StyleControlResult,
    rate_davidson,
)
from leaderboard.standings import rated_standings

KEPT = 32
ELO = "elo"
SHARED_BY_CHANCE = 0.05  # a swap in fewer orders than this is not worth a sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedBoard:
    """A selection of votes, rated by one method.

    `standings` lists the models with a vote in the selection; `specs` may know more. `elo` is the arena's own, now or
    at the end of the selection's last day; its other filters do not move it. `last_vote_day` and `last_vote_at` are of
    the selection's last vote, counted or not, as far as known. `remarks` are plain sentences on what it cannot tell.
    """

    version: int
    method: str
    selection: Selection
    standings: tuple[RatedStanding, ...]
    rated: Rated
    counts: PairCounts
    specs: Mapping[str, ModelSpec]
    elo: Mapping[str, float]
    votes: int
    left_out: Mapping[str, int]
    last_vote_day: date | None
    last_vote_at: datetime | None
    remarks: tuple[str, ...]


class RatedBoards:
    """Rates what is asked for, once per version of the board; safe to call from many threads."""

    def __init__(self, read: Queries) -> None:
        self._votes = KeptVotes(read)
        self._lock = Lock()
        self._kept: OrderedDict[tuple[int, str, Selection, bool], RatedBoard] = OrderedDict()

    def rated(self, live: Board, *, method: str, selection: Selection, order_by_elo: bool) -> RatedBoard:
        """The selection rated by `method`; `live` is the board of this moment, or at the selection's last day's end.

        Raises:
            CannotRate: the method needs more than these votes tell, or there is no such method.
        """
        if method not in METHODS:
            raise CannotRate(f"There is no rating method {method!r}: choose one of {', '.join(METHODS)}.")
        key = (live.version, method, selection, order_by_elo)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = self._rate(live, method=method, selection=selection, order_by_elo=order_by_elo)
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return made

    def forecast(self, live: Board, model_a: str, model_b: str, *, method: str, selection: Selection) -> Forecast:
        """A against B on that board; models by permanent name.

        Raises:
            CannotRate: as `rated`; or the method gives no interval; or a model has no vote in the selection.
        """
        board = self.rated(live, method=method, selection=selection, order_by_elo=False)
        if not isinstance(board.rated, BradleyTerryResult | StyleControlResult):
            raise CannotRate(f"{METHODS[method].title} gives no chance with an interval: choose Bradley–Terry.")
        for model in (model_a, model_b):
            if model not in board.counts.names:
                raise CannotRate(f"{live.specs[model].display_name} has no vote here yet: battles must come first.")
        davidson = rate_davidson(Evidence(counts=board.counts))
        made = forecast(
            board.rated,
            model_a,
            model_b,
            counts=board.counts,
            davidson=davidson,
            elo=board.elo or None,
            elo_scale=live.elo.scale,
        )
        groups_shown = tuple(tuple(_shown(name, live.specs) for name in part) for part in board.rated.groups)
        shown = (_shown(model_a, live.specs), _shown(model_b, live.specs))
        return replace(made, reason=apart(groups_shown, *shown)) if made.reason else made

    def _rate(self, live: Board, *, method: str, selection: Selection, order_by_elo: bool) -> RatedBoard:
        kept = method == ELO and replace(selection, until=None) == EVERYTHING
        in_order = METHODS[method].needs_order and not kept
        votes = self._votes.selected(selection, in_order=in_order, with_styles=METHODS[method].needs_style)
        counts = _counts_of(votes)
        elo = {standing.model: standing.elo for standing in live.standings} if selection.sources == {ARENA} else {}
        evidence = Evidence(
            counts=counts,
            games=votes.games,
            styles=votes.styles,
            left_out=votes.left_out,
            version=votes.version,
        )
        rated = _kept_elo(elo, evidence, live.elo) if kept else _rate(method, evidence, settings=live.elo)
        return RatedBoard(
            version=votes.version,
            method=method,
            selection=selection,
            standings=rated_standings(rated, counts=counts, elo=elo, order_by=elo if order_by_elo and elo else None),
            rated=rated,
            counts=counts,
            specs=_with_strangers(live.specs, counts.names),
            elo=elo,
            votes=rated.votes,
            left_out=rated.left_out,
            last_vote_day=votes.last_vote.day,
            last_vote_at=votes.last_vote.at,
            remarks=tuple(_remarks(rated, counts, live, selection=selection, undated=votes.undated)),
        )


def _with_strangers(specs: Mapping[str, ModelSpec], names: Iterable[str]) -> Mapping[str, ModelSpec]:
    """Models of imported files, too, of which no more than the name is known."""
    strangers = {name: ModelSpec(name=name, provider="", display_name=name) for name in names if name not in specs}
    return {**specs, **strangers}


def _counts_of(votes: SelectedVotes) -> PairCounts:
    names = sorted({name for tally in votes.tallies for name in (tally.model_a, tally.model_b)})
    return PairCounts.from_tallies(names, votes.tallies)


def _rate(method: str, evidence: Evidence, *, settings: EloSettings) -> Rated:
    reason = METHODS[method].cannot_rate(evidence)
    if reason is not None:
        raise CannotRate(reason)
    return METHODS[method].rate(evidence, settings=settings if method == ELO else None)


def _kept_elo(elo: Mapping[str, float], evidence: Evidence, settings: EloSettings) -> EloResult:
    """What folding all of the arena's votes would give, to the last bit: the Elo that is kept with each vote."""
    return EloResult(
        ratings={name: elo[name] for name in evidence.counts.names},
        settings=settings,
        votes=evidence.counts.votes,
        left_out=evidence.left_out,
        version=evidence.version,
    )


def _remarks(rated: Rated, counts: PairCounts, live: Board, *, selection: Selection, undated: int) -> list[str]:
    specs = live.specs
    remarks = []
    if counts.names and selection.sources == {ARENA} and replace(selection, until=None) != EVERYTHING:
        then = f" up to the end of {selection.until}" if selection.until else ""
        remarks.append(f"The Elo column follows every vote that counts{then}, whatever the other filters say.")
    if undated:
        remarks.append(f"Votes without a time lie in no range of days: {undated:,} are not counted here.")
    parts = groups(counts)
    if len(parts) > 1:
        named = " · ".join(", ".join(_shown(name, specs) for name in part) for part in parts)
        remarks.append(
            f"These {len(parts)} groups have never met, not even through others, so their scores cannot be compared: "
            f"{named}."
        )
    if isinstance(rated, OrderFreeResult):
        remarks.extend(_swaps(rated, specs))
    if isinstance(rated, DavidsonResult):
        remarks.append("Davidson's strengths count ties apart: they do not fit the win-probability formula.")
    there = {standing.model for standing in live.standings} - set(counts.names)
    idle = [spec.display_name for name, spec in specs.items() if name in there and spec.state == "enabled"]
    if idle and counts.names:
        remarks.append(f"Without a vote here: {', '.join(sorted(idle))}.")
    return remarks


def _swaps(rated: OrderFreeResult, specs: Mapping[str, ModelSpec]) -> list[str]:
    """How often neighbours on the board would stand the other way round in another order of the same votes."""
    ratings = rated.ratings
    order = sorted(ratings, key=lambda name: -ratings[name])
    swaps = [(rated.swap_share(a, b), a, b) for a, b in pairwise(order)]
    return [
        f"{_shown(a, specs)} and {_shown(b, specs)} swap places in {share:.0%} of vote orders."
        for share, a, b in sorted(swaps, reverse=True)[:3]
        if share >= SHARED_BY_CHANCE
    ]


def _shown(name: str, specs: Mapping[str, ModelSpec]) -> str:
    return specs[name].display_name if name in specs else name
