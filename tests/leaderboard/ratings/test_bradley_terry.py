import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.estimate import Anchor
from leaderboard.games import Game, Games, PairCounts, Tally
from leaderboard.method import Evidence, NoRating
from leaderboard.pair_maths import chances
from leaderboard.ranks import rank_ranges
from leaderboard.ratings import BradleyTerryResult, BradleyTerrySettings, Interval, bradley_terry, rate_bradley_terry
from leaderboard.verdicts import Verdict

POINTS = 400.0 / math.log(10.0)
PLAIN = BradleyTerrySettings(prior=0.0)
MIXTRAL = Anchor("mixtral-8x7b-instruct-v0.1", 1114.0)

every_interval = pytest.mark.parametrize("interval", Interval)


def _rate(*tallies: Tally, settings: BradleyTerrySettings | None = None) -> BradleyTerryResult:
    names = sorted({name for tally in tallies for name in tally[:2]})
    return rate_bradley_terry(Evidence(counts=PairCounts.from_tallies(names, tallies)), settings=settings)


def _odd_game(wins: int, losses: int, ties: int = 0) -> tuple[Tally, ...]:
    return (
        Tally("x", "y", Verdict.A, wins),
        Tally("x", "y", Verdict.B, losses),
        Tally("x", "y", Verdict.TIE, ties),
    )


def test_three_wins_to_one_are_odds_of_three() -> None:
    # ln(3) of odds are 1.0986 * 400 / ln(10) = 190.8 points between the two, the mean stays at 1000.
    result = _rate(*_odd_game(3, 1), settings=PLAIN)

    assert result.ratings["x"] - result.ratings["y"] == pytest.approx(400.0 * math.log10(3.0))
    assert sum(result.ratings.values()) == pytest.approx(2000.0)


def test_a_tie_and_both_bad_are_half_a_win_each() -> None:
    # 2 wins, 2 halves, 0 losses: 3 of 4 points.
    tallies = (Tally("x", "y", Verdict.A, 2), Tally("y", "x", Verdict.TIE, 1), Tally("x", "y", Verdict.BOTH_BAD, 1))

    result = _rate(*tallies, settings=PLAIN)

    assert result.ratings["x"] - result.ratings["y"] == pytest.approx(400.0 * math.log10(3.0))


def test_the_prior_is_virtual_draws_spread_over_the_opponents() -> None:
    # One win, and with two models one virtual draw between them: 1.5 points of 2, odds of 3.
    result = _rate(Tally("x", "y", Verdict.A, 1))

    assert result.ratings["x"] - result.ratings["y"] == pytest.approx(400.0 * math.log10(3.0))


def test_a_ring_of_three_with_unequal_records_solves_its_equations() -> None:
    tallies = [Tally("x", "y", Verdict.A, 7), Tally("y", "z", Verdict.A, 5), Tally("z", "x", Verdict.A, 2)]

    strengths = _rate(*tallies, settings=PLAIN).estimate.points / POINTS

    # At the maximum every model's expected wins are its wins: x 7 of 7 + 2 battles, y 5 of 7 + 5, z 2 of 5 + 2.
    chance = chances(strengths)
    expected = (np.array([[0, 7, 2], [7, 0, 5], [2, 5, 0]]) * chance).sum(axis=1)
    assert expected == pytest.approx([7.0, 5.0, 2.0])


def test_the_dispersion_of_a_pair_is_as_by_hand() -> None:
    # 6 : 2 with 2 ties: 7 of 10, p = 0.7. Sum of (y - p)^2 = 6 * 0.09 + 2 * 0.49 + 2 * 0.04 = 1.6,
    # sum of p (1 - p) = 2.1, phi = (1.6 + 1.25) / (2.1 + 1.25) = 0.85075. The log-odds have the variance 1 / 2.1.
    result = _rate(*_odd_game(6, 2, 2), settings=PLAIN)

    gap = result.estimate.difference("x", "y")
    assert result.phi == pytest.approx(2.85 / 3.35)
    assert gap.standard_error == pytest.approx(POINTS * math.sqrt(2.85 / 3.35 / 2.1))
    assert gap.upper - gap.points == pytest.approx(1.959964 * gap.standard_error, rel=1e-6)


def test_twenty_ties_are_known_as_well_as_the_five_flips_allow() -> None:
    # phi = 1.25 / (20 / 4 + 1.25) = 0.2; with the one virtual draw the information is 21 / 4.
    gap = _rate(Tally("x", "y", Verdict.TIE, 20)).estimate.difference("x", "y")

    assert gap.standard_error == pytest.approx(POINTS * math.sqrt(0.2 / 5.25))


def test_the_sandwich_of_a_pair_is_as_by_hand() -> None:
    # As above: B = 1.6, the sandwich 1.6 / 2.1^2, and the dispersion's 5/4 adds 1.25 / 3.35 / 2.1.
    gap = _rate(*_odd_game(6, 2, 2), settings=replace(PLAIN, interval=Interval.SANDWICH)).estimate.difference("x", "y")

    assert gap.standard_error == pytest.approx(POINTS * math.sqrt(1.6 / 2.1**2 + 1.25 / 3.35 / 2.1))


@pytest.mark.parametrize("reweighted", [False, True])
@pytest.mark.parametrize("interval", [Interval.SANDWICH, Interval.DISPERSION])
def test_the_covariance_from_counts_is_the_one_from_single_votes(
    llmfao_votes: list[Game], interval: Interval, *, reweighted: bool
) -> None:
    evidence = Evidence.from_games(Games.from_votes(llmfao_votes))
    settings = replace(PLAIN, interval=interval, reweighted=reweighted, min_pair_count=10)

    estimate = rate_bradley_terry(evidence, settings=settings).estimate

    assert estimate.covariance == pytest.approx(_vote_by_vote(evidence, estimate.points, settings), rel=1e-6, abs=1e-6)


def _vote_by_vote(evidence: Evidence, points: np.ndarray, settings: BradleyTerrySettings) -> np.ndarray:
    """(sum w p (1 - p) x x')^+ (sum w^2 e^2 x x') (...)^+ over single votes, and the same with e^2 -> p (1 - p)."""
    games, strengths = evidence.in_order(), points / POINTS
    rows = np.arange(len(games))
    design = np.zeros((len(games), len(games.names)))
    design[rows, games.seat_a], design[rows, games.seat_b] = 1.0, -1.0
    weights = np.ones(len(games))
    if settings.reweighted:
        weights = 1.0 / np.maximum(evidence.counts.pair_battles[games.seat_a, games.seat_b], settings.min_pair_count)
        weights /= weights.mean()
    p = 1.0 / (1.0 + np.exp(-design @ strengths))
    flip, square = p * (1.0 - p), (games.scores_a - p) ** 2
    inverse = np.linalg.pinv((design.T * (weights * flip)) @ design)
    flips, seen = (inverse @ ((design.T * (weights**2 * v)) @ design) @ inverse for v in (flip, square))
    if settings.interval is Interval.SANDWICH:
        return np.asarray(POINTS**2 * (seen + 1.25 / (flip.sum() + 1.25) * flips))
    return np.asarray(POINTS**2 * (square.sum() + 1.25) / (flip.sum() + 1.25) * flips)


def test_all_intervals_agree_on_many_votes(llmfao_votes: list[Game]) -> None:
    evidence = Evidence.from_games(Games.from_votes(llmfao_votes))
    errors = {
        interval: rate_bradley_terry(
            evidence, settings=BradleyTerrySettings(interval=interval)
        ).estimate.standard_errors
        for interval in Interval
    }

    for interval in (Interval.SANDWICH, Interval.BOOTSTRAP):
        ratio = errors[interval] / errors[Interval.DISPERSION]
        assert float(np.median(ratio)) == pytest.approx(1.0, abs=0.05)


@every_interval
def test_no_interval_has_no_width(interval: Interval) -> None:
    estimate = _rate(Tally("x", "y", Verdict.TIE, 20), settings=BradleyTerrySettings(interval=interval)).estimate

    assert (estimate.upper - estimate.points > 10.0).all()
    assert (estimate.points - estimate.lower > 10.0).all()


@every_interval
@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_more_confidence_is_a_wider_interval(interval: Interval, level: float) -> None:
    settings = BradleyTerrySettings(interval=interval, level=level)

    narrow, wide = (
        _rate(*_odd_game(6, 2, 2), settings=chosen).estimate for chosen in (settings, replace(settings, level=0.995))
    )

    assert narrow.level == level
    assert (wide.upper - wide.lower > narrow.upper - narrow.lower).all()


def test_the_bootstrap_is_a_function_of_its_seed() -> None:
    settings = BradleyTerrySettings(interval=Interval.BOOTSTRAP, rounds=50)

    one, same, other = (
        _rate(*_odd_game(6, 2, 2), settings=replace(settings, seed=seed)).estimate.lower.tolist() for seed in (1, 1, 2)
    )

    assert one == same != other


@pytest.mark.parametrize("names", [(), ("x",), ("x", "y")])
def test_a_bootstrap_of_no_votes_is_all_prior(names: tuple[str, ...]) -> None:
    counts = PairCounts.from_tallies(names, [])

    estimate = rate_bradley_terry(
        Evidence(counts=counts), settings=BradleyTerrySettings(interval=Interval.BOOTSTRAP)
    ).estimate

    assert estimate.points.tolist() == [1000.0] * len(names)
    assert (estimate.upper - estimate.lower > 100.0).all() == (len(names) != 1)


def test_every_bootstrap_round_arrives_at_its_own_maximum() -> None:
    # Twelve models, hardly joined and nearly always beaten: the curvature of many a round is far from the board's, so
    # that the common steps do not arrive.
    names = [f"m{i:02}" for i in range(12)]
    tallies = [Tally(a, b, Verdict.A, 9) for a, b in pairwise(names)]
    counts = PairCounts.from_tallies(names, [*tallies, Tally("m11", "m00", Verdict.A, 1)])
    settings = BradleyTerrySettings(prior=0.05)
    result = rate_bradley_terry(Evidence(counts=counts), settings=settings)
    board = bradley_terry._Board.of(counts, settings)
    redrawn = bradley_terry._redrawn(board, np.random.default_rng(1), 40)

    rounds = bradley_terry._bootstrap_batch(
        board, result.estimate.points / POINTS, result.estimate.covariance / POINTS**2 / result.phi, redrawn
    )

    for drawn, strengths in zip(redrawn, rounds, strict=True):
        scores = drawn[0] + 0.5 * (drawn[1] + drawn[1].T) + 0.5 * board.virtual
        unexpected = scores * chances(strengths).T
        assert (unexpected - unexpected.T).sum(axis=1) == pytest.approx([0.0] * 12, abs=1e-4)


@given(st.lists(st.integers(0, 10**9), min_size=12, max_size=12), st.sampled_from([0.01, 0.5, 1.0, 20.0]))
def test_any_counts_and_any_prior_give_the_maximum(amounts: list[int], prior: float) -> None:
    wins = np.zeros((4, 4), dtype=np.int64)
    wins[~np.eye(4, dtype=bool)] = amounts
    nothing = np.zeros_like(wins)
    counts = PairCounts(names=("u", "v", "w", "x"), wins=wins, ties=nothing, both_bad=nothing)

    result = rate_bradley_terry(Evidence(counts=counts), settings=BradleyTerrySettings(prior=prior))

    virtual = prior / 3.0 * (1 - np.eye(4))
    votes = wins + wins.T + virtual
    slope = (wins + virtual / 2 - votes * chances(result.estimate.points / POINTS)).sum(axis=1)
    assert slope == pytest.approx([0.0] * 4, abs=1e-6 * (1.0 + float(votes.sum())))
    assert result.iterations < 200


def test_where_one_begins_changes_the_time_and_not_the_result(arena_counts: PairCounts) -> None:
    before = rate_bradley_terry(Evidence(counts=arena_counts))
    wins = arena_counts.wins.copy()
    wins[0, 1] += 1
    evidence = Evidence(counts=replace(arena_counts, wins=wins))

    warm, cold = rate_bradley_terry(evidence, warm=before.ratings), rate_bradley_terry(evidence)

    assert warm.iterations < cold.iterations
    assert warm.estimate.points == pytest.approx(cold.estimate.points, abs=1e-9)


@pytest.mark.parametrize("warm", [{}, {"x": 1500.0}, {"x": 9e9, "y": -9e9}, {"nobody": 3.0}])
def test_a_strange_place_to_begin_at_leads_to_the_same_maximum(warm: dict[str, float]) -> None:
    counts = PairCounts.from_tallies(["x", "y"], _odd_game(3, 1))

    result = rate_bradley_terry(Evidence(counts=counts), warm=warm)

    assert dict(result.ratings) == pytest.approx(dict(_rate(*_odd_game(3, 1)).ratings), abs=1e-9)


@pytest.mark.parametrize(
    ("tallies", "complaint"),
    [
        ([Tally("x", "y", Verdict.A, 5)], "y (with its like) has never won or tied against x"),
        ([Tally("x", "y", Verdict.B, 5)], "y (with its like) has never lost or tied against x"),
        ([Tally("u", "v", Verdict.TIE, 5), Tally("x", "y", Verdict.TIE, 5)], "u and x have never met"),
    ],
)
def test_without_a_prior_a_board_that_has_no_maximum_says_why(tallies: list[Tally], complaint: str) -> None:
    with pytest.raises(NoRating) as caught:
        _rate(*tallies, settings=PLAIN)

    assert complaint in str(caught.value)
    assert "prior above 0" in str(caught.value)


@pytest.mark.parametrize(
    "wrong", [{"rounds": 1}, {"min_pair_count": 0}, {"prior": 0.0, "interval": Interval.BOOTSTRAP}]
)
def test_settings_that_cannot_work_together_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"rounds|prior"):
        replace(BradleyTerrySettings(), **wrong)


def test_weights_change_nothing_while_no_pair_has_many_votes(llmfao_votes: list[Game]) -> None:
    evidence = Evidence.from_games(Games.from_votes(llmfao_votes[:300]))

    weighted = rate_bradley_terry(evidence, settings=BradleyTerrySettings(reweighted=True))

    plain = rate_bradley_terry(evidence)
    assert weighted.estimate.points == pytest.approx(plain.estimate.points, abs=1e-9)
    assert weighted.estimate.covariance == pytest.approx(plain.estimate.covariance, abs=1e-6)


def test_weights_let_each_large_pair_count_alike() -> None:
    # x beats y 3 : 1 in 400 votes and 1 : 3 against z in 4000; y and z are even, so that the pairs contradict.
    tallies = [Tally("x", "y", Verdict.A, 300), Tally("x", "y", Verdict.B, 100)]
    tallies += [Tally("x", "z", Verdict.A, 1000), Tally("x", "z", Verdict.B, 3000)]
    tallies += [Tally("y", "z", Verdict.TIE, 800)]

    weighted = _rate(*tallies, settings=replace(PLAIN, reweighted=True))

    # With equal weights the board is symmetric about x.
    assert weighted.ratings["x"] == pytest.approx(1000.0, abs=1e-6)
    assert _rate(*tallies, settings=PLAIN).ratings["x"] < 950.0


def test_the_arena_of_august_2024_comes_out_as_published(arena_counts: PairCounts) -> None:
    # LMSYS announced 1314 for ChatGPT-4o-latest on 2024-08-14, on the scale that has mixtral-8x7b at 1114 (FastChat,
    # rating_systems.py); its board of the day before shows gemini-1.5-pro-exp-0801 second and gpt-4o third.
    result = rate_bradley_terry(Evidence(counts=arena_counts), settings=BradleyTerrySettings(anchor=MIXTRAL))

    order = sorted(result.ratings, key=result.ratings.__getitem__, reverse=True)
    assert order[:3] == ["chatgpt-4o-latest", "gemini-1.5-pro-exp-0801", "gpt-4o-2024-05-13"]
    assert result.ratings["chatgpt-4o-latest"] == pytest.approx(1314.0, abs=3.0)
    assert result.votes == 1_670_250
    assert result.phi == pytest.approx(0.637, abs=0.001)
    assert [found.best for found in rank_ranges(result.estimate)][result.estimate.index(order[0])] == 1


def test_on_the_arena_dispersion_and_sandwich_agree(arena_counts: PairCounts) -> None:
    both = [
        rate_bradley_terry(Evidence(counts=arena_counts), settings=BradleyTerrySettings(interval=interval))
        for interval in (Interval.DISPERSION, Interval.SANDWICH)
    ]

    ratio = both[0].estimate.standard_errors / both[1].estimate.standard_errors
    assert 0.9 < float(ratio.min()) < float(ratio.max()) < 1.1


def test_re_weighting_moves_the_arena_by_as_much_as_the_packages_do(arena_counts: PairCounts) -> None:
    # arena-rank 0.1.1 with `reweighted=True` on the same counts: mean 4.8, at most 23.7 points.
    plain, weighted = (
        rate_bradley_terry(Evidence(counts=arena_counts), settings=replace(PLAIN, reweighted=chosen)).estimate
        for chosen in (False, True)
    )

    moves = np.abs(weighted.points - plain.points)
    assert float(moves.mean()) == pytest.approx(4.8, abs=0.1)
    assert float(moves.max()) == pytest.approx(23.7, abs=0.2)
