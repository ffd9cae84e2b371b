import numpy as np
import pytest

from leaderboard.method import NoRating
from leaderboard.pair_maths import Slope, chances, climb, laplacian, pair_weights, spread_of, virtual_votes


def test_chances_of_both_sum_to_one_and_no_gap_overflows() -> None:
    chance = chances(np.array([0.0, 1.0, 1e6]))

    assert chance + chance.T == pytest.approx(np.ones((3, 3)))
    assert chance[1, 0] == pytest.approx(1.0 / (1.0 + np.exp(-1.0)))
    assert 0.0 < chance[0, 2] < 1e-300


def test_virtual_votes_are_spread_evenly_over_the_opponents() -> None:
    votes = virtual_votes(5, 2.0)

    assert votes.sum(axis=1) == pytest.approx([2.0] * 5)
    assert votes[0, 1:].tolist() == [0.5] * 4
    assert virtual_votes(1, 2.0).tolist() == [[0.0]]


def test_weights_are_one_on_average_and_fall_with_the_votes_of_a_pair() -> None:
    battles = np.array([[0, 10, 200], [10, 0, 50], [200, 50, 0]])

    weights = pair_weights(battles, at_least=50)

    assert (weights * battles).sum() == pytest.approx(battles.sum())
    assert weights[0, 1] == weights[1, 2] == pytest.approx(4.0 * weights[0, 2])


def test_no_votes_weigh_something_finite() -> None:
    assert np.isfinite(pair_weights(np.zeros((3, 3), np.int64), at_least=50)).all()


def test_a_spread_is_the_pseudo_inverse() -> None:
    information = laplacian(np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 3.0], [2.0, 3.0, 0.0]]))

    assert spread_of(information, pinned=3) == pytest.approx(np.linalg.pinv(information))


def test_a_parameter_beside_the_strengths_is_inverted_with_them() -> None:
    information = np.zeros((4, 4))
    information[:3, :3] = laplacian(np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 3.0], [2.0, 3.0, 0.0]]))
    information[3] = information[:, 3] = [0.5, -0.2, -0.3, 4.0]

    assert spread_of(information, pinned=3) == pytest.approx(np.linalg.pinv(information))


@pytest.mark.parametrize("curvature", [0.0, 1e-9])
def test_what_has_no_top_is_refused_with_the_remedy(curvature: float) -> None:
    def endless(at: np.ndarray) -> Slope:
        return Slope(np.ones(at.size), curvature * np.eye(at.size))

    with pytest.raises(NoRating, match="larger prior"):
        climb(endless, start=np.zeros(2), pinned=0)


def test_without_slope_there_is_nothing_to_climb() -> None:
    fit = climb(lambda at: Slope(np.zeros_like(at), np.eye(at.size)), start=np.zeros(2), pinned=0)

    assert (fit.strengths.tolist(), fit.iterations) == ([0.0, 0.0], 1)
