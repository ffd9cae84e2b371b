from collections.abc import Sequence
from itertools import product

import pytest

from leaderboard import Evidence, PairCounts, Tally, Verdict, rate_bradley_terry
from leaderboard.integrity import Flip, votes_to_flip

A, B, TIE, BAD = Verdict.A, Verdict.B, Verdict.TIE, Verdict.BOTH_BAD


def counts(*tallies: tuple[str, str, Verdict, int], names: str = "xyz") -> PairCounts:
    return PairCounts.from_tallies(list(names), [Tally(*each) for each in tallies])


def test_two_models_by_hand() -> None:
    # Ten wins to seven: without three of them it is seven all.
    assert votes_to_flip(counts(("x", "y", A, 10), ("y", "x", A, 7), names="xy")) == Flip(votes=3, first="x", rival="y")


def test_a_win_against_a_third_model_can_be_the_cheapest_to_drop() -> None:
    # x and y never met; x won 9 of 10 against z, y won 8 of 10.
    board = counts(("x", "z", A, 9), ("x", "z", B, 1), ("y", "z", A, 8), ("y", "z", B, 2))

    flip = votes_to_flip(board)

    assert flip is not None
    assert (flip.first, flip.rival) == ("x", "y")
    # One loss of y less is as good as anything: 8 of 9 against 9 of 10 is not enough, two losses are.
    assert flip.votes == 2


def ratings(counts: PairCounts) -> list[float]:
    return rate_bradley_terry(Evidence(counts=counts)).estimate.points.tolist()


@pytest.mark.parametrize(
    "stock",
    [
        {("x", "z", A): 9, ("x", "z", B): 1, ("y", "z", A): 8, ("y", "z", TIE): 2},
        {("x", "z", A): 9, ("y", "z", A): 6, ("y", "z", BAD): 4, ("y", "z", B): 1},
        {("x", "y", A): 4, ("x", "y", TIE): 3, ("x", "z", A): 4, ("y", "z", A): 4},
    ],
)
def test_nearly_as_few_as_any_choice_of_votes(stock: dict[tuple[str, str, Verdict], int]) -> None:
    def board(left: Sequence[int]) -> PairCounts:
        return counts(*((*kind, n) for kind, n in zip(stock, left, strict=True)))

    choices = product(*(range(n + 1) for n in stock.values()))
    fewest = min(
        sum(stock.values()) - sum(left) for left in choices if (each := ratings(board(left)))[0] <= max(each[1:]) + 1e-9
    )

    flip = votes_to_flip(board(list(stock.values())))

    assert flip is not None
    assert fewest <= flip.votes <= fewest + 2


def test_draws_hold_a_first_place_as_well() -> None:
    # x is ahead by a win, and has drawn all other battles with a model that is far better than y.
    board = counts(("x", "y", A, 12), ("x", "z", TIE, 5), ("x", "z", BAD, 5), ("z", "y", A, 11))

    flip = votes_to_flip(board)

    assert flip is not None
    assert {flip.first, flip.rival} == {"x", "z"}


def test_equals_need_no_vote_to_flip() -> None:
    assert votes_to_flip(counts(("x", "y", A, 5), ("x", "y", B, 5), names="xy")) == Flip(votes=0, first="x", rival="y")


def test_a_first_place_that_rests_on_all_its_votes_falls_with_them() -> None:
    flip = votes_to_flip(counts(("x", "y", A, 5), names="xy"))

    assert flip == Flip(votes=5, first="x", rival="y")


@pytest.mark.parametrize("names", ["", "x"])
def test_nobody_can_overtake_a_model_alone(names: str) -> None:
    assert votes_to_flip(counts(names=names)) is None


def test_a_real_board_of_1_7_million_votes_hangs_by_few(arena_counts: PairCounts) -> None:
    flip = votes_to_flip(arena_counts)

    assert flip is not None
    ratings = rate_bradley_terry(Evidence(counts=arena_counts)).ratings
    assert flip.first == max(ratings, key=ratings.__getitem__)
    assert 0 < flip.votes < 0.001 * arena_counts.votes
