"""Models on which voters who are not trusted disagree with those who are, and the gate that ends the disagreement.

Votes that are spread over many accounts and days look like nobody's in particular; together they still move a model
away from where the trusted voters put it. All suspects are tested as one group. For a model in alarm the gate holds
their votes on it back, beginning with the voter who leans most clearly, until what is left agrees with the reference.
"""

from dataclasses import dataclass

import numpy as np

from leaderboard.integrity.ballots import Ballots
from leaderboard.integrity.leaning import Spreads, find_leanings
from leaderboard.integrity.lines import draw_lines
from leaderboard.integrity.reference import Reference, fit_reference
from leaderboard.integrity.residuals import PeelSettings
from leaderboard.integrity.votes import Indices, Mask, VoteTable

_TINY = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Disagreement:
    """A model in alarm.

    Args:
        model: its index.
        shift: how far the suspects' votes put it above the reference, in log-odds; negative is below.
        false_share: the probability of such an alarm on any model where there is nothing.
        rows: the votes that the gate holds back, places in the ballots.
    """

    model: int
    shift: float
    false_share: float
    rows: Indices


def find_disagreements(
    ballots: Ballots, votes: VoteTable, *, suspects: Mask, members: Mask, spreads: Spreads, settings: PeelSettings
) -> tuple[Disagreement, ...]:
    """Find the models in alarm, the clearest first; with each the gate closes before the next one is looked for.

    Args:
        ballots: all battles.
        votes: what the reference is fitted from.
        suspects: bool[V], whose votes are tested.
        members: bool[V], the reference voters, nobody of them a suspect.
        spreads: how far honest voters scatter.
        settings: how to test.
    """
    reference = fit_reference(votes, members=members, cap=settings.cap)
    gated = np.zeros(len(ballots), np.bool_)
    found: dict[int, Disagreement] = {}
    while True:
        suspected = VoteTable.of(ballots, voters=suspects, without=gated)
        alarm = _clearest(suspected, reference, spreads=spreads, settings=settings)
        if alarm is None or alarm.model in found:
            return tuple(found.values())
        found[alarm.model] = alarm
        gated[alarm.rows] = True


def _clearest(
    suspected: VoteTable, reference: Reference, *, spreads: Spreads, settings: PeelSettings
) -> Disagreement | None:
    together = draw_lines(suspected, reference, group_of=np.zeros(suspected.voters, np.int64), groups=1)
    leanings = find_leanings(
        together,
        spreads,
        least_votes=settings.least_votes,
        between_groups=settings.between_groups,
        models_only=True,
    )
    shift, false_share = float(leanings.shift[0]), float(leanings.false_share[0])
    if false_share > settings.false_share or abs(shift) < settings.least_shift:
        return None
    model = int(leanings.kind[0])
    rows = _gate(suspected, reference, model=model, upwards=shift > 0.0)
    return Disagreement(model=model, shift=shift, false_share=false_share, rows=rows)


def _gate(suspected: VoteTable, reference: Reference, *, model: int, upwards: bool) -> Indices:
    """The votes on a model of those who lean most clearly, as few voters as bring the others to agree."""
    everyone = np.arange(suspected.voters)
    lines = draw_lines(suspected, reference, group_of=everyone, groups=suspected.voters)
    own = np.flatnonzero(lines.kind == model)
    push = lines.push[own] if upwards else -lines.push[own]
    order = np.argsort(-push / np.sqrt(np.maximum(lines.noise[own], _TINY)), kind="stable")
    left = push.sum() - np.cumsum(push[order])
    enough = 1 + int(np.argmax(left <= _TINY))
    held = np.zeros(suspected.voters, np.bool_)
    held[lines.group[own[order[:enough]]]] = True
    on_model = (suspected.seat_a == model) | (suspected.seat_b == model)
    rows: Indices = suspected.row[on_model & held[suspected.voter]]
    return rows
