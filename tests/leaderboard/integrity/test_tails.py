import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.integrity.tails import binomial_surprise, binomial_tail, chi_squared_tail, false_shares


def test_a_binomial_tail_by_hand() -> None:
    # 8, 9 or 10 heads in 10: (45 + 10 + 1) / 1024
    assert binomial_tail(8, 10, 0.5) == pytest.approx(56 / 1024)


@pytest.mark.parametrize(("successes", "tail"), [(0, 1.0), (-1, 1.0), (11, 0.0)])
def test_a_binomial_tail_at_its_ends(successes: int, tail: float) -> None:
    assert binomial_tail(successes, 10, 0.3) == pytest.approx(tail)


@pytest.mark.parametrize(("half_degrees", "quantile"), [(1, 5.991), (5, 18.307), (50, 124.342)])
def test_chi_squared_agrees_with_the_printed_table_at_five_percent(half_degrees: int, quantile: float) -> None:
    assert chi_squared_tail(quantile, half_degrees=half_degrees) == pytest.approx(0.05, abs=2e-5)


@pytest.mark.parametrize(("value", "tail"), [(0.0, 1.0), (-3.0, 1.0), (math.inf, 0.0)])
def test_chi_squared_at_its_ends(value: float, tail: float) -> None:
    assert chi_squared_tail(value, half_degrees=3) == tail


def test_ten_of_ten_where_one_is_usual_by_hand() -> None:
    surprise = binomial_surprise(np.array([1.0]), np.array([0.1]), np.array([10.0]))

    assert surprise == pytest.approx(10 * math.log(10))


@given(st.integers(1, 60), st.data(), st.floats(0.01, 0.99))
def test_the_bound_is_never_below_the_probability(trials: int, data: st.DataObject, chance: float) -> None:
    successes = data.draw(st.integers(0, trials))

    surprise = binomial_surprise(np.array([successes / trials]), np.array([chance]), np.array([float(trials)]))

    assert math.exp(-surprise[0]) >= binomial_tail(successes, trials, chance) - 1e-12


@pytest.mark.parametrize(("share", "chance"), [(0.2, 0.2), (0.1, 0.2), (1.0, 1.0), (0.5, 0.0)])
def test_a_share_that_is_not_above_its_chance_surprises_nobody(share: float, chance: float) -> None:
    assert binomial_surprise(np.array([share]), np.array([chance]), np.array([50.0])).tolist() == [0.0]


def test_false_shares_repeat_the_example_of_benjamini_and_hochberg() -> None:
    # 1995, section 4: fifteen tests, of which the procedure rejects four at 0.05.
    small = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459]
    p_values = np.array([*small, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0])

    shares = false_shares(p_values[::-1])[::-1]

    assert (shares <= 0.05).sum() == 4
    assert shares[3] == pytest.approx(15 * 0.0095 / 4)
    assert (np.diff(shares) >= 0.0).all()


def test_no_tests_have_no_false_shares() -> None:
    assert false_shares(np.zeros(0)).tolist() == []
