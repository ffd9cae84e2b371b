"""Each voter against the board without him, the oddest ones peeled off, until nobody odd is left in the reference.

Whoever pushes a model makes honest voters look as if they were against it. So only the voters that lean like the
clearest one (the same model, the same way) leave the reference in one round; then it is fitted anew and all are tested
again, those who left as well. The correction for many tests is Benjamini's and Hochberg's.
"""

from dataclasses import dataclass

import numpy as np

from leaderboard.integrity.leaning import Leanings, Spreads, estimate_spreads, find_leanings
from leaderboard.integrity.lines import draw_lines
from leaderboard.integrity.reference import fit_reference
from leaderboard.integrity.votes import Indices, Mask, VoteTable

# Attackers push few models; each round ends with one of them.
_MOST_ROUNDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class PeelSettings:
    """How to peel.

    Args:
        cap: a voter's votes on one model weigh as much as so many in the reference, at most.
        least_votes: fewer votes on a model, or in all, are no test.
        false_share: so large a share of the findings may be wrong.
        between_groups: how far honest groups of several voters scatter, in log-odds, beyond what the voters explain.
        least_shift: smaller leanings are left alone, in log-odds; a large group would show the smallest.
    """

    cap: float = 4.0
    least_votes: int = 5
    false_share: float = 0.1
    between_groups: float = 0.0
    least_shift: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Peeled:
    """The G groups after the last round.

    Args:
        found: bool[G], who leans too far.
        leanings: of all groups, against the reference without those who were found.
        spreads: how far the others scatter.
    """

    found: Mask
    leanings: Leanings
    spreads: Spreads


def peel_voters(votes: VoteTable, *, members: Mask, settings: PeelSettings) -> Peeled:
    """Find the voters whose votes the board without them does not expect; bool[V] `members` make up the board."""
    everyone = np.arange(votes.voters)
    return peel_groups(votes, votes, group_of=everyone, groups=votes.voters, members=members, settings=settings)


def peel_groups(
    votes: VoteTable,
    suspects: VoteTable,
    *,
    group_of: Indices,
    groups: int,
    members: Mask,
    settings: PeelSettings,
    spreads: Spreads | None = None,
) -> Peeled:
    """Find the groups whose votes the board without them does not expect.

    Args:
        votes: what the reference is fitted from.
        suspects: the votes to test.
        group_of: int64[V], the group of every voter; negative for none, which no voter among the suspects has.
        groups: how many there are, one or more.
        members: bool[V], the reference voters.
        settings: how to peel.
        spreads: how far honest voters scatter; by default the groups are voters, and it is learnt from them.
    """

    def measured(without: Mask) -> Peeled:
        outside = (group_of >= 0) & without[group_of]
        reference = fit_reference(votes, members=members & ~outside, cap=settings.cap)
        lines = draw_lines(suspects, reference, group_of=group_of, groups=groups)
        scatter = spreads or estimate_spreads(lines, honest=members & ~without, least_votes=settings.least_votes)
        leanings = find_leanings(
            lines, scatter, least_votes=settings.least_votes, between_groups=settings.between_groups
        )
        found = (leanings.false_share <= settings.false_share) & (np.abs(leanings.shift) >= settings.least_shift)
        return Peeled(found=found, leanings=leanings, spreads=scatter)

    gone, rounds = np.zeros(groups, np.bool_), 0
    result = measured(gone)
    while (new := result.found & ~gone).any() and rounds < _MOST_ROUNDS:
        gone |= _like_the_clearest(result.leanings, new)
        result, rounds = measured(gone), rounds + 1
    return result


def _like_the_clearest(leanings: Leanings, new: Mask) -> Mask:
    """The new ones that lean the way the clearest of them leans."""
    clearest = int(np.argmax(np.where(new, leanings.surprise, -1.0)))
    same_kind = leanings.kind == leanings.kind[clearest]
    like: Mask = new & same_kind & (np.sign(leanings.shift) == np.sign(leanings.shift[clearest]))
    return like
