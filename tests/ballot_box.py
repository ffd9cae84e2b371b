"""Ballots for tests, from rows that can be read."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaderboard import VERDICTS, Verdict
from leaderboard.integrity import UNKNOWN, Ballots, VoterFacts

A, B, TIE, BAD = Verdict.A, Verdict.B, Verdict.TIE, Verdict.BOTH_BAD
DAY_US = 86_400_000_000


class Row(NamedTuple):
    """One battle between models by their index; without a verdict, one that was left without a vote."""

    voter: int
    seat_a: int
    seat_b: int
    verdict: Verdict | None = None
    day: int = 0
    decide_ms: int = UNKNOWN
    characters: int = UNKNOWN
    prompt: int = UNKNOWN


def ballots(rows: Sequence[Row], *, names: Sequence[str] = ("x", "y", "z")) -> Ballots:
    voter, seat_a, seat_b, verdict, day, decide_ms, characters, prompt = (
        zip(*rows, strict=True) if rows else [()] * len(Row._fields)
    )
    codes = [UNKNOWN if each is None else VERDICTS.index(each) for each in verdict]
    numbers = (voter, seat_a, seat_b, codes, day, decide_ms, characters, prompt)
    columns = [np.array(column, dtype=np.int64) for column in numbers]
    return Ballots(
        names=tuple(names),
        voter=columns[0],
        seat_a=columns[1],
        seat_b=columns[2],
        verdicts=columns[3],
        at_us=columns[4] * DAY_US,
        decide_ms=columns[5],
        characters=columns[6],
        prompt=columns[7],
    )


def only(box: Ballots, rows: NDArray[np.int64]) -> Ballots:
    """Some rows, in their order, some of them perhaps several times."""
    columns = ("voter", "seat_a", "seat_b", "verdicts", "at_us", "decide_ms", "characters", "prompt")
    return replace(box, **{what: getattr(box, what)[rows] for what in columns})


def strangers(voters: int, *, trusted: Sequence[int] = ()) -> VoterFacts:
    """Voters of whom nothing is known but whom to trust."""
    unknown = np.full(voters, UNKNOWN)
    return VoterFacts(signed_up_day=unknown, network=unknown, trusted=np.isin(np.arange(voters), list(trusted)))
