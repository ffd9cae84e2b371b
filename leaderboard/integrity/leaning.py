"""Who leans further away from the board than people do.

People differ, so that the leanings t of honest groups scatter about a middle with a spread, which is estimated from the
lines themselves. How surprising a line is: by how much the best t of all explains its votes better than the best t that
the spread allows,

    surprise = max_t l(t) - max_t (l(t) - (t - middle)^2 / (2 spread^2)),        p <= 2 exp(-surprise).

For a known t that is Chernoff's bound (W. Hoeffding, JASA 58 (1963), 13-30, doi:10.1080/01621459.1963.10500830), which
errs on the safe side for ten votes, too, where a normal approximation does not. The log-likelihood l is divided by the
voter's dispersion (P. McCullagh, J. A. Nelder, Generalized Linear Models, 2nd ed. 1989, section 9.2).
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from leaderboard.integrity.lines import Kinds, Lines
from leaderboard.integrity.tails import false_shares
from leaderboard.integrity.votes import POINTS, Floats, Indices, Mask, chance_of, summed

_NEWTON_STEPS = 16
_LARGEST_STEP = 1.0
_FARTHEST = 8.0
# Nobody nearer than so many standard deviations is ever found: no exact figure is needed.
_NEAR = 1.5
_ONE_SIGMA = 0.6827
# With fewer lines to learn from, a spread is what is usual.
_LEAST_LINES = 40


class Range(NamedTuple):
    """Where a spread may lie, and what it is taken for as long as there are too few votes to tell."""

    least: float
    usual: float
    most: float


# Log-odds for models (25, 60 and 150 rating points) and for the side; a share of the board's own log-odds.
_TASTE = Range(25.0 / POINTS, 60.0 / POINTS, 150.0 / POINTS)
_SIDE = Range(0.15, 0.2, 0.6)
_BOARD = Range(0.2, 0.3, 0.6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spreads:
    """How far honest voters scatter, as standard deviations of t; `middle` is how far all lean against the board."""

    taste: float
    side: float
    board: float
    middle: float

    def of(self, kind: Indices, kinds: Kinds) -> Floats:
        """The spread of each kind of line."""
        return np.where(kind == kinds.side, self.side, np.where(kind == kinds.board, self.board, self.taste))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Leanings:
    """The clearest leaning of each of G groups; where there was nothing to test, it is of no surprise.

    Args:
        kind: int64[G], see `Kinds`.
        surprise: float64[G], 0 or more.
        shift: float64[G], t as far as the spread allows it; negative is away from the model, side A or the board.
        false_share: float64[G], the share of wrong findings among all that are as clear, 0 to 1.
    """

    kind: Indices
    surprise: Floats
    shift: Floats
    false_share: Floats

    def of(self, groups: Indices) -> Self:
        """Those of some groups."""
        return type(self)(
            kind=self.kind[groups],
            surprise=self.surprise[groups],
            shift=self.shift[groups],
            false_share=self.false_share[groups],
        )


def estimate_spreads(lines: Lines, *, honest: Mask, least_votes: int) -> Spreads:
    """Learn how far people scatter from the groups taken for honest, bool[G], with so many votes in a line.

    A spread is right when 68 % of the lines lie within one standard deviation of the expected. Solved for the spread
    that is one quantile, which a third of bad lines cannot carry away.
    """
    kinds = lines.kinds
    usable = honest[lines.group] & (lines.votes >= least_votes) & (lines.weight > 0.0)
    of_board = usable & (lines.kind == kinds.board)
    weight = float(lines.weight[of_board].sum())
    middle = float(lines.push[of_board].sum()) / weight if weight else 0.0
    return Spreads(
        taste=_spread(lines, usable & (lines.kind < kinds.models), middle=0.0, within=_TASTE),
        side=_spread(lines, usable & (lines.kind == kinds.side), middle=0.0, within=_SIDE),
        board=_spread(lines, of_board, middle=middle, within=_BOARD),
        middle=middle,
    )


def find_leanings(
    lines: Lines, spreads: Spreads, *, least_votes: int, between_groups: float = 0.0, models_only: bool = False
) -> Leanings:
    """Find each group's clearest leaning, corrected for its number of lines and then for the number of groups.

    Args:
        lines: what the groups did.
        spreads: how far honest voters scatter.
        least_votes: lines with fewer votes are no test.
        between_groups: how far honest groups scatter beyond what their members explain, in log-odds.
        models_only: neither the side nor the board as a whole is tested.
    """
    tested = (lines.votes >= least_votes) & (lines.weight > 0.0)
    if models_only:
        tested &= lines.kind < lines.kinds.models
    middle = np.where(lines.kind == lines.kinds.board, spreads.middle, 0.0)
    variance = np.square(spreads.of(lines.kind, lines.kinds)) * lines.spreads + lines.unknown + between_groups**2
    away = lines.push - middle * lines.weight
    far = np.abs(away) > _NEAR * np.sqrt(lines.noise + np.square(lines.weight) * variance)
    # To agree with everybody is no offence.
    far &= (lines.kind != lines.kinds.board) | (away < 0.0)
    return _by_group(lines, tested, _exactly(lines, tested & far, middle=middle, variance=variance))


def _spread(lines: Lines, usable: Mask, *, middle: float, within: Range) -> float:
    if np.count_nonzero(usable) < _LEAST_LINES:
        return within.usual
    push = lines.push[usable] - middle * lines.weight[usable]
    squared = (np.square(push) - lines.noise[usable]) / np.square(lines.weight[usable]) - lines.unknown[usable]
    needed = float(np.quantile(squared / lines.spreads[usable], _ONE_SIGMA))
    return float(np.clip(np.sqrt(max(needed, 0.0)), within.least, within.most))


class _Exact(NamedTuple):
    surprise: Floats
    shift: Floats


def _exactly(lines: Lines, picked: Mask, *, middle: Floats, variance: Floats) -> _Exact:
    """float64[s] both: the surprise of the picked lines and their shift, 0 for all others."""
    picks = np.flatnonzero(picked)
    place = np.full(lines.group.size, -1)
    place[picks] = np.arange(picks.size)
    entries = _entries(lines, place)
    free = _climb(entries, middle[picks], precision=np.zeros(picks.size))
    bound = _climb(entries, middle[picks], precision=1.0 / variance[picks])
    surprise, shift = np.zeros(picked.size), np.zeros(picked.size)
    surprise[picks] = np.maximum(free.likelihood - bound.likelihood, 0.0)
    shift[picks] = bound.shift
    return _Exact(surprise, shift)


class _Entries(NamedTuple):
    place: Indices
    logit: Floats
    score: Floats
    feature: Floats
    weight: Floats


def _entries(lines: Lines, place: Indices) -> _Entries:
    """The votes of the lines that have a place, with the middle as it was."""
    kept = []
    for stream in lines.streams:
        to = place[stream.line]
        here = to >= 0
        kept.append([to[here], *(column[here] for column in stream[1:])])
    to, logit, score, feature, dispersion = (np.concatenate(columns) for columns in zip(*kept, strict=True))
    return _Entries(to, logit, score, feature, 1.0 / dispersion)


class _Top(NamedTuple):
    shift: Floats
    likelihood: Floats


def _climb(entries: _Entries, middle: Floats, *, precision: Floats) -> _Top:
    """Newton's method for many lines at once; a likelihood without a top is left far out, where it is flat."""
    place, logit, score, feature, weight = entries
    shift = middle.copy()
    for _ in range(_NEWTON_STEPS):
        chance = chance_of(logit + shift[place] * feature)
        slope = summed(place, weight * feature * (score - chance), shift.size) - precision * (shift - middle)
        bend = summed(place, weight * feature**2 * chance * (1.0 - chance), shift.size) + precision
        step = np.clip(slope / np.maximum(bend, np.finfo(np.float64).tiny), -_LARGEST_STEP, _LARGEST_STEP)
        shift = np.clip(shift + step, -_FARTHEST, _FARTHEST)
    at = logit + shift[place] * feature
    likelihood = summed(place, weight * (score * at - np.logaddexp(0.0, at)), shift.size)
    return _Top(shift, likelihood - 0.5 * precision * np.square(shift - middle))


def _by_group(lines: Lines, tested: Mask, exact: _Exact) -> Leanings:
    tests = summed(lines.group[tested], np.ones(np.count_nonzero(tested)), lines.groups)
    order = np.argsort(exact.surprise, kind="stable")
    clearest = np.zeros(lines.groups, np.int64)
    clearest[lines.group[order]] = order  # the last one written stays
    surprise = exact.surprise[clearest]
    shares = np.ones(lines.groups)
    p_values = np.minimum(1.0, 2.0 * tests * np.exp(-surprise))
    shares[tests > 0] = false_shares(p_values[tests > 0])
    return Leanings(kind=lines.kind[clearest], surprise=surprise, shift=exact.shift[clearest], false_share=shares)
