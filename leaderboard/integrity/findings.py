"""What a sweep finds, in words and numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from leaderboard.integrity.lines import Kinds
from leaderboard.integrity.risk import Reason, Risk, Sign
from leaderboard.integrity.settings import IntegritySettings
from leaderboard.integrity.votes import POINTS

_EPOCH = date(1970, 1, 1)


class ReferenceVoters(StrEnum):
    """Whose votes the others were measured against."""

    TRUSTED = "trusted"
    EVERYBODY = "everybody"
    NOBODY = "nobody"
    """There were too few votes: only rules and concentration were tested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaning:
    """Where votes lean: to a model (negative points: away from it), to a side, or against the board as a whole.

    `points` are rating points; for the board, the share of its differences that the votes follow less (-1: not at all).
    """

    model: str | None
    sign: Sign
    points: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortFinding:
    """Voters of one sign-up day (`key` is the day) or one network (`key` is the network) who lean the same way."""

    sign: Sign
    key: int
    voters: tuple[int, ...]
    leaning: Leaning
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelAlarm:
    """A model on which the suspects disagree with the reference; `rows` of the ballots are held back for it."""

    model: str
    points: float
    rows: NDArray[np.int64]
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Findings:
    """The outcome of a sweep over n battles and V voters; the same input gives the same outcome.

    Args:
        settings: what was asked.
        reference: whose votes the others were measured against.
        risks: by voter, for whom there is any reason at all.
        vote_risk: float64[n], 0 to 1, of each vote; 0 for a battle without one.
        hold: bool[n], the votes to hold back.
        cohorts: the cohorts that were found; their voters have the reason, too.
        alarms: the models in alarm.
    """

    settings: IntegritySettings
    reference: ReferenceVoters
    risks: Mapping[int, Risk]
    vote_risk: NDArray[np.float64]
    hold: NDArray[np.bool_]
    cohorts: tuple[CohortFinding, ...]
    alarms: tuple[ModelAlarm, ...]

    @property
    def held_voters(self) -> tuple[int, ...]:
        """The voters all of whose votes are held back."""
        return tuple(sorted(voter for voter, risk in self.risks.items() if risk.value >= self.settings.hold_at))


def describe(kind: int, shift: float, *, names: tuple[str, ...]) -> Leaning:
    """Say what a kind of line and its shift in log-odds mean."""
    kinds = Kinds(len(names))
    if kind == kinds.board:
        return Leaning(model=None, sign=Sign.AGAINST_BOARD, points=shift)
    if kind == kinds.side:
        return Leaning(model=None, sign=Sign.LEANS_TO_SIDE, points=shift * POINTS)
    sign = Sign.FOR_MODEL if shift > 0.0 else Sign.AGAINST_MODEL
    return Leaning(model=names[kind], sign=sign, points=shift * POINTS)


def in_words(found: Leaning) -> str:
    """A leaning as the end of a sentence that begins with whose votes they are."""
    points = f"{abs(found.points):.0f} points"
    if found.sign is Sign.AGAINST_BOARD:
        return "do not follow what all others see in the answers, or follow its opposite"
    if found.sign is Sign.LEANS_TO_SIDE:
        return f"lean {points} to the {'left' if found.points > 0.0 else 'right'}, whatever stands there"
    return f"lean {points} {'towards' if found.points > 0.0 else 'away from'} {found.model}, beyond what taste explains"


def cohort_in_words(sign: Sign, key: int, *, voters: int) -> str:
    """Whose votes they are, as the beginning of a sentence."""
    if sign is Sign.SIGN_UP_DAY:
        return f"The votes of the {voters} voters who first came on {_EPOCH + timedelta(days=key)}"
    return f"The votes of {voters} voters of one network"
