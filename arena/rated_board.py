"""The board of any selection by any method, made when asked for and kept until the votes move."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import pairwise

from arena.background import Background, Order
from arena.board import Board
from arena.domain import ModelSpec
from arena.errors import CannotRate
from arena.kept_votes import KeptLosses, KeptVotes
from arena.numerals import verb
from arena.selection import ARENA, EVERYTHING, Selection
from arena.store import Queries, SelectedVotes
from leaderboard import METHODS, EloSettings, Evidence, Forecast, PairCounts, Rated, RatedStanding, forecast
from leaderboard.connectivity import apart, groups
from leaderboard.over_time import DayScore, has_history, scores_over_time
from leaderboard.ratings import (
    BradleyTerryResult,
    DavidsonResult,
    EloResult,
    OrderFreeResult,
    StyleControlResult,
    rate_davidson,
)
from leaderboard.standings import by_score, rated_standings

ELO = "elo"
DAYS_DRAWN = 60
# One more vote moves the last of 60 days by a hair: a twentieth of a processor is enough for a history that is watched.
HISTORY_RESTS = 20.0
# Measured, in microseconds per vote: reading votes one by one, how their answers are written, and tallies that few
# votes share.
READ_IN_ORDER_US = 2.5
READ_STYLES_US = 4.5
READ_COUNTED_US = 1.5
FAILED_LOSES = (
    "A failed answer loses here: battles without a vote count as won by the side that was fine. Nobody judged these "
    "battles; no vote and no Elo is changed by them, so the score orders this board."
)
SHARED_BY_CHANCE = 0.05  # a swap in fewer orders than this is not worth a sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedBoard:
    """A selection of votes, rated by one method; made when vote number `as_of_vote` was the arena's last.

    `standings` lists the models with a vote in the selection; `specs` may know more. `elo` is the arena's own, now or
    at the end of the selection's last day; its other filters do not move it. `last_vote_day` and `last_vote_at` are of
    the selection's last vote, counted or not, as far as known. `remarks` are plain sentences on what it cannot tell.
    `failed_lost` battles without a vote are rated beside the `votes`, where a failed answer loses in this selection;
    they are in `counts`, and in the figures of each line.
    """

    version: int
    as_of_vote: int
    method: str
    selection: Selection
    standings: tuple[RatedStanding, ...]
    rated: Rated
    counts: PairCounts
    specs: Mapping[str, ModelSpec]
    elo: Mapping[str, float]
    votes: int
    failed_lost: int
    left_out: Mapping[str, int]
    last_vote_day: date | None
    last_vote_at: datetime | None
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreHistory:
    """How the scores of a selection moved: by day, then by model; of the board's version `version`."""

    version: int
    method: str
    scores: tuple[DayScore, ...]


class RatedBoards:
    """Rates what is asked for, once per version of the board; safe to call from many threads.

    What takes long is rated in the background. Until that is done there is an older board, by its `version` and
    `as_of_vote`, or BeingRated is raised; `wait` rates at once instead, however long it takes.
    """

    def __init__(self, read: Queries, *, background: Background | None = None) -> None:
        self._read = read
        self._votes = KeptVotes(read)
        self._lost = KeptLosses(read)
        self._background = background or Background()

    def rated(
        self, live: Board, *, method: str, selection: Selection, order_by_elo: bool, wait: bool = False
    ) -> RatedBoard:
        """The selection rated by `method`; `live` is the board of this moment, or at the selection's last day's end.

        Raises:
            CannotRate: the method needs more than these votes tell, or there is no such method.
            BeingRated: the first board of this selection and method is on its way.
        """
        if method not in METHODS:
            raise CannotRate(f"There is no rating method {method!r}: choose one of {', '.join(METHODS)}.")
        if selection.failed_loses and METHODS[method].needs_order:
            raise CannotRate(
                f"{METHODS[method].title} follows votes one by one, and a battle that a failed answer loses has no "
                "place among them: choose Bradley–Terry or Davidson, or let failed answers count nothing."
            )
        order = Order(
            key=("board", method, selection, self._lost.so_far(selection)),
            version=live.version,
            make=lambda: self._rate(live, method=method, selection=selection),
            seconds=self._seconds(live, method, selection),
            title=METHODS[method].title,
        )
        board = self._background.get(order, wait=wait)
        if board.version < live.version:
            board = replace(board, specs=_with_strangers(live.specs, board.counts.names))
        return board if order_by_elo or not board.elo else replace(board, standings=by_score(board.standings))

    def score_history(self, live: Board, *, method: str, selection: Selection, wait: bool = False) -> ScoreHistory:
        """The scores at the end of up to `DAYS_DRAWN` days with votes; without votes of a known day there are none.

        While votes come in it may be of a slightly older version of the board.

        Raises:
            CannotRate: there is no such method, or its scores cannot be told day by day.
            BeingRated: as `rated`.
        """
        if method not in METHODS or not has_history(method):
            known = ", ".join(filter(has_history, METHODS))
            raise CannotRate(f"{method!r} gives no scores over time: choose one of {known}.")
        order = Order(
            key=("history", method, selection, self._lost.so_far(selection)),
            version=live.version,
            make=lambda: self._scores(live, method=method, selection=selection),
            seconds=self._seconds(live, method, selection) + DAYS_DRAWN * _seconds_per_day(len(live.standings)),
            title=f"{METHODS[method].title} over time",
            rest=HISTORY_RESTS,
        )
        return self._background.get(order, wait=wait)

    def forecast(
        self, live: Board, model_a: str, model_b: str, *, method: str, selection: Selection, wait: bool = False
    ) -> Forecast:
        """A against B on that board; models by permanent name.

        Raises:
            CannotRate: as `rated`; or the method gives no interval; or a model has no vote in the selection.
            BeingRated: as `rated`.
        """
        board = self.rated(live, method=method, selection=selection, order_by_elo=True, wait=wait)
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

    def _rate(self, live: Board, *, method: str, selection: Selection) -> RatedBoard:
        kept = _is_kept(method, selection)
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
            as_of_vote=votes.last_seq,
            method=method,
            selection=selection,
            standings=rated_standings(rated, counts=counts, elo=elo, order_by=elo or None),
            rated=rated,
            counts=counts,
            specs=_with_strangers(live.specs, counts.names),
            elo=elo,
            votes=rated.votes - votes.failed_lost,
            failed_lost=votes.failed_lost,
            left_out=rated.left_out,
            last_vote_day=votes.last_vote.day,
            last_vote_at=votes.last_vote.at,
            remarks=tuple(_remarks(rated, counts, live, selection=selection, undated=votes.undated)),
        )

    def _scores(self, live: Board, *, method: str, selection: Selection) -> ScoreHistory:
        days = self._read.counts_over_time(selection, days=DAYS_DRAWN)
        return ScoreHistory(version=live.version, method=method, scores=scores_over_time(days, method=method))

    def _seconds(self, live: Board, method: str, selection: Selection) -> float:
        """How long a rating takes, roughly: how many votes there are to read, and what the method does with each."""
        own = live.votes if ARENA in selection.sources else 0
        files = self._read.sources() if selection.sources != {ARENA} else ()
        chosen = [source for source in files if source.name in selection.sources]
        votes = own + sum(source.votes for source in chosen)
        us_per_vote = METHODS[method].us_per_vote
        if METHODS[method].needs_order and not _is_kept(method, selection):
            us_per_vote += READ_IN_ORDER_US
        if METHODS[method].needs_style:
            us_per_vote += READ_STYLES_US
        tallied = own + sum(source.votes for source in chosen if not source.tallies_only)
        return 1e-6 * (us_per_vote * votes + READ_COUNTED_US * tallied)


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


def _seconds_per_day(models: int) -> float:
    """Of a history: measured at 20, 100 and 300 models."""
    return 0.0005 + 0.0013 * math.pow(models / 100, 2.3)


def _is_kept(method: str, selection: Selection) -> bool:
    """Whether the rating is the Elo that is kept with each vote."""
    return method == ELO and replace(selection, until=None) == EVERYTHING


def _kept_elo(elo: Mapping[str, float], evidence: Evidence, settings: EloSettings) -> EloResult:
    """What folding all of the arena's votes would give, to the last bit."""
    return EloResult(
        ratings={name: elo.get(name, settings.start) for name in evidence.counts.names},
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
    if selection.failed_loses:
        remarks.append(FAILED_LOSES)
    if undated:
        remarks.append(
            f"Votes without a time lie in no range of days: {undated:,} {verb(undated, 'is', 'are')} not counted here."
        )
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
