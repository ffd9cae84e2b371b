"""How likely a vote is not an honest one, from several reasons."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Sign(StrEnum):
    """What a reason rests on. The values are stable: they are stored, and pages choose words by them."""

    SNAP_VOTE = "snap_vote"
    SNAP_HABIT = "snap_habit"
    ONE_SIDE = "one_side"
    SAME_PROMPT = "same_prompt"
    ABSTAINS = "abstains"
    FOR_MODEL = "for_model"
    AGAINST_MODEL = "against_model"
    LEANS_TO_SIDE = "leans_to_side"
    AGAINST_BOARD = "against_board"
    ONE_MODEL = "one_model"
    SIGN_UP_DAY = "sign_up_day"
    NETWORK = "network"
    MODEL_ALARM = "model_alarm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One sign of rigging.

    Args:
        sign: what was seen.
        risk: how much it says by itself, 0 to 1.
        sentence: the same for an administrator, with its figures.
    """

    sign: Sign
    risk: float
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """Reasons, the weightiest first, and what they come to: 1 - product of (1 - risk), as if they were independent."""

    reasons: tuple[Reason, ...] = ()

    @classmethod
    def of(cls, reasons: Iterable[Reason]) -> Self:
        """Put reasons in order."""
        return cls(reasons=tuple(sorted(reasons, key=lambda reason: (-reason.risk, reason.sign))))

    @property
    def value(self) -> float:
        """0 (no reason) to 1 (beyond doubt)."""
        return 1.0 - math.prod(1.0 - reason.risk for reason in self.reasons)

    def and_also(self, other: Self) -> Self:
        """Both kinds of reasons; the same sign counts once, with its greater risk."""
        by_sign: dict[Sign, Reason] = {}
        for reason in (*self.reasons, *other.reasons):
            by_sign[reason.sign] = max(reason, by_sign.get(reason.sign, reason), key=lambda each: each.risk)
        return type(self).of(by_sign.values())
