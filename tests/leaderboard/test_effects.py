import math

import pytest

from leaderboard.effects import StyleEffect, style_effects
from leaderboard.games import Game, Games
from leaderboard.method import Evidence
from leaderboard.ratings import StyleControlSettings, rate_bradley_terry, rate_style_control
from leaderboard.style import STYLE_FEATURES, GameStyles, Style
from leaderboard.verdicts import Verdict

SHORT, LONG = Style(100, 0, 0, 0), Style(300, 4, 0, 1)


def evidence(side_a: list[Style], side_b: list[Style]) -> Evidence:
    games = Games.from_votes([Game("x", "y", Verdict.A), Game("y", "x", Verdict.TIE)] * (len(side_a) // 2))
    return Evidence.from_games(games, styles=GameStyles.from_styles(side_a, side_b))


def effect(**changes: object) -> StyleEffect:
    values = {"feature": "length", "points": 35.4, "lower": 28.0, "upper": 42.0, "times": 1.857, "level": 0.95}
    return StyleEffect(**(values | changes))  # type: ignore[arg-type]


def test_an_effect_is_the_coefficient_in_points_of_the_board() -> None:
    rated = rate_style_control(evidence([LONG] * 8, [SHORT] * 8), settings=StyleControlSettings(scale=173.0))

    effects = {effect.feature: effect for effect in style_effects(rated)}

    length = rated.coefficients["length"]
    points = 173.0 / math.log(10.0)
    assert (effects["length"].points, effects["length"].lower) == (points * length.value, points * length.lower)
    assert (effects["length"].upper, effects["length"].level) == (points * length.upper, 0.95)


def test_the_usual_difference_is_told_as_so_many_times_as_much() -> None:
    # 300 against 100: f = 200 / 400 = 1/2 in every vote, so that the step is 1/2, and (1 + 1/2) / (1 - 1/2) = 3.
    rated = rate_style_control(evidence([LONG] * 8, [SHORT] * 8))

    effects = {effect.feature: effect.times for effect in style_effects(rated)}

    assert effects == {"length": pytest.approx(3.0), "headings": None, "bold": None}


def test_what_no_two_answers_differ_in_has_no_effect() -> None:
    assert style_effects(rate_style_control(evidence([LONG] * 8, [LONG] * 8))) == ()


def test_only_style_control_has_effects() -> None:
    assert style_effects(rate_bradley_terry(evidence([LONG] * 8, [SHORT] * 8))) == ()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "Length: +35 points (95 %: +28 to +42) for 1.86 times the length."),
        ({"points": -0.6, "lower": -9.0, "upper": 0.2}, "Length: −1 point (95 %: −9 to ±0) for 1.86 times the length."),
        (
            {"feature": "lists", "times": 12.0, "level": 0.9},
            "Lists: +35 points (90 %: +28 to +42) for 12 times as many list items.",
        ),
        ({"feature": "bold", "times": None}, "Bold: +35 points (95 %: +28 to +42) for bold words against none."),
    ],
)
def test_an_effect_is_told_in_a_sentence(changes: dict[str, object], sentence: str) -> None:
    assert str(effect(**changes)) == sentence


@pytest.mark.parametrize("feature", STYLE_FEATURES)
@pytest.mark.parametrize("times", [None, 2.0])
def test_every_feature_can_be_told(feature: str, times: float | None) -> None:
    assert str(effect(feature=feature, times=times)).endswith(".")
