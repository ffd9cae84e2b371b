from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from ballot_box import BAD, A, B, Row, ballots, strangers

from leaderboard import VERDICTS
from leaderboard.integrity import UNKNOWN, Ballots


def some() -> Ballots:
    return ballots([Row(0, 0, 1, A), Row(1, 2, 0, None, day=1), Row(UNKNOWN, 1, 2, BAD, day=2)])


def test_a_battle_without_a_vote_is_a_row_but_no_vote() -> None:
    box = some()

    assert len(box) == 3
    assert box.voted.tolist() == [True, False, True]
    assert box.day.tolist() == [0, 1, 2]


def test_votes_become_games_and_battles_without_a_vote_do_not() -> None:
    box = some()

    games = box.games(np.array([False, True, True]))

    assert games.names == ("x", "y", "z")
    assert [VERDICTS[code] for code in games.verdicts] == [BAD]
    assert (games.seat_a.tolist(), games.seat_b.tolist()) == ([1], [2])


def test_columns_cannot_be_written_to_and_leave_their_source_alone() -> None:
    voter = np.array([0, 1, UNKNOWN])
    box = replace(some(), voter=voter)
    voter[0] = 7

    assert box.voter.tolist() == [0, 1, UNKNOWN]
    with pytest.raises(ValueError, match="read-only"):
        box.voter[0] = 1


def test_no_battles_are_fine() -> None:
    box = ballots([])

    assert len(box) == 0
    assert box.voted.tolist() == []
    assert len(strangers(0)) == 0


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("voter", [0, 1], "must be 2 whole numbers in one column"),
        ("voter", [0, 1, -2], "no voter -2"),
        ("decide_ms", [1.5, 2.0, 3.0], "decide_ms must be 3 whole numbers in one column, not float64"),
        ("prompt", [[1, 2, 3]], "prompt must be 3 whole numbers"),
        ("seat_b", [0, 1, 2], "meets itself"),
        ("seat_a", [0, 3, 1], "seat_a holds 3, but there are only 3"),
        ("verdicts", [0, -2, 1], "verdicts holds -2"),
        ("verdicts", [0, -1, 4], "verdicts holds 4"),
    ],
)
def test_a_column_that_makes_no_sense_is_refused(column: str, values: list[int], message: str) -> None:
    changed: dict[str, Any] = {column: np.array(values)}

    with pytest.raises(ValueError, match=message):
        replace(some(), **changed)


def test_a_model_named_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="named twice"):
        replace(some(), names=("x", "x", "z"))


@pytest.mark.parametrize("column", ["signed_up_day", "network"])
def test_facts_of_differing_length_are_refused(column: str) -> None:
    changed: dict[str, Any] = {column: np.zeros(3, np.int64)}

    with pytest.raises(ValueError, match=f"{column} must be 2 whole numbers"):
        replace(strangers(2), **changed)


def test_a_vote_for_the_right_side_stays_one() -> None:
    box = ballots([Row(0, 0, 1, B)])

    assert box.games(box.voted).scores_a.tolist() == [0.0]
