import math

import numpy as np
import pytest

from leaderboard.estimate import normal_reach, symmetric_estimate

NAMES = ("x", "y", "z")


def test_a_difference_takes_shared_errors_off() -> None:
    # Var(x - y) = 9 + 4 - 2 * 5 = 3, though the intervals of x and y alone overlap widely.
    covariance = np.array([[9.0, 5.0, -14.0], [5.0, 4.0, -9.0], [-14.0, -9.0, 23.0]])
    estimate = symmetric_estimate(NAMES, np.array([10.0, 4.0, -14.0]), covariance, level=0.95)

    gap = estimate.difference("x", "y")

    assert (gap.points, gap.standard_error, gap.level) == pytest.approx((6.0, math.sqrt(3.0), 0.95))
    assert (gap.lower, gap.upper) == pytest.approx((6.0 - 1.959964 * math.sqrt(3.0), 6.0 + 1.959964 * math.sqrt(3.0)))
    assert estimate.lower[0] < estimate.upper[1]


def test_a_difference_takes_a_level_of_its_own_and_mirrors() -> None:
    estimate = symmetric_estimate(NAMES, np.array([10.0, 4.0, -14.0]), np.eye(3), level=0.95)

    one, other = estimate.difference("x", "z", level=0.5), estimate.difference("z", "x", level=0.5)

    assert one.upper - one.points == pytest.approx(0.674490 * math.sqrt(2.0), rel=1e-5)
    assert (one.lower, one.upper) == (-other.upper, -other.lower)


def test_a_model_does_not_differ_from_itself() -> None:
    estimate = symmetric_estimate(NAMES, np.zeros(3), np.eye(3), level=0.95)

    gap = estimate.difference("y", "y")

    assert (gap.lower, gap.points, gap.upper) == (0.0, 0.0, 0.0)


def test_a_name_that_is_not_there_is_refused() -> None:
    estimate = symmetric_estimate(NAMES, np.zeros(3), np.eye(3), level=0.95)

    with pytest.raises(ValueError, match="'nobody'"):
        estimate.difference("x", "nobody")


@pytest.mark.parametrize("level", [0.0, 1.0, -0.5, math.nan])
def test_a_level_that_is_none_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        normal_reach(level)
