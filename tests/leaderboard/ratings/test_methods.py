"""What every line of METHODS promises; a new method is tested here by being in the table."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.games import Game, Games, PairCounts
from leaderboard.method import Evidence, Method, OrderUnknown
from leaderboard.ratings import METHODS
from leaderboard.verdicts import Verdict

NAMES = ("u", "v", "w", "x", "y", "z")
PAIRS = st.lists(st.sampled_from(NAMES), min_size=2, max_size=2, unique=True)
VOTES = st.lists(
    st.builds(lambda pair, verdict: Game(pair[0], pair[1], verdict), PAIRS, st.sampled_from(Verdict)), max_size=40
)

every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())


def _evidence(votes: list[Game], names: tuple[str, ...] = NAMES) -> Evidence:
    return Evidence.from_games(Games.from_votes(votes, names=names))


@every_method
@given(votes=VOTES)
def test_every_model_gets_a_finite_rating(method: Method, votes: list[Game]) -> None:
    rated = method.rate(_evidence(votes))

    assert set(rated.ratings) == set(NAMES)
    assert all(math.isfinite(rating) for rating in rated.ratings.values())
    assert rated.votes == len(votes)


@every_method
@given(votes=VOTES, order=st.permutations(NAMES))
def test_the_order_of_the_names_changes_no_rating(method: Method, votes: list[Game], order: list[str]) -> None:
    rated = method.rate(_evidence(votes, names=tuple(order)))

    assert rated.ratings == pytest.approx(dict(method.rate(_evidence(votes)).ratings), abs=1e-6)


@every_method
@given(votes=VOTES)
def test_new_names_for_the_models_change_no_rating(method: Method, votes: list[Game]) -> None:
    renamed = [Game(f"{a}:1.5[{a}]", f"{b}:1.5[{b}]", verdict) for a, b, verdict in votes]
    names = tuple(f"{name}:1.5[{name}]" for name in NAMES)

    ratings = method.rate(_evidence(renamed, names=names)).ratings

    assert list(ratings.values()) == pytest.approx(list(method.rate(_evidence(votes)).ratings.values()), abs=1e-6)


@every_method
def test_a_tie_between_equals_leaves_them_equal(method: Method) -> None:
    ratings = method.rate(_evidence([Game("u", "v", Verdict.TIE)])).ratings

    assert ratings["u"] == pytest.approx(ratings["v"], abs=1e-9)


@every_method
def test_the_winner_leads(method: Method) -> None:
    ratings = method.rate(_evidence([Game("u", "v", Verdict.A), Game("w", "u", Verdict.B)])).ratings

    assert ratings["u"] > max(ratings["v"], ratings["w"])


@every_method
def test_a_board_without_models_is_no_error(method: Method) -> None:
    rated = method.rate(_evidence([], names=()))

    assert dict(rated.ratings) == {}


@pytest.mark.parametrize("method", [method for method in METHODS.values() if method.needs_order])
def test_a_method_that_needs_the_order_says_so_when_it_is_unknown(method: Method) -> None:
    counts_only = Evidence(counts=PairCounts.from_tallies(NAMES, []))

    with pytest.raises(OrderUnknown, match="order-free"):
        method.rate(counts_only)
