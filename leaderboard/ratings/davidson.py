"""Davidson: Bradley-Terry with ties as an outcome of their own, for the split into win, tie and loss.

With strengths pi and one tie parameter v: win : tie : loss = pi_i : 2 v sqrt(pi_i pi_j) : pi_j. Source: R. R. Davidson,
On extending the Bradley-Terry model to accommodate ties, JASA 65 (1970), 317-328, doi:10.1080/01621459.1970.10481082;
v as in M. E. J. Newman, Efficient computation of rankings, JMLR 24 (2023), section 4 (Davidson's own nu is 2 v).

These strengths are odds among decided votes only. They lie further apart than Bradley-Terry's with half a win for a
tie (1.58 times on Chatbot Arena), so that the half-tie win formula must never be fed with them: `split` is theirs.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from leaderboard.connectivity import groups, without_maximum
from leaderboard.estimate import Anchor, Estimate, anchored, refuse_settings, symmetric_estimate
from leaderboard.games import PairCounts
from leaderboard.method import Evidence, NoRating
from leaderboard.pair_maths import Matrix, Slope, climb, laplacian, spread_of, virtual_votes

# e ** 300 is far from overflow, and its inverse cannot be told from 0.
_LARGEST_GAP = 600.0


class Split(NamedTuple):
    """The chances that A's answer is preferred, that neither is, and that B's is; they sum to 1."""

    win: float
    tie: float
    loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DavidsonSettings:
    """As in `BradleyTerrySettings`; a virtual vote here is a third of a win, of a tie and of a loss.

    Raises:
        ValueError: a number makes no sense; the message names it.
    """

    start: float = 1000.0
    scale: float = 400.0
    anchor: Anchor | None = None
    prior: float = 1.0
    level: float = 0.95

    def __post_init__(self) -> None:
        refuse_settings(start=self.start, scale=self.scale, prior=self.prior, level=self.level)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DavidsonResult:
    """A board rated; `ratings` put Davidson's strengths on a scale of 400 points per factor 10 in decided odds.

    `tie` is v: two equal models tie with the chance v / (1 + v). `log_strengths` are natural, with mean 0.
    """

    estimate: Estimate
    log_strengths: Matrix
    tie: float
    settings: DavidsonSettings
    votes: int
    iterations: int
    groups: tuple[tuple[str, ...], ...]
    left_out: Mapping[str, int]
    version: int | None
    method: str = "davidson"

    @property
    def ratings(self) -> Mapping[str, float]:
        """Points by model; for the order of the board, never for the half-tie win formula."""
        return self.estimate.ratings

    def split(self, model_a: str, model_b: str) -> Split:
        """Win, tie and loss of A against B; ValueError for a name that is not here."""
        i, j = self.estimate.index(model_a), self.estimate.index(model_b)
        gap = float(np.clip(self.log_strengths[i] - self.log_strengths[j], -_LARGEST_GAP, _LARGEST_GAP))
        win, loss, tie = math.exp(gap / 2.0), math.exp(-gap / 2.0), 2.0 * self.tie
        total = win + tie + loss
        return Split(win=win / total, tie=tie / total, loss=loss / total)


def rate_davidson(evidence: Evidence, *, settings: DavidsonSettings | None = None) -> DavidsonResult:
    """Rate a source of votes from its counts; tie and both-bad are both ties.

    Raises:
        NoRating: the prior is 0 and the votes alone give no finite strengths.
        ValueError: the anchor is not on the board.
    """
    settings = settings or DavidsonSettings()
    counts = evidence.counts
    if not settings.prior:
        _refuse_without_maximum(counts)
    m = len(counts.names)
    board = _Board.of(counts, prior=settings.prior)
    fit = climb(board.slope, start=np.zeros(m + 1), pinned=m)
    strengths = fit.strengths[:m] - (fit.strengths[:m].mean() if m else 0.0)
    points = settings.scale / math.log(10.0)
    spread = spread_of(board.slope(fit.strengths).information, pinned=m)[:m, :m]
    estimate = symmetric_estimate(
        counts.names,
        anchored(counts.names, settings.start + points * strengths, settings.anchor),
        points**2 * spread,
        level=settings.level,
    )
    strengths.setflags(write=False)
    return DavidsonResult(
        estimate=estimate,
        log_strengths=strengths,
        tie=math.exp(float(fit.strengths[m])),
        settings=settings,
        votes=counts.votes,
        iterations=fit.iterations,
        groups=groups(counts),
        left_out=evidence.left_out,
        version=evidence.version,
    )


def _refuse_without_maximum(counts: PairCounts) -> None:
    ties = int((counts.ties + counts.both_bad).sum()) // 2
    if why := without_maximum(counts):
        raise NoRating(f"{why} Rate with a prior above 0.")
    if ties in (0, counts.votes):
        raise NoRating(f"{ties} of {counts.votes} votes are ties, which no finite tie parameter fits. Use a prior.")


@dataclass(frozen=True, slots=True, eq=False)
class _Board:
    """float64[M, M] each, with the virtual votes added; a tie parameter's own vote keeps an empty board finite."""

    wins: Matrix
    ties: Matrix
    votes: Matrix
    lone: float

    @staticmethod
    def of(counts: PairCounts, *, prior: float) -> "_Board":
        third = virtual_votes(len(counts.names), prior) / 3.0
        wins, ties = counts.wins + third, (counts.ties + counts.both_bad) + third
        return _Board(wins, ties, wins + wins.T + ties, lone=1.0 if len(counts.names) < 2 else 0.0)  # noqa: PLR2004

    def slope(self, at: Matrix) -> Slope:
        """Exponential family: statistics minus their means, and their covariance.

        Each vote has x = 1/2, 0 or -1/2 for win, tie and loss of i, which belongs to theta_i - theta_j, and t = 1 for
        a tie, which belongs to ln v.
        """
        m = len(self.wins)
        strengths, tie = at[:m], math.exp(min(float(at[m]), _LARGEST_GAP))
        half = np.clip(0.5 * (strengths[:, None] - strengths[None, :]), -0.5 * _LARGEST_GAP, 0.5 * _LARGEST_GAP)
        won = np.exp(half)
        total = won + won.T + 2.0 * tie
        won, tied = won / total, 2.0 * tie / total
        lost = won.T
        information = np.empty((m + 1, m + 1))
        # Var x = (w + l - (w - l)^2) / 4 and the like, written without differences of nearly equal numbers.
        information[:m, :m] = laplacian(self.votes * (won * lost + 0.25 * tied * (won + lost)))
        information[:m, m] = information[m, :m] = -(self.votes * 0.5 * (won - lost) * tied).sum(axis=1)
        lone = tie / (1.0 + tie)
        information[m, m] = 0.5 * (self.votes * tied * (won + lost)).sum() + self.lone * lone * (1.0 - lone)
        gradient = np.empty(m + 1)
        unexpected = self.wins * (lost + 0.5 * tied) - 0.5 * self.ties * won
        gradient[:m] = (unexpected - unexpected.T).sum(axis=1)
        decided = 0.5 * (self.wins + self.wins.T) * tied
        gradient[m] = (0.5 * self.ties * (won + lost) - decided).sum() + self.lone * (0.5 - lone)
        return Slope(gradient, information)
