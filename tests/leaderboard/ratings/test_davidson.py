import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.games import PairCounts, Tally
from leaderboard.method import Evidence, NoRating
from leaderboard.ratings import DavidsonResult, DavidsonSettings, rate_bradley_terry, rate_davidson
from leaderboard.verdicts import Verdict

PLAIN = DavidsonSettings(prior=0.0)
AMOUNT = st.integers(0, 1000)


def _rate(*tallies: Tally, settings: DavidsonSettings | None = None) -> DavidsonResult:
    names = sorted({name for tally in tallies for name in tally[:2]})
    return rate_davidson(Evidence(counts=PairCounts.from_tallies(names, tallies)), settings=settings)


def test_a_pair_is_split_as_it_was_voted() -> None:
    tallies = [Tally("x", "y", Verdict.A, 5), Tally("x", "y", Verdict.TIE, 3), Tally("y", "x", Verdict.A, 2)]

    result = _rate(*tallies, settings=PLAIN)

    # Two parameters fit two free shares exactly: 5 : 3 : 2 has the decided odds 5 / 2 and v = (3 / 2) / sqrt(5 * 2).
    assert result.split("x", "y") == pytest.approx((0.5, 0.3, 0.2))
    assert result.tie == pytest.approx(1.5 / math.sqrt(10.0))
    assert result.ratings["x"] - result.ratings["y"] == pytest.approx(400.0 * math.log10(2.5))


def test_both_bad_is_a_tie() -> None:
    ties = [Tally("x", "y", Verdict.A, 5), Tally("y", "x", Verdict.A, 2)]

    with_ties, with_bad = (_rate(*ties, Tally("x", "y", kind, 3)) for kind in (Verdict.TIE, Verdict.BOTH_BAD))

    assert with_ties.split("x", "y") == pytest.approx(with_bad.split("x", "y"))


def test_the_standard_error_of_a_pair_is_the_one_of_log_odds() -> None:
    # Given the tie parameter is free, the decided votes alone tell the odds: variance 1/5 + 1/2.
    tallies = [Tally("x", "y", Verdict.A, 5), Tally("x", "y", Verdict.TIE, 3), Tally("y", "x", Verdict.A, 2)]

    gap = _rate(*tallies, settings=PLAIN).estimate.difference("x", "y")

    assert gap.standard_error == pytest.approx(400.0 / math.log(10.0) * math.sqrt(1 / 5 + 1 / 2))


@given(st.lists(AMOUNT, min_size=6, max_size=6), st.lists(AMOUNT, min_size=3, max_size=3))
def test_expected_scores_and_ties_are_the_seen_ones(wins: list[int], ties: list[int]) -> None:
    names = ("u", "v", "w")
    won = np.zeros((3, 3), dtype=np.int64)
    won[~np.eye(3, dtype=bool)] = wins
    tied = np.zeros((3, 3), dtype=np.int64)
    tied[np.triu_indices(3, 1)] = ties
    counts = PairCounts(names=names, wins=won, ties=tied + tied.T, both_bad=np.zeros_like(won))

    result = rate_davidson(Evidence(counts=counts))

    third = 0.5 / 3.0  # one virtual vote a model, over two opponents, in thirds
    for one in names:
        splits = [(result.split(one, other), counts.record(one, other)) for other in names if other != one]
        seen = sum(record.wins_a + third + 0.5 * (record.ties + third) for _, record in splits)
        expected = sum((record.battles + 0.5) * (split.win + 0.5 * split.tie) for split, record in splits)
        assert expected == pytest.approx(seen, rel=1e-6, abs=1e-6), one


def test_a_split_sums_to_one_and_mirrors() -> None:
    result = _rate(Tally("x", "y", Verdict.A, 50), Tally("x", "y", Verdict.TIE, 1))

    one, other = result.split("x", "y"), result.split("y", "x")

    assert sum(one) == pytest.approx(1.0)
    assert (one.win, one.tie, one.loss) == pytest.approx((other.loss, other.tie, other.win))


def test_a_split_of_a_name_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="'nobody'"):
        _rate(Tally("x", "y", Verdict.A, 5)).split("x", "nobody")


@pytest.mark.parametrize(
    ("tallies", "complaint"),
    [
        ([Tally("x", "y", Verdict.A, 5)], "y (with its like) has never won"),
        ([Tally("x", "y", Verdict.TIE, 5)], "5 of 5 votes are ties"),
        ([Tally("x", "y", Verdict.A, 5), Tally("x", "y", Verdict.B, 5)], "0 of 10 votes are ties"),
    ],
)
def test_without_a_prior_a_board_that_has_no_maximum_says_why(tallies: list[Tally], complaint: str) -> None:
    with pytest.raises(NoRating) as caught:
        _rate(*tallies, settings=PLAIN)

    assert complaint in str(caught.value)


def test_on_the_arena_ties_and_strengths_are_as_known(arena_counts: PairCounts) -> None:
    # evalica's newman gives v = 0.561 on these counts; the strengths lie 1.58 times as far apart as with half ties.
    evidence = Evidence(counts=arena_counts)

    result = rate_davidson(evidence)

    ours, half = (r.estimate.points - 1000.0 for r in (result, rate_bradley_terry(evidence)))
    assert result.tie == pytest.approx(0.561, abs=0.001)
    assert float(ours @ half / (half @ half)) == pytest.approx(1.58, abs=0.01)
