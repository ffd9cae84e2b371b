"""Voters who came on the same day, or from the same network, and lean the same way.

Ten votes of one account show little; forty accounts that were made for one purpose show it together. Each cohort of
voters who are not trusted is tested like one voter, against the board without it. Since its members cannot be told
apart, all of them are found.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaderboard.integrity.ballots import UNKNOWN, Ballots
from leaderboard.integrity.leaning import Leanings, Spreads
from leaderboard.integrity.residuals import PeelSettings, peel_groups
from leaderboard.integrity.votes import Indices, Mask, VoteTable


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cohorts:
    """The cohorts that lean too far; g of them.

    Args:
        key: int64[g], the sign-up day or the network.
        group_of: int64[V], which of the g each voter belongs to; `UNKNOWN` for none.
        leanings: of the g.
    """

    key: Indices
    group_of: Indices
    leanings: Leanings


def find_cohorts(
    ballots: Ballots,
    votes: VoteTable,
    *,
    key: NDArray[np.integer],
    without: Mask,
    suspects: Mask,
    members: Mask,
    spreads: Spreads,
    least_voters: int,
    settings: PeelSettings,
) -> Cohorts:
    """Test the cohorts of one sort.

    Args:
        ballots: all battles.
        votes: what the reference is fitted from.
        key: int[V], equal for the voters of a cohort; `UNKNOWN` for a voter of none.
        without: bool[n], votes that are held back already.
        suspects: bool[V], whose votes are tested.
        members: bool[V], the reference voters; a cohort's own part in it is taken out.
        spreads: how far honest voters scatter.
        least_voters: smaller cohorts are no cohorts.
        settings: how to test.
    """
    keys, group_of = _grouped(key, suspects, least_voters=least_voters)
    groups = keys.size + 1  # one without voters, so that there is always one
    suspected = VoteTable.of(ballots, voters=group_of != UNKNOWN, without=without)
    peeled = peel_groups(
        votes, suspected, group_of=group_of, groups=groups, members=members, settings=settings, spreads=spreads
    )
    found = np.flatnonzero(peeled.found)
    number = np.full(groups, UNKNOWN)
    number[found] = np.arange(found.size)
    return Cohorts(key=keys[found], group_of=number[group_of], leanings=peeled.leanings.of(found))


def _grouped(key: NDArray[np.integer], suspects: Mask, *, least_voters: int) -> tuple[Indices, Indices]:
    """The keys of the cohorts that are large enough, and each voter's place among them, or `UNKNOWN`."""
    of_cohort = suspects & (key != UNKNOWN)
    keys, size = np.unique(key[of_cohort].astype(np.int64), return_counts=True)
    keys = keys[size >= least_voters]
    place = np.searchsorted(keys, key)
    inside = of_cohort & (place < keys.size)
    inside[inside] = keys[place[inside]] == key[inside]
    return keys, np.where(inside, place, UNKNOWN)
