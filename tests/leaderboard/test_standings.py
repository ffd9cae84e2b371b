import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.games import Game, Games, PairCounts, Tally
from leaderboard.ratings.elo import EloSettings, fold_elo
from leaderboard.standings import Standing, standings
from leaderboard.verdicts import Verdict

NOBODY = PairCounts.from_tallies([], [])


def test_a_line_holds_what_the_counts_say() -> None:
    tallies = [
        Tally("x", "y", Verdict.A, 5),
        Tally("y", "x", Verdict.A, 2),
        Tally("x", "z", Verdict.TIE, 2),
        Tally("z", "x", Verdict.BOTH_BAD, 1),
    ]
    counts = PairCounts.from_tallies(["x", "y", "z"], tallies)

    first, *_ = standings({"x": 1040.0, "y": 990.0, "z": 970.0}, elo_day_ago={"x": 1032.5}, counts=counts)

    # 5 wins and three halves of 10 battles
    assert first == Standing(
        rank=1,
        model="x",
        elo=1040.0,
        change_day=7.5,
        battles=10,
        wins=5,
        losses=2,
        ties=2,
        both_bad=1,
        win_rate=0.65,
        preliminary=True,
    )


def test_the_best_stands_first() -> None:
    table = standings({"x": 990.0, "y": 1020.0, "z": 1000.0}, elo_day_ago={}, counts=NOBODY)

    assert [(line.rank, line.model) for line in table] == [(1, "y"), (2, "z"), (3, "x")]


def test_equal_models_share_a_rank_stand_by_name_and_leave_a_gap() -> None:
    table = standings({"z": 1000.0, "top": 1100.0, "a": 1000.0, "low": 900.0}, elo_day_ago={}, counts=NOBODY)

    assert [(line.rank, line.model) for line in table] == [(1, "top"), (2, "a"), (2, "z"), (4, "low")]


def test_a_difference_in_the_last_bits_does_not_part_equals() -> None:
    table = standings({"a": 1000.0 - 1e-10, "b": 1000.0}, elo_day_ago={}, counts=NOBODY)

    assert [(line.rank, line.model) for line in table] == [(1, "a"), (1, "b")]


def test_a_model_that_is_newer_than_a_day_has_no_change() -> None:
    table = standings({"new": 1000.0, "old": 1000.0}, elo_day_ago={"old": 1000.0}, counts=NOBODY)

    assert {line.model: line.change_day for line in table} == {"new": None, "old": 0.0}


def test_a_model_without_battles_has_no_win_rate() -> None:
    (line,) = standings({"x": 1000.0}, elo_day_ago={}, counts=NOBODY)

    assert line.win_rate is None
    assert line.battles == line.wins == line.losses == line.ties == line.both_bad == 0
    assert line.preliminary


@pytest.mark.parametrize(("battles", "preliminary"), [(29, True), (30, False)])
def test_a_model_is_preliminary_below_thirty_battles(battles: int, preliminary: bool) -> None:
    counts = PairCounts.from_tallies(["x", "y"], [Tally("x", "y", Verdict.A, battles)])

    table = standings({"x": 1100.0, "y": 900.0}, elo_day_ago={}, counts=counts)

    assert [line.preliminary for line in table] == [preliminary, preliminary]


def test_battles_against_a_model_that_is_not_listed_stay_counted() -> None:
    counts = PairCounts.from_tallies(["x", "hidden"], [Tally("x", "hidden", Verdict.A, 3)])

    (line,) = standings({"x": 1000.0}, elo_day_ago={}, counts=counts)

    assert (line.battles, line.wins) == (3, 3)


def test_an_empty_board_is_an_empty_table() -> None:
    assert standings({}, elo_day_ago={}, counts=NOBODY) == ()


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_a_rating_that_is_no_number_is_refused_by_name(wrong: float) -> None:
    with pytest.raises(ValueError, match="'x'"):
        standings({"x": wrong}, elo_day_ago={}, counts=NOBODY)
    with pytest.raises(ValueError, match="'x'"):
        standings({"x": 1000.0}, elo_day_ago={"x": wrong}, counts=NOBODY)


@given(st.dictionaries(st.text(min_size=1), st.floats(0.0, 3000.0).map(round), max_size=12))
def test_a_rank_is_one_more_than_the_number_of_better_models(elo: dict[str, float]) -> None:
    table = standings(elo, elo_day_ago={}, counts=NOBODY)

    assert {line.model for line in table} == set(elo)
    assert all(line.rank == 1 + sum(other > line.elo for other in elo.values()) for line in table)


def test_a_real_board_adds_up(llmfao_votes: list[Game]) -> None:
    games = Games.from_votes(llmfao_votes)
    elo = fold_elo(games, settings=EloSettings()).ratings

    table = standings(elo, elo_day_ago={}, counts=PairCounts.from_games(games))

    assert len(table) == 59
    assert sum(line.wins for line in table) == sum(line.losses for line in table)
    assert sum(line.battles for line in table) == 2 * 8931
    assert [line.elo for line in table] == sorted(elo.values(), reverse=True)
