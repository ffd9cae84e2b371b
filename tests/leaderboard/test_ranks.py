import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.estimate import Estimate, symmetric_estimate
from leaderboard.ranks import RankRange, chances_of_best, rank_ranges

ENDS = st.tuples(st.integers(-50, 50), st.integers(0, 40), st.integers(0, 40))


def _estimate(*ends: tuple[float, float, float]) -> Estimate:
    """From a point and how far the interval reaches down and up."""
    points, down, up = np.array(ends, dtype=float).reshape(-1, 3).T
    return Estimate(
        names=tuple(f"m{i}" for i in range(len(ends))),
        points=points,
        covariance=np.zeros((len(ends), len(ends))),
        lower=points - down,
        upper=points + up,
        level=0.95,
    )


def test_a_rank_counts_the_models_that_are_surely_better() -> None:
    # 100 ± 5 is above all; 80 ± 10 and 72 ± 4 overlap; 60 ± 3 is below 80 - 10 and 72 - 4, hence fourth.
    ranges = rank_ranges(_estimate((100, 5, 5), (80, 10, 10), (72, 4, 4), (60, 3, 3)))

    assert ranges == (
        RankRange(best=1, worst=1),
        RankRange(best=2, worst=3),
        RankRange(best=2, worst=3),
        RankRange(best=4, worst=4),
    )


def test_intervals_that_touch_are_not_apart() -> None:
    assert rank_ranges(_estimate((10, 5, 5), (0, 5, 5)))[1].best == 1


def test_an_empty_board_has_no_ranks_and_no_best() -> None:
    assert rank_ranges(_estimate()) == ()
    assert dict(chances_of_best(_estimate())) == {}


@given(st.lists(ENDS, max_size=12))
def test_ranges_are_what_counting_one_by_one_gives(ends: list[tuple[float, float, float]]) -> None:
    estimate = _estimate(*ends)

    ranges = rank_ranges(estimate)

    rows = list(zip(estimate.lower, estimate.upper, strict=True))
    for i, (lower, upper) in enumerate(rows):
        others = [row for j, row in enumerate(rows) if j != i]
        assert ranges[i].best == 1 + sum(other_lower > upper for other_lower, _ in others)
        assert ranges[i].worst == 1 + sum(other_upper > lower for _, other_upper in others)


def test_two_equal_models_are_best_half_of_the_time_each() -> None:
    estimate = symmetric_estimate(("x", "y", "z"), np.array([50.0, 50.0, -100.0]), 25.0 * np.eye(3), level=0.95)

    chances = chances_of_best(estimate)

    assert chances["x"] == pytest.approx(0.5, abs=0.04)
    assert chances["z"] == 0.0
    assert sum(chances.values()) == pytest.approx(1.0)


def test_a_lead_of_one_standard_error_is_84_percent() -> None:
    # Phi(1) = 0.8413; the standard error of the difference is sqrt(1 + 1 + 2 * 1) = 2.
    covariance = np.array([[1.0, -1.0], [-1.0, 1.0]])
    estimate = symmetric_estimate(("x", "y"), np.array([1.0, -1.0]), covariance, level=0.95)

    assert chances_of_best(estimate, draws=40_000)["x"] == pytest.approx(0.8413, abs=0.01)


def test_chances_of_best_are_a_function_of_their_seed() -> None:
    estimate = symmetric_estimate(("x", "y"), np.array([1.0, -1.0]), np.eye(2), level=0.95)

    one, same, other = (dict(chances_of_best(estimate, seed=seed)) for seed in (1, 1, 2))

    assert one == same != other
