import numpy as np
import pytest
from ballot_box import TIE, A, B, Row, ballots

from leaderboard import Evidence, Game, PairCounts, rate_bradley_terry
from leaderboard.games import Games
from leaderboard.integrity import board_effect

ROWS = [Row(0, 0, 1, A)] * 6 + [Row(0, 1, 2, A)] * 6 + [Row(1, 2, 0, A)] * 20 + [Row(1, 2, 1, None), Row(2, 0, 2, TIE)]
OF_ONE = np.array([row.voter == 1 for row in ROWS])


def test_leaving_votes_out_shows_what_they_did_to_every_model() -> None:
    effect = board_effect(ballots(ROWS), OF_ONE)

    assert effect.votes == 20
    assert {each.model: (each.rank_with, each.rank_without) for each in effect.models} == {
        "x": (3, 1),
        "y": (2, 2),
        "z": (1, 3),
    }
    assert [each.model for each in effect.moved] == ["x", "z"]
    assert effect.largest_change == max(abs(each.rating_with - each.rating_without) for each in effect.models)


def test_the_rest_is_rated_as_if_the_others_had_never_been() -> None:
    effect = board_effect(ballots(ROWS), OF_ONE)

    never = [Game("xyz"[row.seat_a], "xyz"[row.seat_b], row.verdict) for row in ROWS if row.voter != 1 and row.verdict]
    counts = PairCounts.from_games(Games.from_votes(never, names=["x", "y", "z"]))
    ratings = rate_bradley_terry(Evidence(counts=counts)).ratings
    assert {each.model: each.rating_without for each in effect.models} == dict(ratings)


def test_leaving_nothing_out_changes_nothing() -> None:
    effect = board_effect(ballots(ROWS), np.zeros(len(ROWS), np.bool_))

    assert effect.votes == 0
    assert effect.moved == ()
    assert effect.largest_change == 0.0


def test_a_board_of_some_votes_is_compared_with_the_same_and_those_left_out() -> None:
    others = np.array([row.voter == 0 for row in ROWS])

    effect = board_effect(ballots(ROWS), OF_ONE, within=others)

    alone = board_effect(ballots([row for row in ROWS if row.voter != 2]), OF_ONE[:-1])
    assert effect == alone


@pytest.mark.parametrize("names", [[], ["x"]])
def test_an_empty_board_has_no_effect(names: list[str]) -> None:
    effect = board_effect(ballots([], names=names), np.zeros(0, np.bool_))

    assert len(effect.models) == len(names)
    assert effect.largest_change == 0.0


def test_equal_ratings_share_a_rank() -> None:
    effect = board_effect(ballots([Row(0, 0, 1, A), Row(1, 0, 1, B)]), np.zeros(2, np.bool_))

    assert [each.rank_with for each in effect.models] == [1, 1, 1]
