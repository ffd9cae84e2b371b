import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.games import VERDICTS, Game, Games
from leaderboard.method import Evidence, NoRating
from leaderboard.ratings import (
    WITHOUT_STYLE,
    BradleyTerrySettings,
    Interval,
    StyleControlResult,
    StyleControlSettings,
    rate_bradley_terry,
    rate_style_control,
)
from leaderboard.style import STYLE_FEATURES, STYLE_UNKNOWN, GameStyles, Style
from leaderboard.verdicts import Verdict

ALIKE = Style(100, 2, 3, 4)
TRUTH = np.array([0.25, 0.02, 0.03, 0.0])  # about as LMSYS published them: length 0.249, headings 0.024, lists 0.031


def _evidence(votes: list[Game], styles: list[tuple[Style, Style]]) -> Evidence:
    sides = GameStyles.from_styles([a for a, _ in styles], [b for _, b in styles])
    return Evidence.from_games(Games.from_votes(votes), styles=sides)


def _world(votes: int, *, models: int = 6, seed: int = 1) -> tuple[Evidence, np.ndarray]:
    """Votes of people who like length, on models of which the weaker write longer; and the true strengths."""
    rng = np.random.default_rng(seed)
    strengths = np.linspace(0.8, -0.8, models)
    a = rng.integers(models, size=votes, dtype=np.int32)
    b = (a + rng.integers(1, models, size=votes, dtype=np.int32)) % models
    sides = [np.exp(rng.normal(5.0, 0.5, (votes, 4)) - 0.4 * strengths[seat, None]).astype(int) for seat in (a, b)]
    features = (sides[0] - sides[1]) / (sides[0] + sides[1])
    features /= np.sqrt((features**2).mean(axis=0))
    chance = 1.0 / (1.0 + np.exp(strengths[b] - strengths[a] - features @ TRUTH))
    tie = np.minimum(0.25, 2.0 * np.minimum(chance, 1.0 - chance))
    draw = rng.random(votes)
    verdicts = np.select([draw < chance - tie / 2, draw < chance + tie / 2], [VERDICTS.index(Verdict.A), 2], 1)
    games = Games(names=tuple(f"m{i}" for i in range(models)), seat_a=a, seat_b=b, verdicts=verdicts)
    return Evidence.from_games(games, styles=GameStyles(side_a=sides[0], side_b=sides[1])), strengths


def test_alike_answers_leave_bradley_terry() -> None:
    votes = [Game("x", "y", Verdict.A)] * 5 + [Game("y", "z", Verdict.TIE)] * 3 + [Game("z", "x", Verdict.A)] * 2
    evidence = _evidence(votes, [(ALIKE, ALIKE)] * 10)

    result = rate_style_control(evidence)

    plain = rate_bradley_terry(evidence, settings=BradleyTerrySettings(interval=Interval.SANDWICH))
    assert dict(result.ratings) == pytest.approx(dict(plain.ratings), abs=1e-6)
    assert result.estimate.covariance == pytest.approx(plain.estimate.covariance, rel=1e-6)
    assert [c.value for c in result.coefficients.values()] == [0.0] * 4


def test_a_vote_for_the_longer_answer_is_the_ridges_equation_by_hand() -> None:
    # x and y change sides and answers so that only length speaks: f = (300 - 100) / 400 = 0.5, its root mean square
    # 0.5, so that the standardised feature is 1 or -1. Eight votes for the longer of two equal models: 8 (1 - p) = b.
    votes = [Game("x", "y", Verdict.A), Game("x", "y", Verdict.B)] * 4
    long, short = Style(300, 0, 0, 0), Style(100, 0, 0, 0)

    result = rate_style_control(_evidence(votes, [(long, short), (short, long)] * 4))

    value = result.coefficients["length"].value
    assert result.ratings["x"] == pytest.approx(result.ratings["y"])
    assert 8.0 * (1.0 - 1.0 / (1.0 + math.exp(-value))) == pytest.approx(value)
    assert result.coefficients["length"].step == pytest.approx(0.5)


def test_what_style_does_is_found_and_taken_off_the_ratings() -> None:
    evidence, strengths = _world(40_000)

    result = rate_style_control(evidence)

    truth = 1000.0 + 400.0 / math.log(10.0) * strengths
    controlled, plain = (
        math.sqrt(float(np.square(estimate.points - truth).mean()))
        for estimate in (result.estimate, rate_bradley_terry(evidence).estimate)
    )
    assert list(result.coefficients) == list(STYLE_FEATURES)
    assert [c.lower < true < c.upper for c, true in zip(result.coefficients.values(), TRUTH, strict=True)] == [True] * 4
    assert result.coefficients["length"].upper - result.coefficients["length"].lower < 0.06
    assert controlled < 5.0
    assert plain > 8.0


def test_the_result_is_where_the_likelihood_is_highest() -> None:
    evidence, _ = _world(300)

    result = rate_style_control(evidence)

    at = np.concatenate([result.estimate.points, [c.value for c in result.coefficients.values()]])
    best = _log_likelihood(evidence, at)
    for parameter in range(at.size):
        for nudge in (-0.5, 0.5) if parameter < 6 else (-0.005, 0.005):
            nudged = at.copy()
            nudged[parameter] += nudge
            assert _log_likelihood(evidence, nudged) < best


def _log_likelihood(evidence: Evidence, at: np.ndarray) -> float:
    """Written vote by vote, with the default prior and ridge; six models."""
    games, styles = evidence.in_order(), evidence.with_style()
    features = (styles.side_a - styles.side_b) / (styles.side_a + styles.side_b)
    features /= np.sqrt((features**2).mean(axis=0))
    strengths = at[:6] * math.log(10.0) / 400.0
    logits = strengths[games.seat_a] - strengths[games.seat_b] + features @ at[6:]
    seen = games.scores_a * logits - np.logaddexp(0.0, logits)
    pairs = [strengths[i] - strengths[j] for i in range(6) for j in range(i + 1, 6)]
    virtual = sum(0.5 * gap - np.logaddexp(0.0, gap) for gap in pairs) / 5.0
    return float(seen.sum() + virtual - 0.5 * np.square(at[6:]).sum())


@given(st.lists(st.booleans(), min_size=60, max_size=60))
def test_turning_any_votes_round_changes_nothing(turned: list[bool]) -> None:
    evidence, _ = _world(60)
    games, styles, turn = evidence.in_order(), evidence.with_style(), np.array(turned)
    mirror = np.array([1, 0, 2, 3], dtype=np.int8)
    other = Evidence.from_games(
        Games(
            names=games.names,
            seat_a=np.where(turn, games.seat_b, games.seat_a),
            seat_b=np.where(turn, games.seat_a, games.seat_b),
            verdicts=np.where(turn, mirror[games.verdicts], games.verdicts),
        ),
        styles=GameStyles(
            side_a=np.where(turn[:, None], styles.side_b, styles.side_a),
            side_b=np.where(turn[:, None], styles.side_a, styles.side_b),
        ),
    )

    one, two = rate_style_control(evidence), rate_style_control(other)

    assert dict(two.ratings) == pytest.approx(dict(one.ratings), abs=1e-6)
    assert _values(two) == pytest.approx(_values(one), abs=1e-9)


def _values(result: StyleControlResult) -> list[float]:
    return [value for c in result.coefficients.values() for value in (c.value, c.lower, c.upper, c.step)]


def test_votes_that_nobody_counted_are_left_out_and_said_to_be() -> None:
    votes = [Game("x", "y", Verdict.A), Game("y", "x", Verdict.A), Game("x", "y", Verdict.A)]
    styles = [(ALIKE, ALIKE), (STYLE_UNKNOWN, ALIKE), (ALIKE, ALIKE)]
    evidence = replace(_evidence(votes, styles), left_out={"leaked": 2})

    result = rate_style_control(evidence)

    assert (result.votes, dict(result.left_out)) == (2, {"leaked": 2, WITHOUT_STYLE: 1})
    known = _evidence([votes[0], votes[2]], [styles[0], styles[2]])
    assert dict(result.ratings) == pytest.approx(dict(rate_style_control(known).ratings))


def test_more_pairs_than_short_keys_hold_rate_alike() -> None:
    evidence, _ = _world(500)
    games = evidence.in_order()
    crowd = (*games.names, *(f"z{i}" for i in range(300)))
    large = Games(names=crowd, seat_a=games.seat_a, seat_b=games.seat_b, verdicts=games.verdicts)

    result = rate_style_control(
        Evidence.from_games(large, styles=evidence.styles), settings=StyleControlSettings(prior=0.01)
    )

    small = rate_style_control(evidence, settings=StyleControlSettings(prior=0.01))
    gaps = [r.ratings["m0"] - r.ratings["m5"] for r in (result, small)]
    assert gaps[0] == pytest.approx(gaps[1], abs=0.1)


def test_without_a_prior_an_undefeated_model_is_named() -> None:
    evidence = _evidence([Game("x", "y", Verdict.A)] * 3, [(ALIKE, ALIKE)] * 3)

    with pytest.raises(NoRating, match=r"y .* has never won"):
        rate_style_control(evidence, settings=StyleControlSettings(prior=0.0))


def test_coefficients_need_a_ridge() -> None:
    with pytest.raises(ValueError, match="ridge"):
        StyleControlSettings(ridge=0.0)
