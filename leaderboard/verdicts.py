"""What a voter can say about two answers, and what each verdict scores: here and only here."""

from enum import StrEnum
from typing import assert_never


class Verdict(StrEnum):
    """One vote's content, seen from the seats: A sits left, B sits right."""

    A = "a"
    B = "b"
    TIE = "tie"
    BOTH_BAD = "both_bad"


def score_a(verdict: Verdict) -> float:
    """The score of seat A: 1 for a win, 0 for a loss, one half for a tie and for both bad; seat B scores the rest.

    Tie and both-bad count alike, as in Chatbot Arena (arXiv 2403.04132, section 4); they stay apart in the data.
    """
    match verdict:
        case Verdict.A:
            return 1.0
        case Verdict.B:
            return 0.0
        case Verdict.TIE | Verdict.BOTH_BAD:
            return 0.5
    assert_never(verdict)
