"""What each group of voters did, line by line, against what the reference board expected of it.

A voter is a group of one. There is a line for every model that a group voted on, one for side A, and one for the board
as a whole. A line sums x (score - chance) over its votes, where x is 1, or for the board the expected log-odds: the
gradient of the log-likelihood if t x is added to the log-odds of every vote, at t = 0.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from leaderboard.integrity.reference import Reference
from leaderboard.integrity.votes import Floats, Indices, VoteTable, chance_of, summed

_TIE = 0.5
_LEAST_DISPERSION = 0.3
_TINY = 1e-12


class Kinds(NamedTuple):
    """What a line is about, as a number: one of the models by its index, then the side, then the board."""

    models: int

    @property
    def side(self) -> int:
        """Votes for side A, whatever stands there."""
        return self.models

    @property
    def board(self) -> int:
        """Votes with the board, or against it."""
        return self.models + 1


class Stream(NamedTuple):
    """One entry per vote: its line, expected log-odds and score as seen from there, x, and its dispersion."""

    line: Indices
    logit: Floats
    score: Floats
    feature: Floats
    dispersion: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lines:
    """s lines as columns.

    Args:
        groups: how many groups there are, with or without votes.
        kinds: how to read `kind`.
        group: int64[s].
        kind: int64[s].
        votes: float64[s], how many.
        push: float64[s], the sum of x (score - chance); push / weight estimates t.
        weight: float64[s], the sum of x^2 chance (1 - chance).
        noise: float64[s], the variance of the push by chance alone.
        spreads: float64[s], how often the squared spread of people counts in the variance of t: 1 for one voter and
            many opponents, up to 2 with one opponent, less where many voters make up a group.
        unknown: float64[s], what the uncertainty of the reference adds to the variance of t.
        streams: the votes that the lines are made of.
    """

    groups: int
    kinds: Kinds
    group: Indices
    kind: Indices
    votes: Floats
    push: Floats
    weight: Floats
    noise: Floats
    spreads: Floats
    unknown: Floats
    streams: tuple[Stream, ...]


class _Part(NamedTuple):
    """The lines of one sort; streams number them from 0."""

    group: Indices
    kind: Indices
    spreads: Floats
    unknown: Floats
    streams: tuple[Stream, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """Votes with what the reference expects of them, each group's own part in the reference taken out."""

    votes: VoteTable
    reference: Reference
    group_of: Indices
    groups: int
    logit: Floats
    flips: Floats
    dispersion: Floats

    def stream(self, line: Indices, feature: Floats) -> Stream:
        return Stream(line, self.logit, self.votes.score, feature, self.dispersion)

    def mirrored(self, line: Indices, feature: Floats) -> Stream:
        return Stream(line, -self.logit, 1.0 - self.votes.score, feature, self.dispersion)


def draw_lines(votes: VoteTable, reference: Reference, *, group_of: Indices, groups: int) -> Lines:
    """Compare votes with the reference.

    Args:
        votes: of whom a group is known.
        reference: the board to compare with.
        group_of: int64[V], the group of every voter who has votes here; of the others it is not read.
        groups: how many groups there are.
    """
    view = _view(votes, reference, group_of=group_of, groups=groups)
    kinds = Kinds(votes.models)
    parts = [
        _of_models(view),
        _of_all(view, votes.ones, kind=kinds.side),
        _of_all(view, view.logit, kind=kinds.board),
    ]
    return _joined(parts, groups=groups, kinds=kinds)


def _view(votes: VoteTable, reference: Reference, *, group_of: Indices, groups: int) -> _View:
    owner = np.maximum(group_of, 0)
    pull = np.stack([summed(owner, column * (group_of >= 0), groups) for column in reference.pull.T], axis=1)
    group = group_of[votes.voter]
    logit = reference.strengths[votes.seat_a] - reference.strengths[votes.seat_b]
    logit -= pull[group, votes.seat_a] - pull[group, votes.seat_b]
    chance = chance_of(logit)
    flips = chance * (1.0 - chance)
    return _View(votes, reference, owner, groups, logit, flips, _dispersion(votes, flips))


def _dispersion(votes: VoteTable, flips: Floats) -> Floats:
    """float64[k]: how far the voter of each vote scatters against coin flips, 1 without ties.

    A score with the mean p and a chance q of a tie has the variance p (1 - p) - q / 4. Flips at even odds are added as
    if four had been seen, so that a voter's first ties do not make him sure.
    """
    ties = votes.by_voter((votes.score == _TIE).astype(np.float64))
    by_voter = 1.0 - 0.25 * ties / (votes.by_voter(flips) + 1.0)
    return np.maximum(by_voter, _LEAST_DISPERSION)[votes.voter]


def _of_models(view: _View) -> _Part:
    votes, flips = view.votes, view.flips
    m = max(1, votes.models)
    keys, line = np.unique(view.group_of[votes.cells.voter] * m + votes.cells.model, return_inverse=True)
    weight = votes.by_cell(flips, flips)
    # The opponents' taste adds to that for the model itself, the less the more opponents there were.
    met = np.square(summed(votes.meeting, flips, len(votes.meeting_cells)))
    squares = np.square(weight) + votes.by_cell_of_meeting(met)
    vague = flips * view.reference.variances[votes.seat_a, votes.seat_b]
    total = np.maximum(summed(line, weight, keys.size), _TINY)
    return _Part(
        group=keys // m,
        kind=keys % m,
        spreads=summed(line, squares, keys.size) / np.square(total),
        unknown=summed(line, votes.by_cell(vague, vague), keys.size) / total,
        streams=(
            view.stream(line[votes.cell_a], votes.ones),
            view.mirrored(line[votes.cell_b], votes.ones),
        ),
    )


def _of_all(view: _View, feature: Floats, *, kind: int) -> _Part:
    votes = view.votes
    by_voter = votes.by_voter(np.square(feature) * view.flips)
    total = np.maximum(summed(view.group_of, by_voter, view.groups), _TINY)
    return _Part(
        group=np.arange(view.groups),
        kind=np.full(view.groups, kind),
        spreads=summed(view.group_of, np.square(by_voter), view.groups) / np.square(total),
        unknown=np.zeros(view.groups),
        streams=(view.stream(view.group_of[votes.voter], feature),),
    )


def _joined(parts: list[_Part], *, groups: int, kinds: Kinds) -> Lines:
    streams: list[Stream] = []
    begun = 0
    for part in parts:
        streams += [stream._replace(line=stream.line + begun) for stream in part.streams]
        begun += part.group.size
    votes, push, weight, noise = (np.zeros(begun) for _ in range(4))
    for line, logit, score, feature, dispersion in streams:
        chance = chance_of(logit)
        flips = np.square(feature) * chance * (1.0 - chance)
        votes += summed(line, np.ones(line.size), begun)
        push += summed(line, feature * (score - chance), begun)
        weight += summed(line, flips, begun)
        noise += summed(line, dispersion * flips, begun)
    return Lines(
        groups=groups,
        kinds=kinds,
        group=np.concatenate([part.group for part in parts]),
        kind=np.concatenate([part.kind for part in parts]),
        votes=votes,
        push=push,
        weight=weight,
        noise=noise,
        spreads=np.concatenate([part.spreads for part in parts]),
        unknown=np.concatenate([part.unknown for part in parts]),
        streams=tuple(streams),
    )
