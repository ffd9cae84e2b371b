import math

import pytest

from leaderboard.games import Game, Games, PairCounts, Tally
from leaderboard.method import Evidence
from leaderboard.prediction import all_forecasts, forecast
from leaderboard.ratings import BradleyTerrySettings, rate_bradley_terry, rate_davidson
from leaderboard.verdicts import Verdict


def _counts(*tallies: Tally) -> PairCounts:
    return PairCounts.from_tallies(sorted({name for tally in tallies for name in tally[:2]}), tallies)


PAIR = _counts(
    Tally("x", "y", Verdict.A, 50),
    Tally("x", "y", Verdict.TIE, 20),
    Tally("y", "x", Verdict.BOTH_BAD, 10),
    Tally("x", "y", Verdict.B, 20),
)
TWO_GROUPS = _counts(Tally("x", "y", Verdict.A, 3), Tally("y", "x", Verdict.A, 1), Tally("v", "w", Verdict.A, 2))


def test_a_pair_is_forecast_as_it_was_voted() -> None:
    # 50 wins and 30 halves of 100 are 65 points; with no prior the chance is exactly that share.
    rated = rate_bradley_terry(Evidence(counts=PAIR), settings=BradleyTerrySettings(prior=0.0))

    seen = forecast(rated, "x", "y", counts=PAIR)

    assert seen.chance is not None
    assert seen.chance.probability == pytest.approx(0.65)
    assert seen.difference == pytest.approx(400.0 * math.log10(0.65 / 0.35))
    assert (seen.method, seen.level, seen.reason, seen.split, seen.elo) == ("bradley_terry", 0.95, None, None, None)
    assert (seen.record.wins_a, seen.record.wins_b, seen.record.battles) == (50, 20, 100)


def test_the_interval_is_the_one_of_the_difference() -> None:
    # phi = (50 * 0.35^2 + 20 * 0.65^2 + 30 * 0.15^2 + 1.25) / (100 * 0.65 * 0.35 + 1.25) = 16.5 / 24 = 0.6875; the
    # log-odds ln(65 / 35) = 0.61904 have the standard error sqrt(0.6875 / 22.75) = 0.17384, 1.96 of it are 0.34071.
    rated = rate_bradley_terry(Evidence(counts=PAIR), settings=BradleyTerrySettings(prior=0.0))

    chance = forecast(rated, "x", "y", counts=PAIR).chance

    assert chance is not None
    assert chance.lower == pytest.approx(1.0 / (1.0 + math.exp(-(0.61904 - 0.34071))), abs=1e-4)
    assert chance.upper == pytest.approx(1.0 / (1.0 + math.exp(-(0.61904 + 0.34071))), abs=1e-4)


def test_both_ways_round_are_the_same_forecast() -> None:
    rated = rate_bradley_terry(Evidence(counts=PAIR))

    one, other = (forecast(rated, *pair, counts=PAIR).chance for pair in (("x", "y"), ("y", "x")))

    assert one is not None
    assert other is not None
    assert (one.probability, one.lower, one.upper) == pytest.approx(
        (1 - other.probability, 1 - other.upper, 1 - other.lower)
    )


def test_the_split_and_the_elo_figure_stand_beside_it() -> None:
    evidence = Evidence(counts=PAIR)
    elo = {"x": 1287.0, "y": 1120.0}

    seen = forecast(rate_bradley_terry(evidence), "x", "y", counts=PAIR, davidson=rate_davidson(evidence), elo=elo)

    assert seen.split == pytest.approx((0.5, 0.3, 0.2), abs=0.01)
    assert seen.elo == pytest.approx(0.723, abs=0.0005)
    assert forecast(rate_bradley_terry(evidence), "x", "y", counts=PAIR, elo={"x": 1287.0}).elo is None


def test_models_that_never_met_are_not_compared_and_the_reason_is_given() -> None:
    evidence = Evidence(counts=TWO_GROUPS)

    seen = forecast(
        rate_bradley_terry(evidence), "x", "v", counts=TWO_GROUPS, davidson=rate_davidson(evidence), elo={"x": 1e3}
    )

    assert seen.reason == "x and v have never met, not even through others."
    assert (seen.chance, seen.difference, seen.split, seen.elo) == (None, None, None, None)


def test_a_model_is_preferred_to_itself_half_of_the_time() -> None:
    counts = PairCounts.from_tallies(["x", "y", "z"], [Tally("x", "y", Verdict.A, 3)])

    seen = forecast(rate_bradley_terry(Evidence(counts=counts)), "z", "z", counts=counts)

    assert seen.chance == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("pair", [("nobody", "x"), ("x", "nobody"), ("nobody", "nobody")])
def test_a_model_that_is_not_there_is_refused_by_name(pair: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="'nobody'"):
        forecast(rate_bradley_terry(Evidence(counts=PAIR)), *pair, counts=PAIR)


def test_the_matrix_holds_every_pair_that_can_be_compared() -> None:
    rated = rate_bradley_terry(Evidence(counts=TWO_GROUPS))

    cells = all_forecasts(rated, counts=TWO_GROUPS)

    assert [cell[:2] for cell in cells] == [("v", "w"), ("w", "v"), ("x", "y"), ("y", "x")]


def test_the_matrix_says_the_same_as_one_forecast_at_a_time(llmfao_votes: list[Game]) -> None:
    evidence = Evidence.from_games(Games.from_votes(llmfao_votes))
    rated = rate_bradley_terry(evidence)

    cells = all_forecasts(rated, counts=evidence.counts)

    assert len(cells) == 59 * 58
    for model_a, model_b, *ends in cells[::97]:
        assert ends == pytest.approx(forecast(rated, model_a, model_b, counts=evidence.counts).chance)


def test_counts_of_other_models_are_refused() -> None:
    with pytest.raises(ValueError, match="other models"):
        all_forecasts(rate_bradley_terry(Evidence(counts=PAIR)), counts=TWO_GROUPS)


def test_an_empty_board_has_no_forecasts() -> None:
    counts = _counts()

    assert all_forecasts(rate_bradley_terry(Evidence(counts=counts)), counts=counts) == ()
