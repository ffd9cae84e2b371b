import math

import numpy as np
import pytest

from leaderboard.games import Game, Games, PairCounts, Tally
from leaderboard.method import Evidence
from leaderboard.ratings import EloSettings, OrderFreeSettings, fold_elo, rate_bradley_terry, rate_elo_order_free
from leaderboard.verdicts import Verdict


def _counts(*tallies: Tally) -> Evidence:
    names = sorted({name for tally in tallies for name in tally[:2]})
    return Evidence(counts=PairCounts.from_tallies(names, tallies))


def test_each_round_is_a_plain_fold_of_the_shuffled_votes() -> None:
    # The same generator on the same canonical deck: (x beats y) is kind 0, (x ties y) kind 1, three of each.
    settings = OrderFreeSettings(shuffles=4, seed=7)
    deck = np.array([0, 0, 0, 1, 1, 1], dtype=np.int32)
    orders = np.random.default_rng(7).permuted(np.tile(deck, (4, 1)), axis=1)

    result = rate_elo_order_free(
        _counts(Tally("x", "y", Verdict.A, 3), Tally("x", "y", Verdict.TIE, 3)), settings=settings
    )

    for order, ratings in zip(orders.tolist(), result.rounds.tolist(), strict=True):
        votes = [Game("x", "y", (Verdict.A, Verdict.TIE)[kind]) for kind in order]
        folded = fold_elo(Games.from_votes(votes, names=["x", "y"]), settings=EloSettings()).ratings
        assert ratings == pytest.approx(list(folded.values()), abs=1e-9)


def test_one_vote_has_no_order_and_no_spread() -> None:
    result = rate_elo_order_free(_counts(Tally("x", "y", Verdict.A, 1)))

    assert dict(result.ratings) == pytest.approx({"x": 1016.0, "y": 984.0})
    assert dict(result.spread) == pytest.approx({"x": 0.0, "y": 0.0}, abs=1e-9)


def test_both_bad_and_a_tie_shuffle_alike() -> None:
    tie, bad = (
        rate_elo_order_free(_counts(Tally("x", "y", Verdict.A, 3), Tally("y", "x", kind, 3)))
        for kind in (Verdict.TIE, Verdict.BOTH_BAD)
    )

    assert dict(tie.ratings) == dict(bad.ratings)


def test_real_votes_keep_the_sum_and_order_models_as_bradley_terry_does(llmfao_votes: list[Game]) -> None:
    evidence = Evidence.from_games(Games.from_votes(llmfao_votes))

    result = rate_elo_order_free(evidence, settings=OrderFreeSettings(k=4.0))

    other = rate_bradley_terry(evidence).ratings
    assert math.fsum(result.ratings.values()) == pytest.approx(59_000.0, abs=1e-6)
    assert np.corrcoef(list(result.ratings.values()), [other[name] for name in result.ratings])[0, 1] > 0.98


def test_a_large_k_lets_order_alone_move_ratings_by_tens_of_points(llmfao_votes: list[Game]) -> None:
    evidence = Evidence.from_games(Games.from_votes(llmfao_votes))

    low, high = (rate_elo_order_free(evidence, settings=OrderFreeSettings(k=k)).spread for k in (4.0, 32.0))

    assert max(low.values()) < 15.0
    assert 25.0 < float(np.median(list(high.values()))) < 50.0


def test_the_swap_share_of_a_clear_pair_is_small_and_of_equals_one_half() -> None:
    clear = [Tally("x", "y", Verdict.A, 80), Tally("x", "y", Verdict.B, 20)]
    even = [Tally("v", "w", Verdict.A, 50), Tally("v", "w", Verdict.B, 50)]

    result = rate_elo_order_free(_counts(*clear, *even))

    assert result.swap_share("x", "y") == result.swap_share("y", "x") < 0.05
    assert 0.3 < result.swap_share("v", "w") <= 0.6
    assert rate_elo_order_free(_counts(Tally("x", "y", Verdict.TIE, 9))).swap_share("x", "y") == 0.5


def test_a_swap_with_nobody_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'nobody'"):
        rate_elo_order_free(_counts(Tally("x", "y", Verdict.TIE, 9))).swap_share("x", "nobody")


@pytest.mark.parametrize("wrong", [{"k": 0.0}, {"scale": math.inf}, {"start": math.nan}, {"shuffles": 0}])
def test_settings_that_make_no_rating_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"k and scale above 0|at least one shuffle"):
        OrderFreeSettings(**wrong)  # type: ignore[arg-type]
