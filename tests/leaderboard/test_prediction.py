import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.games import HeadToHead
from leaderboard.prediction import CurvePoint, predict, probability_curve, win_probability

RATING = st.floats(-1e4, 1e4)


@pytest.mark.parametrize(
    ("rating_a", "rating_b", "probability"),
    [
        (1287.0, 1120.0, 0.723),  # 1 / (1 + 10 ** (-167/400)) = 1 / (1 + 0.38238) = 0.72339
        (1120.0, 1287.0, 0.277),
        (1000.0, 1000.0, 0.5),
        (1400.0, 1000.0, 0.909),  # ten to one: 10 / 11
    ],
)
def test_the_chance_is_the_expected_score(rating_a: float, rating_b: float, probability: float) -> None:
    assert win_probability(rating_a, rating_b) == pytest.approx(probability, abs=5e-4)


def test_another_scale_stretches_the_chance() -> None:
    assert win_probability(1100.0, 1000.0, scale=100.0) == pytest.approx(10 / 11)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_a_rating_that_is_no_number_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        win_probability(wrong, 1000.0)
    with pytest.raises(ValueError, match="finite"):
        win_probability(1000.0, wrong)


@pytest.mark.parametrize("wrong", [0.0, -400.0, math.nan, math.inf])
def test_a_scale_that_is_none_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="scale"):
        win_probability(1000.0, 1000.0, scale=wrong)


@given(RATING, RATING)
def test_the_chances_of_both_sum_to_1(rating_a: float, rating_b: float) -> None:
    both = win_probability(rating_a, rating_b) + win_probability(rating_b, rating_a)

    assert both == pytest.approx(1.0, abs=1e-12)


def test_a_prediction_carries_what_it_was_made_of() -> None:
    record = HeadToHead(wins_a=3, wins_b=1, ties=2, both_bad=0)

    prediction = predict(1287.0, 1120.0, record=record)

    assert (prediction.rating_a, prediction.rating_b, prediction.scale) == (1287.0, 1120.0, 400.0)
    assert prediction.probability == win_probability(1287.0, 1120.0)
    assert prediction.difference == 167.0
    assert prediction.record == record


def test_two_bare_ratings_have_no_record() -> None:
    assert predict(1287.0, 1120.0).record is None


def test_the_curve_rises_from_end_to_end_through_one_half() -> None:
    curve = probability_curve(reach=400.0, points=5)

    assert [point.difference for point in curve] == [-400.0, -200.0, 0.0, 200.0, 400.0]
    assert curve[2] == CurvePoint(0.0, 0.5)
    assert [point.probability for point in curve] == sorted(point.probability for point in curve)
    assert curve[0].probability == pytest.approx(1 / 11)
